import type {
  Audit,
  DiskCheckpoint,
  PowerReading,
  SnapshotRemoval,
  SnapshotState,
} from '../model/source-data.ts';
import type { VmModel } from '../model/vm.ts';

/**
 * Everything that can be known of the world, by name. `cached` facts come from a watch and may lag; `live` ones are read when they are
 * asked for. A decision to create, to strike a ledger entry or to delete rests on a live fact (review.md F4).
 */
export interface FactTable {
  /** live. The VM at the source as it is now. */
  readonly sourceVm: { readonly state: 'present'; readonly model: VmModel } | { readonly state: 'gone' };
  /** live. */
  readonly sourcePower: PowerReading;
  /** In process. Whether the source can be reached, and by which credentials. */
  readonly sourceAccess: SourceAccess;
  /** cached. Earlier imports of the same plan and VM. */
  readonly priorImports: readonly PriorImport[];
  /** In process. What the slot table says of this import. */
  readonly slots: SlotFact;
  /** live. The target VM, built as it would be, created with dryRun; and whether its storage would fit. */
  readonly preflight: Preflight;
  /** cached. One entry a disk that is copied, in order. */
  readonly volumes: readonly VolumeFact[];
  /** live. The same, read now. */
  readonly liveVolumes: readonly VolumeFact[];
  /** live. The VM of the recorded name. */
  readonly targetVm: TargetVmFact;
  /**
   * cached. Phase of the VirtualMachineInstance as far as the VirtualMachine's own status tells it ('' while there is none), so that
   * instances need no watch and no label that would outlive the hand-over.
   */
  readonly instancePhase: string;
  /** cached; that there is none is live. The pod that converts the guest, whoever has deleted it meanwhile. */
  readonly conversionPod: ConversionPodFact | undefined;
  /** live, through the API server. What the converter tells once it is done; undefined: it does not answer yet, or any more. */
  readonly conversionResult: ConversionResult | undefined;
  /** live. Every object in the target namespace that carries our label. */
  readonly targetObjects: TargetObjects;
  /** live. What became of the snapshot of the round under way. */
  readonly snapshot: SnapshotState;
  /**
   * live, but asked only when an importer of the round under way has failed since it was last looked: the snapshot that it reads is there
   * no more. false too where nobody can tell.
   */
  readonly snapshotLost: boolean;
  /** live. What has changed at the source behind our back. */
  readonly audit: Audit;
  /** live. Per disk that is copied, by its key: where it stands in the snapshot of the round under way. */
  readonly checkpoints: ReadonlyMap<string, DiskCheckpoint>;
  /** live. One entry a snapshot that the ledger owes, oldest first. */
  readonly owedSnapshots: readonly OwedSnapshot[];
}
export type FactName = keyof FactTable;
export type Facts<N extends FactName> = Pick<FactTable, N>;

export interface OwedSnapshot {
  /** Of its ledger entry. */
  readonly key: string;
  readonly marker: string;
  /** How often it was asked away, and when last: milliseconds since 1970. */
  readonly attempts: number;
  readonly askedMs?: number;
  readonly state: SnapshotState;
  /** Once its id is known, from the ledger or from its state. */
  readonly removal?: { readonly id: string; readonly reading: SnapshotRemoval };
}

export interface PriorImport {
  readonly name: string;
  readonly uid: string;
  /** What it still owes, in words; empty: nothing stands in the way. */
  readonly owes: readonly string[];
  /** Nothing of it is at the source VM (power, a snapshot): two runs would not meet there. Left out: not known, so they might. */
  readonly owesOnlyAtTarget?: boolean;
  /** It committed and its target VM is still there: `{namespace}/{name}`. */
  readonly committedTarget?: string;
}

export type SourceAccess =
  | {
      readonly state: 'open';
      /** Version of the Provider's Secret that the session was opened with. */
      readonly credentials: string;
      /** A login of our own has proved them a moment ago. */
      readonly isVerified: boolean;
    }
  | {
      readonly state: 'shut';
      readonly code: string;
      readonly message: string;
      /** The login was refused: nobody is to try these credentials again. */
      readonly isRejected: boolean;
    };

export interface SlotFact {
  /** Resources that this import holds. */
  readonly held: ReadonlySet<string>;
  /** Where it stands in the queue for what it has asked for. */
  readonly queue?: { readonly resource: string; readonly position: number; readonly length: number };
}

