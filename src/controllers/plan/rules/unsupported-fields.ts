import type { PlanSpec } from '../../../api/plan.ts';
import type { PlanVm } from '../../../api/plan-vm.ts';
import { convertsGuests } from '../freeze-input.ts';
import { critical, warn, isGiven, type PlanRule } from './rule.ts';

/** A field that is read by nobody yet, and what it means that it is not. */
interface Unread {
  readonly field: string;
  /** true: to go on without it would do to a VM what the user has not asked for. */
  readonly harms: boolean | 'converted guests';
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
  // Without its keys the guest of such a VM is not found, when its source is off already.
  {
    field: 'vms[].luks',
    harms: 'converted guests',
    isAsked: (spec) => anyVm(spec, (vm) => isGiven(vm.luks?.name)),
  },
  {
    field: 'customizationScripts',
    harms: 'converted guests',
    isAsked: (spec) => isGiven(spec.customizationScripts?.name),
  },
  { field: 'serviceAccount', harms: false, isAsked: (spec) => isGiven(spec.serviceAccount) },
  {
    field: 'tagMapping',
    harms: false,
    isAsked: ({ tagMapping }) => tagMapping !== undefined && tagMapping.disabled !== true,
  },
];

/** One condition that names every field that asks in vain. */
export const unsupportedFields: PlanRule = ({ plan, platform }) => {
  const converts = convertsGuests(plan.spec, platform);
  const asked = unread.filter((entry) => entry.isAsked(plan.spec));
  if (asked.length === 0) return [];
  const type = 'PlanFieldsNotSupported';
  const harmful = asked
    .filter(({ harms }) => harms === true || (harms === 'converted guests' && converts))
    .map((entry) => entry.field);
  const fields = asked.map((entry) => `spec.${entry.field}`);
  if (harmful.length === 0) {
    const message =
      'The Plan sets fields that have no effect yet. Remove them if the VMs do not depend on them.';
    return [warn(type, 'NotSupported', message, fields)];
  }
  const message = `The Plan sets fields that are not offered yet and cannot be ignored: ${harmful.join(', ')}. Remove them to go on without.`;
  return [critical(type, 'NotSupported', message, fields)];
};
