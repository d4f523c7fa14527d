import type { ConditionDraft } from '../../../api/conditions.ts';
import type { PlanVm } from '../../../api/plan-vm.ts';
import type { InventoryVm } from '../../../inventory/store.ts';
import type { FreezeResult } from '../../../migration/freeze/freeze.ts';
import type { Finding } from '../../../model/source-data.ts';
import type { ClaimModes } from '../../claim-modes.ts';
import type { ClaimDemand } from '../../quota-shortage.ts';
import type { PlanInputs } from '../inputs.ts';

/** What the Plan itself asks for, or names. One rule, one question; [] when all is well. */
export type PlanRule = (inputs: PlanInputs) => readonly ConditionDraft[];

/** One VM of the Plan, found. */
export interface VmSubject {
  readonly inputs: PlanInputs;
  readonly planVm: PlanVm;
  readonly vm: InventoryVm;
  /** undefined: a Provider or a map is missing, so nothing can be said of its disks and NICs. */
  readonly frozen: FreezeResult | undefined;
}
export type VmRule = (subject: VmSubject) => readonly Finding[];

/** What is known of one entry of plan.spec.vms after its own rules. */
export interface JudgedVm {
  /** `id:vm-101 name:'web-01'`, as Forklift lists VMs in conditions. */
  readonly label: string;
  readonly findings: readonly Finding[];
  /** The rest is there only for a VM that was found. */
  readonly id?: string;
  readonly target?: TargetName;
  readonly claims: readonly (ClaimDemand & ClaimModes)[];
  /** "namespace/name" of each network that it is to be attached to. */
  readonly networks: readonly string[];
  readonly macs: readonly string[];
}
export interface TargetName {
  readonly name: string;
  /** true: chosen by the user or borne at the source; when it is taken the VM fails. false: made up, and then another one is. */
  readonly isKept: boolean;
}

/** What VMs of one Plan mean for each other, or for what they share. */
export type SharedRule = (judged: readonly JudgedVm[], inputs: PlanInputs) => readonly ConditionDraft[];

export function critical(
  type: string,
  reason: string | undefined,
  message: string,
  items?: readonly string[],
): ConditionDraft {
  return draft('Critical', type, reason, message, items);
}

export function warn(
  type: string,
  reason: string | undefined,
  message: string,
  items?: readonly string[],
): ConditionDraft {
  return draft('Warn', type, reason, message, items);
}

function draft(
  category: 'Critical' | 'Warn',
  type: string,
  reason: string | undefined,
  message: string,
  items: readonly string[] | undefined,
): ConditionDraft {
  return {
    type,
    category,
    ...(reason !== undefined && { reason }),
    message,
    ...(items !== undefined && items.length > 0 && { items }),
  };
}

/** As Forklift shows a reference to a VM (fact: plan 5). */
export function vmLabel({ id, name }: { readonly id?: string; readonly name?: string }): string {
  const parts = [...(isGiven(id) ? [`id:${id}`] : []), ...(isGiven(name) ? [`name:'${name}'`] : [])];
  return parts.length === 0 ? '(neither id nor name)' : parts.join(' ');
}

export function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
