export interface ConversionSettings {
  /** Divides all simulated waits. */
  readonly speed: number;
  /** Milliseconds until a pod that has a node runs, and from then until the guest is converted. */
  readonly startMs: number;
  readonly convertMs: number;
  /** Milliseconds from a listening port to a pod that is ready. */
  readonly probeMs: number;
  readonly nodeName: string;
  /** What the inspector recognises: libosinfo's short id, and the family. */
  readonly osId: string;
  readonly osFamily: string;
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
}

/** A guest is converted within a minute or so (inferred); the rest is the kubelet's habits, as for importers. */
export const defaultConversionSettings: ConversionSettings = {
  speed: 1,
  startMs: 2000,
  convertMs: 40_000,
  probeMs: 1000,
  nodeName: 'sandbox',
  osId: 'rhel9.4',
  osFamily: 'linux',
  warnings: [],
};
