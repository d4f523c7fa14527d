import type { PlanMigration } from '../../api/plan.ts';
import type { Step, Task, VmStatus } from '../../api/vm-status.ts';
import { hasSucceeded } from './vm.ts';

/**
 * What Plan.status.migration may take. etcd refuses an object of 1.5 MiB, and spec, conditions and history want a place too. A status is
 * made smaller until it fits; it is never a write that is refused (review.md F48).
 */
export const statusBudgetBytes = 1.15 * 2 ** 20;

export interface Shed {
  readonly migration: PlanMigration;
  /** Levels of detail that were left out, 0 for none; the Plan says so while it is more. */
  readonly level: number;
}

/** Each one leaves out more than the one before; what clients cannot do without is in none of them. */
const levels: readonly ((entry: VmStatus) => VmStatus)[] = [
  (entry) => mapTasks(entry, withoutAnnotations),
  (entry) => mapSteps(entry, withoutFinishedTasks),
  (entry) => mapSteps(entry, withoutDescription),
  withoutPrecopies,
  (entry) => (hasSucceeded(entry) ? mapSteps(entry, bare) : entry),
  // Beyond what any plan of 1,000 VMs needs: progress stays as the sum in its step.
  (entry) => mapSteps(entry, withoutTasks),
  (entry) => mapSteps(entry, bare),
];

/**
 * Leaves out detail until the status fits, for all VMs alike so that no VM looks odd beside another. Entries that were projected before
 * are shed again from what is left of them, so a status never grows back and forth.
 *
 * @param budgetBytes of compact JSON in UTF-8.
 */
export function shed(migration: PlanMigration, budgetBytes = statusBudgetBytes): Shed {
  let current = migration;
  for (const [index, level] of levels.entries()) {
    if (sizeOf(current) <= budgetBytes) return { migration: current, level: index };
    current = { ...current, vms: (current.vms ?? []).map(level) };
  }
  return { migration: current, level: levels.length };
}

export function sizeOf(migration: PlanMigration): number {
  return Buffer.byteLength(JSON.stringify(migration), 'utf8');
}

function mapSteps(entry: VmStatus, change: (step: Step) => Step): VmStatus {
  return { ...entry, pipeline: entry.pipeline.map(change) };
}

function mapTasks(entry: VmStatus, change: (task: Task) => Task): VmStatus {
  return mapSteps(entry, (step) =>
    step.tasks === undefined ? step : { ...step, tasks: step.tasks.map(change) },
  );
}

/** The step keeps its own: that is where clients read the unit. */
function withoutAnnotations(task: Task): Task {
  const { annotations: _annotations, ...rest } = task;
  return rest;
}

function withoutTasks(step: Step): Step {
  const { tasks: _tasks, ...rest } = step;
  return rest;
}

function withoutFinishedTasks(step: Step): Step {
  return step.completed === undefined ? step : withoutTasks(step);
}

function withoutDescription(step: Step): Step {
  const { description: _description, ...rest } = step;
  return rest;
}

function withoutPrecopies(entry: VmStatus): VmStatus {
  if (entry.warm?.precopies === undefined) return entry;
  const { precopies: _precopies, ...warm } = entry.warm;
  return { ...entry, warm };
}

function bare({ name, phase, progress, started, completed, error }: Step): Step {
  return {
    name,
    progress,
    ...(phase !== undefined && { phase }),
    ...(started !== undefined && { started }),
    ...(completed !== undefined && { completed }),
    ...(error !== undefined && { error }),
  };
}
