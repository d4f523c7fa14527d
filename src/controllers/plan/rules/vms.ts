import type { Finding } from '../../../model/source-data.ts';
import { planView, transferPath, vddkImageOf } from '../freeze-input.ts';
import type { VmRule } from './rule.ts';

/** What the platform itself has to say of the VM. */
export const platformRules: VmRule = ({ inputs, vm }) => {
  const { plan, platform, networkMap, storageMap } = inputs;
  const view = planView(plan, networkMap?.spec.map ?? [], storageMap?.spec.map ?? []);
  return platform?.checkVm(vm.model, vm.raw, view) ?? [];
};

/** Whatever keeps the VM from being frozen: its run would ask the same function. */
export const freezable: VmRule = ({ frozen }) => frozen?.findings ?? [];

/** Disks that nobody can read. Where an image with VMware's library would help, it says so. */
export const readable: VmRule = ({ inputs, vm }) => {
  const { source, transfer } = inputs;
  if (source === undefined || transfer === undefined) return [];
  const path = transferPath(inputs, vm.model);
  if (path !== undefined && path !== 'blank') return [];
  const { namespace = '', name } = source.metadata;
  if (vddkImageOf(source) === undefined && transferPath(inputs, vm.model, 'any') === 'vddk') {
    const message = `Disks are read through VMware's VDDK, and Provider ${namespace}/${name} names no image with it. Set its spec.settings.vddkInitImage.`;
    return [{ code: 'VDDKInvalid', severity: 'Critical', reason: 'NotSet', message }];
  }
  const message = 'There is no way to read the disks of this VM. Take it out of the Plan.';
  return [{ code: 'VMStorageNotSupported', severity: 'Critical', reason: 'NotValid', message }];
};

export const vmRules: readonly VmRule[] = [platformRules, freezable, readable];

export function vmRefNotSet(): Finding {
  const message = 'VMs are named by neither id nor name. Give one of them.';
  return { code: 'VMRefNotValid', severity: 'Critical', reason: 'NotSet', message };
}

export function vmNotFound(): Finding {
  const message =
    'The inventory of the source has no such VM. Correct its id or name, or take it out of the Plan.';
  return { code: 'VMNotFound', severity: 'Critical', reason: 'NotFound', message };
}

/** @param ids of the VMs that bear the name. */
export function vmAmbiguous(ids: readonly string[]): Finding {
  const message = 'Several VMs of the source bear this name. Name the one that is meant by its id.';
  return { code: 'VMRefNotValid', severity: 'Critical', reason: 'Ambiguous', message, items: ids };
}
