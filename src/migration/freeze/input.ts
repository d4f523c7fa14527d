import type { NetworkPair } from '../../api/network-map.ts';
import type { Plan } from '../../api/plan.ts';
import type { PlanVm } from '../../api/plan-vm.ts';
import type { StoragePair } from '../../api/storage-map.ts';
import type { ImportControl, VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import type { ProviderType, TransferPath } from '../../model/source-data.ts';
import type { VmModel } from '../../model/vm.ts';
import type { ConversionConfig } from './conversion.ts';

interface ProviderRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** All that a run of one VM depends on, as it is now. */
export interface FreezeInput {
  readonly plan: Pick<Plan, 'metadata' | 'spec'>;
  readonly planVm: PlanVm;
  /** Before there is one (rules of a plan), any name and uid will do: they go into names and nothing else. */
  readonly migration: { readonly name: string; readonly uid: string };
  readonly model: VmModel;
  readonly source: {
    readonly provider: ProviderRef;
    readonly type: ProviderType;
    /** "provider" unless a host is read directly. */
    readonly endpoint?: string;
    readonly vddkImage?: string;
    /** Does the platform's traffic need guests to be converted? (SourcePlatform.traits.conversion) */
    readonly converts: boolean;
    /** The first of Transfer.paths; left out, vddk where there is an image and else blank. */
    readonly path?: TransferPath;
  };
  readonly target: { readonly provider: ProviderRef };
  readonly networkMap: readonly NetworkPair[];
  readonly storageMap: readonly StoragePair[];
  readonly hooks?: VirtualMachineImportSpec['hooks'];
  /** The transfer network, resolved to the annotation that CDI hands on to its pods. */
  readonly transferNetwork?: { readonly annotation: string; readonly value: string };
  /** Position in plan.spec.vms. */
  readonly order: number;
  readonly remade?: number;
  readonly control?: ImportControl;
  /** Left out: this process knows no image. */
  readonly conversion?: ConversionConfig;
  /** Left out: setting powerOffDeadlineSeconds, as it is when the source is powered off. */
  readonly powerOffSeconds?: number;
}
