import type { ConditionDraft } from '../../api/conditions.ts';
import type { Plan } from '../../api/plan.ts';

/** What is said of a Migration that has not begun: why, and what has to happen. Pure. */

export function planMissing(planKey: string): readonly ConditionDraft[] {
  const message = `Plan ${planKey} was not found. It may be applied later; the Migration begins then.`;
  return [{ type: 'PlanNotValid', category: 'Critical', reason: 'NotFound', message }];
}

export function pending(plan: Plan, isReady: boolean): readonly ConditionDraft[] {
  const isArchived = plan.spec.archived === true;
  if (isReady && !isArchived) return [];
  const message = isArchived
    ? 'The Plan is archived.'
    : 'The Plan is not Ready; its conditions say why. The Migration begins as soon as it is.';
  return [{ type: 'PlanNotReady', category: 'Critical', reason: 'NotReady', message }];
}

export function anotherRuns(planKey: string): readonly ConditionDraft[] {
  const message = `Plan ${planKey} is executing another Migration; this one begins when it has ended.`;
  return [{ type: 'Waiting', category: 'Advisory', reason: 'PlanExecuting', message }];
}