export type Preflight =
  | { readonly state: 'accepted' }
  /** The namespace is not there; the VM could not be judged yet. */
  | { readonly state: 'namespaceMissing' }
  | { readonly state: 'namespaceTerminating' }
  /** A VM of that name exists. `ours`: it carries our label. */
  | { readonly state: 'nameTaken'; readonly ours: boolean; readonly uid: string; readonly by: string }
  | { readonly state: 'refused'; readonly code: string; readonly text: string }
  /** The pod that is to convert the guest. */
  | { readonly state: 'converterRefused'; readonly text: string }
  /** The DataVolumes that are to be filled. */
  | { readonly state: 'volumeRefused'; readonly text: string }
  /** A claim under the exact name of one of our disks which is not ours: "namespace/name, owned by ...". */
  | { readonly state: 'claimTaken'; readonly by: string }
  | { readonly state: 'classMissing'; readonly classes: readonly string[] }
  /** CDI would not know how to make claims in these classes. */
  | { readonly state: 'modesMissing'; readonly classes: readonly string[] }
  | { readonly state: 'networkMissing'; readonly networks: readonly string[] }
  | { readonly state: 'spaceShort'; readonly text: string };

/** A disk's DataVolume, claim and importer pod, as far as they are there. Only objects whose label is ours count as ours. */
export interface VolumeFact {
  readonly diskKey: string;
  readonly claimName: string;
  readonly dataVolume?: {
    readonly uid: string;
    readonly ours: boolean;
    readonly deleting: boolean;
    readonly phase: string;
    /** 0..100, undefined while CDI says N/A. */
    readonly percent?: number;
    readonly restartCount: number;
    /** Warm: what it has been given to copy so far, in order. */
    readonly checkpoints?: readonly { readonly current: string; readonly previous: string }[];
    readonly finalCheckpoint?: boolean;
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly sinceMs: number;
    }[];
  };
  readonly claim?: {
    readonly uid: string;
    readonly ours: boolean;
    readonly deleting: boolean;
    readonly phase: string;
    /** The owner that matters: what keeps the claim alive. */
    readonly owner: {
      readonly kind: 'DataVolume' | 'VirtualMachine' | 'none' | 'other';
      readonly uid?: string;
      readonly name?: string;
    };
    /** Warm: the stages that CDI has marked as copied; it wipes the marks when all is done (fact: cdi 2.1). */
    readonly copied?: readonly string[];
    /** "namespace/name is owned by ..." for a message. */
    readonly describedAs: string;
  };
  /** The newest importer pod. */
  readonly pod?: {
    readonly name: string;
    readonly uid: string;
    readonly phase: string;
    /** Of its container, with the one that is due. */
    readonly restarts: number;
    /** Of the last container that ended with an error, scrubbed. */
    readonly terminationMessage?: string;
    readonly waitingReason?: string;
    /** What it said at its end means that the source has refused its login. */
    readonly isLoginRefused?: boolean;
    readonly createdMs: number;
  };
}

export type TargetVmFact =
  | { readonly state: 'absent' }
  | { readonly state: 'foreign'; readonly uid: string; readonly by: string }
  | {
      readonly state: 'ours';
      readonly uid: string;
      readonly deleting: boolean;
      readonly runStrategy: string;
    };

export interface ConversionPodFact {
  readonly name: string;
  readonly uid: string;
  /** Since when somebody wants it gone; its grace included. Milliseconds since 1970. */
  readonly deletingMs?: number;
  /** Our finalizer is on it. */
  readonly isHeld: boolean;
  readonly phase: string;
  readonly createdMs: number;
  /** As far as its readiness tells; without a probe: as soon as it runs. */
  readonly isReady: boolean;
  /** A node has it. */
  readonly isScheduled: boolean;
  /** The program of the image has begun; milliseconds since 1970. */
  readonly startedMs?: number;
  /** Why it does not run: the scheduler's or the kubelet's words, scrubbed. */
  readonly pendingText?: string;
  /** Of a pod that failed: its last words, scrubbed. */
  readonly lastWords?: string;
  /** Of a pod that failed: the image itself says that the disks are as they were. */
  readonly saysUntouched: boolean;
}

/** As much as was there to be read. */
export interface ConversionResult {
  readonly firmware?: 'bios' | 'uefi';
  readonly osId?: string;
  readonly osFamily?: string;
  /** Position among the VM's disks, from 0. */
  readonly bootDisk?: number;
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
}

export interface OwnedObject {
  readonly name: string;
  readonly uid: string;
  readonly deleting: boolean;
}
export interface OwnedPod extends OwnedObject {
  /** Converts the guest: while it is there it may write. */
  readonly converts?: boolean;
  /** Our finalizer is on it. */
  readonly isHeld?: boolean;
}
export interface TargetObjects {
  readonly virtualMachines: readonly OwnedObject[];
  readonly dataVolumes: readonly OwnedObject[];
  readonly claims: readonly (OwnedObject & {
    readonly owner: 'DataVolume' | 'VirtualMachine' | 'none' | 'other';
  })[];
  readonly pods: readonly OwnedPod[];
  readonly secrets: readonly OwnedObject[];
  readonly configMaps: readonly OwnedObject[];
}
