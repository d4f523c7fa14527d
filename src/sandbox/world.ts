import type { KubeObject, ResourceKind } from '../api/meta.ts';
import type { Transport } from '../kube/transport.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Trust, HttpEndpoint } from '../sources/source.ts';
import type { DiskStore } from './disk-store.ts';

/**
 * The embedded world: an API server, CDI, KubeVirt and a vCenter with real bytes, for trying and for proof. Its parts know each other
 * only through what stands here; CDI and KubeVirt are ordinary clients of the API server, as they are in a cluster.
 */
export interface World extends AsyncDisposable {
  readonly clock: Clock;
  /** Seeded; the same seed gives the same world. In [0, 1). */
  readonly random: () => number;
  readonly api: ApiServer;
  readonly vcenter: VCenter;
  readonly disks: DiskStore;
  readonly faults: Faults;
  readonly trace: Trace;
  /** Waits until all parts are ready to be used. */
  readonly ready: Promise<void>;
}

/** Level one of sandbox.md: enough that real kubectl can use it. */
export interface ApiServer extends AsyncDisposable {
  /** A client's way in without a socket. `user` names the caller in the trace. */
  transport(user: string): Transport;
  /** Serves the same over TLS on 127.0.0.1; resolves to what a kubeconfig needs. */
  listen(options?: {
    readonly port?: number;
  }): Promise<{ readonly url: string; readonly caPem: string; readonly token: string }>;
  /** Admission in the order of registration, after defaults and schema, before quota and storing. */
  admit(kind: ResourceKind, admission: Admission): void;
}

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly object: KubeObject;
  readonly oldObject?: KubeObject;
  readonly dryRun: boolean;
  /** Reads what is stored, for rules that look at other objects. */
  read<T extends KubeObject>(
    kind: ResourceKind<T>,
    namespace: string | undefined,
    name: string,
  ): T | undefined;
  list<T extends KubeObject>(kind: ResourceKind<T>, namespace: string | undefined): readonly T[];
}
/** A changed object, or a refusal. A refusal of a webhook is HTTP `code` (default 422) with text 'admission webhook "NAME" denied the request: WHY'. */
export type Admission = (
  request: AdmissionRequest,
) => KubeObject | { readonly denied: string; readonly webhook: string; readonly code?: number };

/** The simulated vCenter, as its own network sees it. The verbs that tests use to look at it and to change it live in vcenter/. */
export interface VCenter extends AsyncDisposable {
  /** In-process way in, for SourceDeps.connect. Same TLS rules: a wrong thumbprint or CA is refused. */
  connect(url: string, trust: Trust): HttpEndpoint;
  readonly url: string;
  readonly caPem: string;
  /** SHA-1, upper-case hex with colons. */
  readonly thumbprint: string;
  /** What an importer does with VDDK. Throws Error whose message is what the real importer writes to its termination log. */
  openDisk(request: VddkRequest): VddkDisk;
  /** Serves vim25 over TLS; on 127.0.0.1 unless `host`, an address of this machine, is given. `url`, `caPem` and `thumbprint` follow it. */
  listen(options?: { readonly port?: number; readonly host?: string }): Promise<{ readonly url: string }>;
}

export interface VddkRequest {
  readonly url: string;
  readonly thumbprint: string;
  readonly user: string;
  readonly password: string;
  /** Of the VM, as the DataVolume gives it. */
  readonly uuid: string;
  /** "[datastore] dir/file.vmdk" */
  readonly backingFile: string;
  /** Snapshot moref; absent: the disk as it is now, which the VM must not have open (it is off). */
  readonly snapshot?: string;
  /** What the server's certificate must be signed by, PEM; absent: only the thumbprint is looked at (fact: cdi 3.1). */
  readonly caPem?: string;
}
export interface VddkDisk extends Disposable {
  readonly sizeBytes: number;
  /** The ESXi host that the bytes come from: what an importer's `vddkInfo.Host` says (fact: testbed 7.3). */
  readonly host: string;
  read(offset: number, length: number): Uint8Array;
  extents(): readonly { readonly offset: number; readonly length: number }[];
  /**
   * What an importer's delta stage copies: areas that changed between `previous` and the snapshot that was opened, in order, in blocks of
   * 64 KiB (too much may be named, never too little), zeros included. `previous` is a changeId or a snapshot's moref (fact: cdi 2.3).
   * Throws Error whose message is what the real importer says after "Unable to transfer source data to target file: ".
   */
  changedAreas(previous: string): readonly { readonly offset: number; readonly length: number }[];
}

/** Faults that can be switched on at run time (sandbox.md "Faults"). A part asks at the point where the fault would strike. */
export const faultNames = [
  'vcenter-down',
  'vcenter-session-lost',
  'vcenter-password-changed',
  'vcenter-denied',
  'guest-ignores-shutdown',
  /** A snapshot is asked for and the VM is held by a task of somebody else. */
  'snapshot-busy',
  'snapshot-quiesce-fails',
  'datastore-full',
  /** Merging takes a hundred times as long. */
  'consolidation-slow',
  /** A removal says it succeeded, and the delta files stay: `runtime.consolidationNeeded`. */
  'consolidation-fails',
  /** A new snapshot's changeIds have another epoch than those before. */
  'change-tracking-lost',
  /** A task is unknown as soon as it has ended. */
  'task-vanished',
  'importer-crash',
  'pod-evicted',
  /** CDI sees the end of an importer's pod before its own mark on the claim, and starts another one (seen in CDI 1.65). */
  'importer-again',
  /** A converter that has written half of what it writes. */
  'conversion-fails',
  /** The same, by an image that has thrown its overlays away and says so. */
  'conversion-fails-clean',
  /** A node throws the pod out before its container is made. */
  'conversion-evicted',
  /** No node takes the pod, for ever. */
  'conversion-unschedulable',
  'api-outage',
  'api-conflict',
  'api-error',
  'api-too-many-requests',
  'api-answer-lost',
  'watch-cut',
  'watch-gone',
  'webhook-timeout',
] as const;
export type FaultName = (typeof faultNames)[number];

export interface Faults {
  /** `subject` narrows it to one thing (a VM name, a claim name, "verb plural", "verb plural/status"); `times`: it ends by itself after so many strikes. */
  start(name: FaultName, options?: { readonly subject?: string; readonly times?: number }): Disposable;
  /** True when it strikes now; counts, and is written to the trace. */
  strikes(name: FaultName, subject: string): boolean;
  /** Calls back whenever a fault of that name is started, for a part that has something open which the fault must break at once. */
  onStart(name: FaultName, listener: (subject: string | undefined) => void): Disposable;
}

/** What happened in the world, in order: for tests, for a demo that explains itself, for "the same trace twice". */
export interface Trace {
  add(entry: Omit<TraceEntry, 'atMs'>): void;
  readonly entries: readonly TraceEntry[];
}
export interface TraceEntry {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly on: string;
  readonly detail?: string;
}
