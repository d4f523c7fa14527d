import type { ConditionCategory, ConditionDraft } from '../../api/conditions.ts';
import { oneOfEach } from '../one-of-each.ts';
import type { PlanInputs } from './inputs.ts';
import { judgeVms, type PlanMemo } from './judge-vm.ts';
import { hooks } from './rules/hooks.ts';
import { networkMap, offload, staticIpsOnPodNetwork, storageMap } from './rules/maps.ts';
import { guestConversion, migrationType, precopySchedule } from './rules/plan-type.ts';
import { destinationProvider, sourceProvider } from './rules/providers.ts';
import { critical, type PlanRule } from './rules/rule.ts';
import { sharedRules, sharedRulesWhileExecuting } from './rules/shared.ts';
import { targetNamespace, transferNetwork } from './rules/target.ts';
import { unsupportedFields } from './rules/unsupported-fields.ts';
import { vmConditions } from './vm-conditions.ts';

export type { PlanMemo } from './judge-vm.ts';

export interface PlanVerdict {
  /** What holds now, `Ready` last where it does; one condition of each type. */
  readonly conditions: readonly ConditionDraft[];
  readonly ready: boolean;
}

/** Asked first; the others only when the source is good, for until then they would only repeat it (fact: plan 5.1). */
const firstRules: readonly PlanRule[] = [sourceProvider];
const withoutSource: readonly PlanRule[] = [destinationProvider, targetNamespace];

const someVms: PlanRule = ({ plan }) =>
  plan.spec.vms.length > 0
    ? []
    : [critical('VMRefNotValid', 'NotSet', 'The Plan names no VMs. Add them to spec.vms.')];

const planRules: readonly PlanRule[] = [
  networkMap,
  storageMap,
  migrationType,
  guestConversion,
  precopySchedule,
  unsupportedFields,
  staticIpsOnPodNetwork,
  offload,
  transferNetwork,
  hooks,
  someVms,
];

/**
 * What is to be said of a Plan before it runs, and whether it may. Pure but for the memo, which makes a second look cheap and never
 * different: only VMs that have changed, or all when the Plan, a Provider or a map has, are judged anew.
 *
 * @param executing then nothing is Critical, because clients would say that the run cannot start (review.md F59), and what is measured
 * against free space is left out: the run itself is using it.
 */
export function evaluatePlan(
  inputs: PlanInputs,
  { executing, memo }: { readonly executing: boolean; readonly memo: PlanMemo },
): PlanVerdict {
  if (inputs.plan.spec.archived === true) return { conditions: [archived], ready: false };
  const found = oneOfEach(findAll(inputs, executing, memo));
  const conditions = executing ? found.map(lowered) : found;
  const ready = !conditions.some(({ category }) => isBlocking(category));
  return { conditions: ready ? [...conditions, isReady] : conditions, ready };
}

function findAll(inputs: PlanInputs, executing: boolean, memo: PlanMemo): readonly ConditionDraft[] {
  const first = ask(firstRules, inputs);
  const always = [...first, ...ask(withoutSource, inputs)];
  if (first.length > 0) return always;
  const judged = judgeVms(inputs, memo);
  const shared = executing ? sharedRulesWhileExecuting : sharedRules;
  return [
    ...always,
    ...ask(planRules, inputs),
    ...vmConditions(judged),
    ...shared.flatMap((rule) => rule(judged, inputs)),
  ];
}

function ask(rules: readonly PlanRule[], inputs: PlanInputs): readonly ConditionDraft[] {
  return rules.flatMap((rule) => rule(inputs));
}

function lowered(draft: ConditionDraft): ConditionDraft {
  return isBlocking(draft.category) ? { ...draft, category: 'Warn' } : draft;
}

function isBlocking(category: ConditionCategory): boolean {
  return category === 'Critical' || category === 'Error';
}

const isReady: ConditionDraft = {
  type: 'Ready',
  category: 'Required',
  message: 'The migration plan is ready.',
};
const archived: ConditionDraft = {
  type: 'Archived',
  category: 'Advisory',
  reason: 'UserRequested',
  message: 'The migration plan has been archived.',
};
