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
  /** From the end of one copy to the next round of a warm import. */
  readonly precopySeconds: number;
  /** No two rounds are closer, whatever plan or schedule say. */
  readonly precopyFloorSeconds: number;
  /** Rounds of VMs that began together are spread over so much of the interval, or they would meet again at every round. */
  readonly precopyJitterPercent: number;
  /** Rounds of one import; then it waits for its cutover. Each is an entry in the DataVolume. */
  readonly mostRounds: number;
  /** Until a snapshot that was asked for is there. */
  readonly snapshotSeconds: number;
  /** A snapshot that takes longer to be merged: condition ConsolidationSlow, no failure. */
  readonly consolidationSlowSeconds: number;
  /** Snapshots that exist at once per host of the source: each one grows, and is merged under load. */
  readonly snapshotsInflight: number;
  /** Below so much free space on a datastore of the VM no snapshot is made while it runs. */
  readonly datastoreFreePercent: number;
  /** Guests that are converted at once, per target cluster. */
  readonly conversionsInflight: number;
  /** A conversion pod that does not run. */
  readonly conversionPendingSeconds: number;
  /** A conversion that takes longer: condition SlowConversion, no failure. */
  readonly conversionSlowSeconds: number;
  /** Conversion pods of one import, as long as none of them has written anything. */
  readonly conversionTries: number;
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
  precopySeconds: 60 * 60,
  precopyFloorSeconds: 5 * 60,
  precopyJitterPercent: 10,
  mostRounds: 200,
  snapshotSeconds: 30 * 60,
  consolidationSlowSeconds: 120 * 60,
  snapshotsInflight: 8,
  datastoreFreePercent: 10,
  conversionsInflight: 20,
  conversionPendingSeconds: 5 * 60,
  conversionSlowSeconds: 4 * 60 * 60,
  conversionTries: 3,
  progressPercent: 1,
  progressSeconds: 15,
};
