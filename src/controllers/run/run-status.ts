import { findCondition, mergeConditions, type Condition, type ConditionDraft } from '../../api/conditions.ts';
import type { Stored } from '../../api/meta.ts';
import type { Migration, MigrationStatus } from '../../api/migration.ts';
import type { HistoryEntry, Plan, PlanStatus } from '../../api/plan.ts';
import type { Provider } from '../../api/provider.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { VmStatus } from '../../api/vm-status.ts';
import { isWarm } from '../plan/freeze-input.ts';
import { endedVm } from '../../migration/projection/vm.ts';
import {
  beginRun,
  migrationConditions,
  planConditions,
  projectPlan,
} from '../../migration/projection/run.ts';

/** Why a VM of a run never got an import. */
export interface NeverBegun {
  readonly outcome: 'Failed' | 'Canceled';
  readonly reason?: string;
  readonly message: string;
}

/**
 * Conditions of a Plan: what its run says (Executing, or how the last one ended), then what its validation says now. Pure.
 *
 * @param now RFC 3339.
 */
export function conditionsOfPlan(
  status: PlanStatus | undefined,
  drafts: readonly ConditionDraft[],
  now: string,
): readonly Condition[] {
  const previous = (status?.conditions ?? []).filter((condition) => condition.durable !== true);
  return [...planConditions(status?.migration), ...mergeConditions(previous, drafts, now)];
}

/** The status of a Plan whose run begins: the entry that says so, and a fresh line for every VM that has not succeeded before. */
export function startedRun(
  plan: Plan,
  history: readonly HistoryEntry[],
  drafts: readonly ConditionDraft[],
  resolve: (ref: { readonly id?: string; readonly name?: string }) => string | undefined,
  now: string,
  converts = false,
): PlanStatus {
  const planVms = plan.spec.vms.map((planVm) => {
    const id = resolve({
      ...(planVm.id !== undefined && { id: planVm.id }),
      ...(planVm.name !== undefined && { name: planVm.name }),
    });
    return id === undefined ? planVm : { ...planVm, id };
  });
  const migration = {
    ...beginRun(planVms, plan.status?.migration, history, { isWarm: isWarm(plan.spec), converts }),
    started: now,
  };
  return {
    ...plan.status,
    conditions: conditionsOfPlan({ ...plan.status, migration }, drafts, now),
    migration,
  };
}

/**
 * The status of a Plan whose run is under way, with what its imports say now. The verdict of its validation stays as it was when the run
 * began (review.md F59).
 */
export function projectRun(
  plan: Plan,
  imports: ReadonlyMap<string, VirtualMachineImport>,
  neverBegun: ReadonlyMap<string, NeverBegun>,
  source: Stored<Provider> | undefined,
  now: string,
): PlanStatus {
  const before = plan.status?.migration ?? {};
  const vms = (before.vms ?? []).map((entry) => withoutImport(entry, neverBegun, now));
  const { migration, level } = projectPlan({ ...before, vms }, plan.spec.vms, imports, now);
  const ofRun = [truncated.type, credentialsRejected];
  const validation = (plan.status?.conditions ?? []).filter(
    (condition) => condition.durable !== true && !ofRun.includes(condition.type),
  );
  const drafts = [...(level > 0 ? [truncated] : []), ...rejection(source)];
  const told = mergeConditions(plan.status?.conditions ?? [], drafts, now);
  return {
    ...plan.status,
    conditions: [
      ...planConditions(migration),
      ...validation,
      ...told.filter(({ type }) => ofRun.includes(type)),
    ],
    migration,
  };
}

const credentialsRejected = 'SourceCredentialsRejected';

/** Told once for all VMs of the run, which wait (DESIGN.md 4.6). */
function rejection(source: Stored<Provider> | undefined): readonly ConditionDraft[] {
  const refused = findCondition(source?.status?.conditions, 'ConnectionAuthFailed');
  if (source === undefined || refused === undefined) return [];
  const { namespace = '', name } = source.metadata;
  const message = `VMs wait because the login of Provider ${namespace}/${name} is refused. Correct its Secret; the run goes on by itself.`;
  return [
    {
      type: credentialsRejected,
      category: 'Warn',
      ...(refused.reason !== undefined && { reason: refused.reason }),
      message,
    },
  ];
}

const truncated: ConditionDraft = {
  type: 'PlanStatusTruncated',
  category: 'Warn',
  message: 'The Plan is too large to show every detail of its VMs; see their VirtualMachineImports.',
};

function withoutImport(entry: VmStatus, neverBegun: ReadonlyMap<string, NeverBegun>, now: string): VmStatus {
  const why = entry.completed === undefined ? neverBegun.get(entry.id ?? '') : undefined;
  return why === undefined ? entry : endedVm(entry, why.outcome, why, now);
}

/** The same run as its Migration shows it. */
export function migrationStatus(
  migration: Stored<Migration>,
  plan: Plan,
  findings: readonly ConditionDraft[],
  now: string,
): MigrationStatus {
  const run = plan.status?.migration;
  const ready: ConditionDraft = { type: 'Ready', category: 'Required', message: 'The migration is ready.' };
  const drafts = [ready, ...migrationConditions(run), ...findings];
  const previous = (migration.status?.conditions ?? []).filter((condition) => condition.durable !== true);
  return {
    ...migration.status,
    conditions: mergeConditions(previous, drafts, now),
    ...(run?.started !== undefined && { started: run.started }),
    ...(run?.completed !== undefined && { completed: run.completed }),
    ...(run?.vms !== undefined && { vms: run.vms }),
  };
}
