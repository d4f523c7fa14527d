import type { StepTimes } from './instance-step.ts';

export interface KubeVirtSettings extends StepTimes {
  /** Divides all simulated waits. */
  readonly speed: number;
  /** Milliseconds from the order to stop to the instance being gone. */
  readonly stopMs: number;
  /** Milliseconds after which a refused start is tried again. */
  readonly retryMs: number;
  readonly nodeName: string;
}

/** Inferred: of the order of magnitude that a small cluster shows. */
export const defaultKubeVirtSettings: KubeVirtSettings = {
  speed: 1,
  launcherMs: 200,
  scheduleMs: 1500,
  bootMs: 1500,
  stopMs: 1000,
  retryMs: 5000,
  nodeName: 'sandbox',
};
