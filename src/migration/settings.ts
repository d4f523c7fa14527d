/**
 * Deadlines, budgets and limits of the engine, in one table (design: import.md 2.6). A name is the key of `--set`; units stand in the
 * names. Defaults hold for a real site; the sandbox and the benchmarks override some.
 */
export interface EngineSettings {
  /** After a guest was asked to shut down. */
  readonly powerOffDeadlineSeconds: number;
  /** Without an effect, the request to shut down is made again so often: it may have been lost with the process that made it. */
  readonly powerOffRepeatSeconds: number;
  /** How long a late shutdown of a guest is still answered with power-on. */
  readonly latePowerOffSeconds: number;
  /** Without a known power state of the source. */
  readonly powerUnknownSeconds: number;
  /** A DataVolume without a bound claim. */
  readonly volumeBoundSeconds: number;
  /** A claim that CDI finds not valid. */
  readonly claimNotValidSeconds: number;
  /** An importer that is scheduled and does not run. */
  readonly importerStartSeconds: number;
  /** No byte copied: condition Stalled, no failure. */
  readonly stalledSeconds: number;
  /** Container restarts of the importer, per disk and round. */
  readonly importerRestarts: number;
  readonly diskRecopies: number;
  /** Until DataVolume and pods are gone after the claims were given to the VM. */
  readonly releaseSeconds: number;
  /** A target VM refused after the copy, where the source is off anyway. */
  readonly createVmRetrySeconds: number;
  /** From one try to the next during that time. */
  readonly createVmRepeatSeconds: number;
  readonly targetRunningSeconds: number;
  readonly priorCleanupSeconds: number;
  /** A condition of a healthy run may flicker; it is shown when it is older than this. */
  readonly flickerSeconds: number;
  /** Retryable failures of one phase before they are final. */
  readonly phaseRetries: number;
  /** Disks copied at once from one host of the source (controller_max_vm_inflight). */
  readonly maxVmInflight: number;
  /** DataVolume creates on their way at once, per cluster (review.md F38). */
  readonly dataVolumeCreates: number;
  /** Progress is written when it moved by so many percent, or after progressSeconds. */
  readonly progressPercent: number;
  readonly progressSeconds: number;
}

export const defaultSettings: EngineSettings = {
  powerOffDeadlineSeconds: 15 * 60,
  powerOffRepeatSeconds: 180,
  latePowerOffSeconds: 60 * 60,
  powerUnknownSeconds: 15 * 60,
  volumeBoundSeconds: 10 * 60,
  claimNotValidSeconds: 2 * 60,
  importerStartSeconds: 10 * 60,
  stalledSeconds: 30 * 60,
  importerRestarts: 3,
  diskRecopies: 2,
  releaseSeconds: 5 * 60,
  createVmRetrySeconds: 60 * 60,
  createVmRepeatSeconds: 60,
  targetRunningSeconds: 10 * 60,
  priorCleanupSeconds: 30 * 60,
  flickerSeconds: 30,
  phaseRetries: 5,
  maxVmInflight: 20,
  dataVolumeCreates: 10,
  progressPercent: 1,
  progressSeconds: 15,
};
