export interface CdiSettings {
  /** Divides all simulated waits; 1 is near to a real cluster's. */
  readonly speed: number;
  /** Of data, holes are free. */
  readonly copyBytesPerSecond: number;
  /** Each disk takes just so long, whatever its size; wins over copyBytesPerSecond. */
  readonly secondsPerDisk?: number;
  /** Milliseconds from all that a pod needs being there to its program running. */
  readonly importerStartMs: number;
  /** Milliseconds from the SIGTERM of an importer that copies to its SIGKILL: the pod's grace period. */
  readonly terminationMs: number;
  /** Milliseconds between two looks at an importer's progress. */
  readonly progressMs: number;
  /** Milliseconds after which a pod's missing Secret or ConfigMap, or a refused claim, is tried again. */
  readonly retryMs: number;
  /** Percent of a disk at which importer-crash and pod-evicted strike. */
  readonly faultAtPercent: number;
  /** Share of a volume, 0 to 1, that its file system takes for itself (fact: cdi 6). */
  readonly filesystemTakes: number;
  /** Share of imports, 0 to 1, in which Running says ErrStartingPod for a moment (fact: cdi 1.3). */
  readonly flickerChance: number;
  readonly nodeName: string;
  /** Of the CDI object's status. */
  readonly version: string;
  /** For DataVolumes that name none; without it they wait with reason AwaitingVDDK. */
  readonly vddkImage?: string;
}

/** Waits follow the times seen with the real CDI and the kubelet's habits (fact: cdi 3.2; testbed 7.3). */
export const defaultCdiSettings: CdiSettings = {
  speed: 1,
  copyBytesPerSecond: 100 * 1_048_576,
  importerStartMs: 1000,
  terminationMs: 30_000,
  progressMs: 2000,
  retryMs: 5000,
  faultAtPercent: 50,
  filesystemTakes: 0,
  flickerChance: 0.2,
  nodeName: 'sandbox',
  version: 'v1.66.0',
};

/**
 * Whole milliseconds until a controller of CDI's looks again, by a number drawn from [0, 1): so long a Paused that is over stands, and a
 * wrong ErrStartingPod (fact: cdi 0.1, 1.3).
 */
export function pauseMs(drawn: number, speed: number): number {
  return Math.ceil((10 + Math.floor(drawn * 491)) / speed);
}
