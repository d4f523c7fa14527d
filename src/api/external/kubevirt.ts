import type { Affinity } from '../affinity.ts';
import type { KubeObject } from '../meta.ts';
import type { ResourceList, StandardCondition } from './core.ts';

/** What Gantry reads or writes of kubevirt.io/v1, as of KubeVirt 1.9 (kubevirt.md 1.1, 1.2). */

type Empty = Readonly<Record<string, never>>;
type Labels = Readonly<Record<string, string>>;

export type RunStrategy = 'Always' | 'Halted' | 'Manual' | 'RerunOnFailure' | 'Once';

export interface Cpu {
  readonly sockets?: number;
  readonly cores?: number;
  readonly threads?: number;
  readonly model?: string;
  readonly features?: readonly CpuFeature[];
  readonly dedicatedCpuPlacement?: boolean;
  readonly isolateEmulatorThread?: boolean;
}

export interface CpuFeature {
  readonly name: string;
  readonly policy?: 'force' | 'require' | 'optional' | 'disable' | 'forbid';
}

export interface Memory {
  /** A VM without it is accepted and fails only at its start (fact: kubevirt 1.2). */
  readonly guest?: string;
}

/** `bios` or `efi`. secureBoot is true unless told otherwise, and is refused without features.smm. */
export interface Bootloader {
  readonly bios?: { readonly useSerial?: boolean };
  readonly efi?: { readonly secureBoot?: boolean; readonly persistent?: boolean };
}

export interface Firmware {
  readonly bootloader?: Bootloader;
  readonly uuid?: string;
  readonly serial?: string;
}

export interface FeatureState {
  readonly enabled?: boolean;
}

export interface HypervFeatures {
  readonly relaxed?: FeatureState;
  readonly vapic?: FeatureState;
  readonly vpindex?: FeatureState;
  readonly runtime?: FeatureState;
  readonly synic?: FeatureState;
  readonly reset?: FeatureState;
  readonly frequencies?: FeatureState;
  readonly reenlightenment?: FeatureState;
  readonly tlbflush?: FeatureState;
  readonly ipi?: FeatureState;
  readonly spinlocks?: FeatureState & { readonly spinlocks?: number };
  readonly synictimer?: FeatureState & { readonly direct?: FeatureState };
}

export interface Features {
  readonly acpi?: FeatureState;
  readonly apic?: FeatureState;
  readonly smm?: FeatureState;
  readonly hyperv?: HypervFeatures;
}

/** What elsewhere is called enabled is `present` here. */
export interface Clock {
  readonly utc?: { readonly offsetSeconds?: number };
  readonly timezone?: string;
  readonly timer?: {
    readonly hpet?: { readonly present?: boolean };
    readonly hyperv?: { readonly present?: boolean };
    readonly pit?: { readonly present?: boolean; readonly tickPolicy?: string };
    readonly rtc?: { readonly present?: boolean; readonly tickPolicy?: string; readonly track?: string };
  };
}

export type DiskTargetBus = 'virtio' | 'sata' | 'scsi' | 'usb';

/** One of disk, lun and cdrom; a volume of the same name must exist. */
export interface Disk {
  readonly name: string;
  readonly disk?: { readonly bus?: DiskTargetBus; readonly readonly?: boolean };
  readonly lun?: { readonly bus?: DiskTargetBus; readonly reservation?: boolean };
  readonly cdrom?: { readonly bus?: DiskTargetBus };
  /** 1 or more, unique across disks and interfaces. */
  readonly bootOrder?: number;
  /** [A-Za-z0-9_.+-], at most 256. */
  readonly serial?: string;
  readonly cache?: 'none' | 'writethrough' | 'writeback';
  readonly errorPolicy?: 'stop' | 'ignore' | 'report' | 'enospace';
  readonly shareable?: boolean;
}

export type InterfaceModel = 'e1000' | 'e1000e' | 'igb' | 'ne2k_pci' | 'pcnet' | 'rtl8139' | 'virtio';

