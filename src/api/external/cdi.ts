import type { KubeObject } from '../meta.ts';
import type { AccessMode, ResourceList, StandardCondition, VolumeMode } from './core.ts';

/** What Gantry reads or writes of cdi.kubevirt.io/v1beta1, as of CDI 1.66 (cdi.md 1). */

/** Secrets hold the keys accessKeyId and secretKey; every file of a certConfigMap is trusted. */
export interface VddkSource {
  readonly url?: string;
  readonly uuid?: string;
  readonly backingFile?: string;
  readonly thumbprint?: string;
  readonly secretRef?: string;
  /** Since 1.66. */
  readonly certConfigMap?: string;
  readonly initImageURL?: string;
  /** Name of a ConfigMap; since 1.63. */
  readonly extraArgs?: string;
}

export interface ImageioSource {
  readonly url: string;
  readonly diskId: string;
  readonly secretRef?: string;
  readonly certConfigMap?: string;
  /** Since 1.64. */
  readonly insecureSkipVerify?: boolean;
}

export interface HttpSource {
  readonly url: string;
  readonly secretRef?: string;
  readonly certConfigMap?: string;
  readonly extraHeaders?: readonly string[];
  /** Names of Secrets. */
  readonly secretExtraHeaders?: readonly string[];
  /** "sha256:<hex>"; since 1.65. */
  readonly checksum?: string;
  /** Since 1.66. */
  readonly insecureSkipVerify?: boolean;
}

/** Exactly one member. */
export interface DataVolumeSource {
  readonly vddk?: VddkSource;
  readonly imageio?: ImageioSource;
  readonly http?: HttpSource;
  readonly blank?: Readonly<Record<string, never>>;
}

/** Both keys are required; `previous` is "" for the first, full copy. */
export interface DataVolumeCheckpoint {
  readonly previous: string;
  readonly current: string;
}

export interface DataVolumeStorage {
  readonly accessModes?: readonly AccessMode[];
  readonly volumeMode?: VolumeMode;
  readonly storageClassName?: string;
  readonly volumeName?: string;
  readonly resources?: { readonly requests?: ResourceList };
}

export interface DataVolumeSpec {
  readonly source?: DataVolumeSource;
  /** Unlike `pvc`, CDI adds the file system's overhead to it, so the guest disk keeps its size (fact: cdi 1.2). */
  readonly storage?: DataVolumeStorage;
  readonly contentType?: 'kubevirt' | 'archive';
  readonly checkpoints?: readonly DataVolumeCheckpoint[];
  readonly finalCheckpoint?: boolean;
  readonly preallocation?: boolean;
  readonly priorityClassName?: string;
  /** Of the importer pod; since 1.65. */
  readonly serviceAccountName?: string;
}

export type DataVolumePhase =
  | ''
  | 'Pending'
  | 'PVCBound'
  | 'ImportScheduled'
  | 'ImportInProgress'
  | 'WaitForFirstConsumer'
  | 'PendingPopulation'
  | 'Paused'
  | 'Succeeded'
  | 'Failed'
  | 'Unknown';

export interface DataVolumeStatus {
  readonly claimName?: string;
  readonly phase?: DataVolumePhase;
  /** "N/A", "56.25%" or "100.0%"; of the stage that is being copied. */
  readonly progress?: string;
  /** The highest count of any importer pod so far, never a sum. */
  readonly restartCount?: number;
  readonly conditions?: readonly (StandardCondition & { readonly lastHeartbeatTime?: string })[];
}

export interface DataVolume extends KubeObject {
  readonly spec: DataVolumeSpec;
  readonly status?: DataVolumeStatus;
}

/** Cluster-scoped, named like the storage class: which access and volume mode it gives when none is asked for. */
export interface StorageProfile extends KubeObject {
  readonly spec?: { readonly claimPropertySets?: readonly ClaimPropertySet[] };
  readonly status?: {
    readonly storageClass?: string;
    readonly provisioner?: string;
    readonly claimPropertySets?: readonly ClaimPropertySet[];
  };
}

export interface ClaimPropertySet {
  readonly accessModes?: readonly AccessMode[];
  readonly volumeMode?: VolumeMode;
}

/** Cluster-scoped; read for its version alone. */
export interface Cdi extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly observedVersion?: string;
    readonly operatorVersion?: string;
    readonly targetVersion?: string;
    readonly conditions?: readonly StandardCondition[];
  };
}
