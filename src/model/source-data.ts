import type { MapRef, PowerState } from './vm.ts';

/** What goes between sources, engine and builders. No I/O, no word of any platform, no import from api. */

export const providerTypes = [
  'vsphere',
  'ovirt',
  'openstack',
  'ova',
  'openshift',
  'hyperv',
  'nutanix',
  'ec2',
] as const;
export type ProviderType = (typeof providerTypes)[number];

export const transferPaths = ['vddk', 'imageio', 'http', 'blank'] as const;
export type TransferPath = (typeof transferPaths)[number];

export type Severity = 'Critical' | 'Warn' | 'Advisory';
/** One thing that a rule has found. `code` is a condition type of Forklift's where it has one. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly reason?: string;
  readonly items?: readonly string[];
  readonly suggestion?: string;
}

export const sourceFaultKinds = [
  'auth',
  'transient',
  'busy',
  'gone',
  'denied',
  'invalid',
  'unsupported',
] as const;
export type SourceFaultKind = (typeof sourceFaultKinds)[number];
/** `kind` decides retryable or terminal in migration/faults.ts, nowhere else. `message` says what was attempted, on what, and what to do. */
export interface SourceFault {
  readonly code: string;
  readonly kind: SourceFaultKind;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

/** `endpoint` is spec.source.endpoint: "provider" or a host id, pinned for the run. */
export interface VmHandle {
  readonly vmId: string;
  readonly identity: string;
  readonly endpoint: string;
}
export interface Subject {
  readonly kind: 'power' | 'snapshot' | 'task' | 'disk' | 'preparation';
  readonly vm: VmHandle;
  readonly id?: string;
}

/** `restore` is opaque text that brings exactly this state back (KubeVirt: the runStrategy). */
export interface PowerReading {
  readonly state: PowerState;
  readonly restore?: string;
}

export type SnapshotState =
  | { readonly state: 'absent' }
  | { readonly state: 'creating'; readonly taskId?: string }
  | { readonly state: 'ready'; readonly id: string }
  | { readonly state: 'busy'; readonly by: string }
  | { readonly state: 'failed'; readonly error: SourceFault; readonly quiesceFault: boolean };

/** 'gone' is proof: the task succeeded AND it is absent from the tree AND no consolidation is owed. */
export type SnapshotRemoval =
  | { readonly state: 'present' }
  | { readonly state: 'removing'; readonly taskId?: string }
  | { readonly state: 'gone' }
  | { readonly state: 'busy'; readonly by: string }
  | { readonly state: 'failed'; readonly error: SourceFault };

/** The same reading for any other thing that the ledger owes: image, volume, export, LUN attachment. */
export type Disposal =
  | { readonly state: 'present' | 'removing' | 'gone' }
  | { readonly state: 'waiting'; readonly for: string }
  | { readonly state: 'failed'; readonly error: SourceFault };

export interface DiskCheckpoint {
  readonly current: string;
  readonly nextPrevious: string;
  readonly sizeBytes: number;
  /** Opaque; another one than at the snapshot before means that nobody knows what changed in between. */
  readonly epoch?: string;
  /** As DiskModel.sourceId, for who reads it from this snapshot on. */
  readonly sourceId?: string;
  /** Opaque; another one than at the snapshot before means that `sourceId` of then finds it no more. */
  readonly place?: string;
}

export interface Audit {
  readonly foreign: readonly string[];
  readonly missing: readonly string[];
  readonly diskSet: 'same' | 'changed';
  readonly grown: readonly string[];
  readonly trackingLost: readonly string[];
  readonly movedTo?: string;
  /** Where each disk stands now, by its key, as far as the platform tells that of a VM without a snapshot. */
  readonly disks?: ReadonlyMap<string, Pick<DiskCheckpoint, 'sizeBytes' | 'epoch' | 'place'>>;
  /** Datastores of this VM's disks; empty where the platform cannot tell. */
  readonly datastores: readonly {
    readonly name: string;
    readonly freeBytes: number;
    readonly capacityBytes: number;
  }[];
}

/** From where one disk is read. No secret value is ever in `address`. */
export interface DiskFeed {
  readonly path: TransferPath;
  readonly sizeBytes: number;
  readonly address: Readonly<Record<string, string>>;
}
export type Preparation = ReadonlyMap<
  string,
  { readonly id: string; readonly state: 'pending' | 'ready' | 'failed' | 'gone'; readonly text?: string }
>;
/** E is the ledger entry to make next; its type belongs to api. */
export type PreparationStep<E> =
  | { readonly do: readonly E[] }
  | { readonly waitFor: string }
  | { readonly ready: ReadonlyMap<string, DiskFeed> }
  | { readonly failed: SourceFault };

/** Keys and values of the Secret and ConfigMap that importers read; the caller names and owns the objects. */
export interface ImporterAccess {
  readonly secret: Readonly<Record<string, string>>;
  readonly trust: Readonly<Record<string, string>>;
  readonly renewAt?: Date;
}
export interface ConversionInput {
  readonly mode: 'inPlace' | 'remote';
  readonly domainXml?: string;
  readonly uri?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly secret: Readonly<Record<string, string>>;
}

export interface PlanView {
  readonly warm: boolean;
  readonly skipGuestConversion: boolean;
  readonly preserveStaticIps: boolean;
  readonly migrateSharedDisks: boolean;
  /** A guest that cannot be asked to shut down is powered off hard. */
  readonly forcesPowerOff?: boolean;
  readonly networkMap: readonly MapRef[];
  readonly storageMap: readonly MapRef[];
}
export interface RunView {
  readonly marker: string;
  readonly plan: PlanView;
  readonly targetIsLocal: boolean;
  readonly vddkImage?: string;
}
export interface ProviderView {
  readonly type: ProviderType;
  readonly url: string;
  readonly settings: Readonly<Record<string, string>>;
}