/** One of masquerade, bridge, sriov and binding; a network of the same name must exist. */
export interface Interface {
  readonly name: string;
  readonly model?: InterfaceModel;
  readonly macAddress?: string;
  readonly masquerade?: Empty;
  readonly bridge?: Empty;
  readonly sriov?: Empty;
  readonly binding?: { readonly name: string };
  readonly state?: 'up' | 'down' | 'absent';
  readonly bootOrder?: number;
  readonly pciAddress?: string;
}

export interface Devices {
  readonly disks?: readonly Disk[];
  readonly interfaces?: readonly Interface[];
  readonly inputs?: readonly { readonly name: string; readonly type: string; readonly bus?: string }[];
  /** Present means enabled unless it says otherwise. */
  readonly tpm?: { readonly enabled?: boolean; readonly persistent?: boolean };
  readonly rng?: Empty;
  /** A VM without interfaces gets a pod interface unless this is false. */
  readonly autoattachPodInterface?: boolean;
  readonly networkInterfaceMultiqueue?: boolean;
  readonly useVirtioTransitional?: boolean;
}

export interface Domain {
  readonly cpu?: Cpu;
  readonly memory?: Memory;
  readonly firmware?: Firmware;
  readonly features?: Features;
  readonly clock?: Clock;
  readonly machine?: { readonly type: string };
  readonly resources?: { readonly requests?: ResourceList; readonly limits?: ResourceList };
  readonly devices: Devices;
}

/** `pod` or `multus`; networkName is "namespace/name". */
export interface Network {
  readonly name: string;
  readonly pod?: Empty;
  readonly multus?: { readonly networkName: string; readonly default?: boolean };
}

export interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

export interface VirtualMachineInstanceSpec {
  readonly domain: Domain;
  readonly networks?: readonly Network[];
  readonly volumes?: readonly Volume[];
  readonly nodeSelector?: Labels;
  readonly affinity?: Affinity;
  /** Written by KubeVirt. */
  readonly architecture?: string;
  readonly evictionStrategy?: 'None' | 'LiveMigrate' | 'LiveMigrateIfPossible' | 'External';
  readonly hostname?: string;
  readonly terminationGracePeriodSeconds?: number;
}

export interface InstancetypeMatcher {
  readonly name?: string;
  readonly kind?: string;
}

export interface VirtualMachineSpec {
  readonly runStrategy?: RunStrategy;
  /** The older way; never written here, and refused beside runStrategy. */
  readonly running?: boolean;
  readonly instancetype?: InstancetypeMatcher;
  readonly preference?: InstancetypeMatcher;
  readonly template: {
    readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels };
    readonly spec: VirtualMachineInstanceSpec;
  };
}

export interface VirtualMachine extends KubeObject {
  readonly spec: VirtualMachineSpec;
  readonly status?: {
    readonly created?: boolean;
    readonly ready?: boolean;
    readonly printableStatus?: string;
    readonly conditions?: readonly StandardCondition[];
  };
}

export type VirtualMachineInstancePhase =
  '' | 'Pending' | 'Scheduling' | 'Scheduled' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

export interface VirtualMachineInstance extends KubeObject {
  readonly spec: VirtualMachineInstanceSpec;
  readonly status?: {
    readonly phase?: VirtualMachineInstancePhase;
    readonly reason?: string;
    readonly nodeName?: string;
    readonly conditions?: readonly StandardCondition[];
    readonly phaseTransitionTimestamps?: readonly {
      readonly phase?: VirtualMachineInstancePhase;
      readonly phaseTransitionTimestamp?: string;
    }[];
    readonly guestOSInfo?: { readonly id?: string; readonly prettyName?: string };
    readonly interfaces?: readonly {
      readonly name?: string;
      readonly mac?: string;
      readonly ipAddress?: string;
    }[];
  };
}
