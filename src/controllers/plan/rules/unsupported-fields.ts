import type { PlanSpec } from '../../../api/plan.ts';
import type { PlanVm } from '../../../api/plan-vm.ts';
import { critical, warn, isGiven, type PlanRule } from './rule.ts';

/** A field that is read by nobody yet, and what it means that it is not. */
interface Unread {
  readonly field: string;
  /** true: to go on without it would do to a VM what the user has not asked for. */
  readonly harms: boolean;
  readonly isAsked: (spec: PlanSpec) => boolean;
}

const anyVm = (spec: PlanSpec, asks: (vm: PlanVm) => boolean): boolean => spec.vms.some(asks);

/** Only what users set on purpose: a default asks for nothing. Fields of the guest conversion do nothing where it is skipped. */
const unread: readonly Unread[] = [
  {
    field: 'rdmAsLun',
    harms: true,
    isAsked: (spec) => spec.rdmAsLun === true || anyVm(spec, (vm) => vm.rdmAsLun === true),
  },
  {
    field: 'scsiReservation',
    harms: true,
    isAsked: (spec) => spec.scsiReservation === true || anyVm(spec, (vm) => vm.scsiReservation === true),
  },
  { field: 'vms[].luks', harms: false, isAsked: (spec) => anyVm(spec, (vm) => isGiven(vm.luks?.name)) },
  {
    field: 'vms[].nbdeClevis',
    harms: false,
    isAsked: (spec) => anyVm(spec, (vm) => vm.nbdeClevis === true),
  },
  {
    field: 'customizationScripts',
    harms: false,
    isAsked: (spec) => isGiven(spec.customizationScripts?.name),
  },
  { field: 'serviceAccount', harms: false, isAsked: (spec) => isGiven(spec.serviceAccount) },
  {
    field: 'convertorNodeSelector',
    harms: false,
    isAsked: (spec) => Object.keys(spec.convertorNodeSelector ?? {}).length > 0,
  },
  {
    field: 'tagMapping',
    harms: false,
    isAsked: ({ tagMapping }) => tagMapping !== undefined && tagMapping.disabled !== true,
  },
  { field: 'xfsCompatibility', harms: false, isAsked: (spec) => spec.xfsCompatibility === true },
  { field: 'installLegacyDrivers', harms: false, isAsked: (spec) => spec.installLegacyDrivers === true },
  { field: 'virtV2vImage', harms: false, isAsked: (spec) => isGiven(spec.virtV2vImage) },
  {
    field: 'conversionTempStorageClass',
    harms: false,
    isAsked: (spec) => isGiven(spec.conversionTempStorageClass),
  },
];

/** One condition that names every field that asks in vain. */
export const unsupportedFields: PlanRule = ({ plan }) => {
  const asked = unread.filter((entry) => entry.isAsked(plan.spec));
  if (asked.length === 0) return [];
  const type = 'PlanFieldsNotSupported';
  const harmful = asked.filter((entry) => entry.harms).map((entry) => entry.field);
  const fields = asked.map((entry) => `spec.${entry.field}`);
  if (harmful.length === 0) {
    const message =
      'The Plan sets fields that have no effect yet. Remove them if the VMs do not depend on them.';
    return [warn(type, 'NotSupported', message, fields)];
  }
  const message = `The Plan sets fields that are not offered yet and cannot be ignored: ${harmful.join(', ')}. Remove them to go on without.`;
  return [critical(type, 'NotSupported', message, fields)];
};
