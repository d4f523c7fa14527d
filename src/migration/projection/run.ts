import { mergeConditions, type Condition, type ConditionDraft } from '../../api/conditions.ts';
import { outcomes, type Outcome } from '../../api/phases.ts';
import type { HistoryEntry, PlanMigration } from '../../api/plan.ts';
import type { PlanVm } from '../../api/plan-vm.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { VmStatus } from '../../api/vm-status.ts';
import { freshVm, hasCondition, hasSucceeded, isSealed, projectVm } from './vm.ts';
import { shed, statusBudgetBytes, type Shed } from './shedding.ts';

/**
 * Plan.status.migration as a run begins: VMs that have succeeded stay as they are, all others begin anew, and what is no longer in the
 * plan is dropped (design: import.md 3.4).
 *
 * @param planVms entries of the plan, with the ids that they were resolved to.
 * @param history with the entry of this run, which says Executing, as its last.
 * @param way which way its VMs will go.
 */
export function beginRun(
  planVms: readonly PlanVm[],
  previous: PlanMigration | undefined,
  history: readonly HistoryEntry[],
  way: Parameters<typeof freshVm>[1] = { isWarm: false, converts: false },
): PlanMigration {
  const vms = planVms.map((planVm) => {
    const before = previous?.vms?.find((vm) => isSameVm(vm, planVm));
    return before !== undefined && hasSucceeded(before) ? before : freshVm(planVm, way);
  });
  return { history, vms };
}

/**
 * Plan.status.migration with what the imports of the active run say now. A sealed entry is copied as it stands; an entry without an
 * import is left as it is. When all are sealed the run has ended: its outcome goes into the history, and `completed` is set.
 *
 * @param imports of this run, by VM id.
 * @param planVms the plan's entries, for what is copied into each status; one that was taken out meanwhile is projected from its status.
 */
export function projectPlan(
  migration: PlanMigration,
  planVms: readonly PlanVm[],
  imports: ReadonlyMap<string, VirtualMachineImport>,
  now: string,
  budgetBytes = statusBudgetBytes,
): Shed {
  const vms = (migration.vms ?? []).map((entry) => projectEntry(entry, planVms, imports));
  return shed(settled({ ...migration, vms }, now), budgetBytes);
}

function projectEntry(
  entry: VmStatus,
  planVms: readonly PlanVm[],
  imports: ReadonlyMap<string, VirtualMachineImport>,
): VmStatus {
  if (isSealed(entry)) return entry;
  const object = imports.get(entry.id ?? '');
  if (object === undefined) return entry;
  const planVm = planVms.find((candidate) => isSameVm(entry, candidate));
  return projectVm(object, planVm ?? { ...(entry.id !== undefined && { id: entry.id }) });
}

function isSameVm(entry: VmStatus, planVm: PlanVm): boolean {
  if (planVm.id !== undefined && entry.id !== undefined) return planVm.id === entry.id;
  return planVm.name !== undefined && planVm.name === entry.name;
}

/** Start and end of the run, from those of its VMs. */
function settled(migration: PlanMigration, now: string): PlanMigration {
  const vms = migration.vms ?? [];
  const starts = vms.flatMap(({ started }) => started ?? []).sort();
  const started = migration.started ?? starts[0];
  const base = { ...migration, ...(started !== undefined && { started }) };
  if (!vms.every(isSealed) || migration.completed !== undefined) return base;
  return { ...base, completed: now, history: ended(migration.history ?? [], outcomeOf(vms), now) };
}

function ended(history: readonly HistoryEntry[], outcome: Outcome, now: string): readonly HistoryEntry[] {
  return history.map((entry, index) =>
    index === history.length - 1
      ? { ...entry, conditions: mergeConditions([], [draftOf(outcome)], now) }
      : entry,
  );
}

/** Any failure makes the run a failure; else any success makes it one; else it was cancelled (forklift-plan.md 1.7). */
export function outcomeOf(vms: readonly VmStatus[]): Outcome {
  if (vms.some((vm) => hasCondition(vm, 'Failed'))) return 'Failed';
  return vms.some((vm) => hasCondition(vm, 'Succeeded')) ? 'Succeeded' : 'Canceled';
}

const messages: Readonly<Record<Outcome | 'Executing', string>> = {
  Executing: 'The plan is EXECUTING.',
  Succeeded: 'The plan has SUCCEEDED.',
  Failed: 'The plan has FAILED: see its VMs.',
  Canceled: 'The plan was CANCELED.',
};

function draftOf(type: Outcome | 'Executing'): ConditionDraft {
  return { type, category: 'Advisory', durable: true, message: messages[type] };
}

/** What the active or last run says of the Plan: exactly one of Executing, Succeeded, Failed, Canceled; none before the first run. */
export function planConditions(migration: PlanMigration | undefined): readonly Condition[] {
  const runTypes: readonly string[] = ['Executing', ...outcomes];
  const last = migration?.history?.at(-1)?.conditions ?? [];
  return last.filter((condition) => condition.status === 'True' && runTypes.includes(condition.type));
}

/** What the same run says of its Migration: Running while the Plan executes, then the outcome. */
export function migrationConditions(migration: PlanMigration | undefined): readonly ConditionDraft[] {
  return planConditions(migration).map(({ type, message }) => ({
    type: type === 'Executing' ? 'Running' : type,
    category: 'Advisory' as const,
    ...(type !== 'Executing' && { durable: true }),
    message: type === 'Executing' ? 'The migration is running.' : (message ?? ''),
  }));
}
