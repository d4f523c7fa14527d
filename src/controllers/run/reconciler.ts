import { isTrue } from '../../api/conditions.ts';
import type { Stored } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { HistoryEntry, Plan } from '../../api/plan.ts';
import type { VmStatus } from '../../api/vm-status.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { Logger } from '../../runtime/log.ts';
import type { ImportCache } from '../import/import-cache.ts';
import { convertsGuests } from '../plan/freeze-input.ts';
import { isStale } from '../import/stale.ts';
import { planInputs, type PlanWorld } from '../plan/inputs.ts';
import { evaluatePlan, type PlanMemo } from '../plan/evaluate.ts';
import { cancelFindings, wantedControl } from './control.ts';
import { appended, historyEntry, isOurRun, type RunParts } from './history.ts';
import { hasEnded, relayControl, releaseProjected } from './imports.ts';
import { activeEntry, isTerminal, nextMigration } from './migrations.ts';
import { ownedByPlan } from './migration-owner.ts';
import { conditionsOfPlan, migrationStatus, projectRun, startedRun, type NeverBegun } from './run-status.ts';
import { StatusWriter } from './status-writer.ts';
import { MissingImports } from './missing-imports.ts';
import { anotherRuns, pending, planMissing } from './waiting.ts';

export interface RunReconcilerDeps {
  readonly client: KubeClient;
  readonly plans: ObjectCache<Plan>;
  readonly migrations: ObjectCache<Migration, 'plan'>;
  readonly imports: ImportCache;
  readonly world: PlanWorld;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Owns everything between a Plan and its imports, keyed by the Plan's "namespace/name": the status of Plan and Migrations, which
 * Migration runs, that each VM of it has its import, and what imports are told (review.md F10). What is active is decided by what it has
 * written to the history and by nothing else, so a restart at any line goes on where it was.
 */
export class RunReconciler {
  readonly #deps: RunReconcilerDeps;
  readonly #status: StatusWriter;
  readonly #missing: MissingImports;
  readonly #memos = new Map<string, PlanMemo>();

  constructor(deps: RunReconcilerDeps) {
    this.#deps = deps;
    this.#status = new StatusWriter(deps);
    this.#missing = new MissingImports(deps);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const plan = this.#deps.plans.getByKey(key);
    const migrations = this.#deps.migrations.byIndex('plan', key);
    try {
      if (plan === undefined) await this.#withoutPlan(key, migrations, signal);
      else await this.#withPlan(key, plan, migrations, signal);
      return {};
    } catch (error) {
      // Somebody else wrote, or the order of a list changed: look again.
      if (isKubeError(error, 'Conflict', 'Invalid')) {
        this.#deps.log.debug('status write refused, looking again', { plan: key, error: error.message });
        return { requeueAfterMs: retryMs };
      }
      throw error;
    }
  }

  // ---- a Plan that is there -----------------------------------------------------------------------------------------------------

  async #withPlan(
    key: string,
    plan: Stored<Plan>,
    migrations: readonly Stored<Migration>[],
    signal: AbortSignal,
  ): Promise<void> {
    const active = activeEntry(plan);
    if (active !== undefined && !isOurRun(active)) {
      await this.#closeForeign(key, plan, active, signal);
      return;
    }
    await this.#releaseEarlier(key, active?.migration.uid, signal);
    if (active === undefined) {
      const started = await this.#atRest(key, plan, migrations, signal);
      if (started === undefined) return;
      await this.#execute(key, started, signal);
      return;
    }
    await this.#execute(key, plan, signal);
    for (const migration of migrations) {
      if (migration.metadata.uid === active.migration.uid || isTerminal(migration)) continue;
      await this.#status.conditions(migration, anotherRuns(key), signal);
    }
  }

  /** Judges the Plan and starts its next run, if it has one and may. Gives the Plan as stored with the run begun. */
  async #atRest(
    key: string,
    plan: Stored<Plan>,
    migrations: readonly Stored<Migration>[],
    signal: AbortSignal,
  ): Promise<Stored<Plan> | undefined> {
    const inputs = planInputs(plan, this.#deps.world);
    const verdict = evaluatePlan(inputs, { executing: false, memo: this.#memo(key) });
    const now = rfc3339(this.#deps.clock.now());
    const next = nextMigration(migrations, plan);
    const mayRun =
      verdict.ready && plan.spec.archived !== true && plan.metadata.deletionTimestamp === undefined;
    if (next === undefined || !mayRun) {
      const conditions = conditionsOfPlan(plan.status, verdict.conditions, now);
      await this.#status.plan(plan, { ...plan.status, conditions }, signal);
      const why = pending(plan, verdict.ready);
      for (const migration of migrations) {
        if (!isTerminal(migration)) await this.#status.conditions(migration, why, signal);
      }
      return undefined;
    }
    const parts = partsOf(plan, next, inputs);
    if (parts === undefined) return undefined;
    const entry = historyEntry(parts, now);
    const resolve = (ref: { readonly id?: string; readonly name?: string }): string | undefined => {
      const found = inputs.inventory?.find(ref);
      return found?.kind === 'one' ? found.item.id : undefined;
    };
    const history = appended(plan.status?.migration?.history ?? [], entry);
    const converts = convertsGuests(plan.spec, inputs.platform);
    const status = startedRun(plan, history, verdict.conditions, resolve, now, converts);
    await ownedByPlan(next, plan, this.#deps, signal);
    const stored = await this.#status.plan(plan, status, signal);
    this.#deps.events.record(plan, {
      type: 'Normal',
      reason: 'Started',
      message: `Migration ${next.metadata.name} begins.`,
    });
    this.#deps.log.info('run begins', { plan: key, migration: next.metadata.name });
    return stored;
  }

  /**
   * Another controller (Forklift's own, before Gantry took its place) began this run: what it has done to the VMs nobody here knows, so it
   * is never gone on with (review.md F64).
   */
  async #closeForeign(
    key: string,
    plan: Stored<Plan>,
    entry: HistoryEntry,
    signal: AbortSignal,
  ): Promise<void> {
    const now = rfc3339(this.#deps.clock.now());
    const unended = (plan.status?.migration?.vms ?? []).filter((vm) => vm.completed === undefined);
    const status = projectRun(
      plan,
      new Map(),
      new Map(unended.map((vm) => [vm.id ?? '', notOurs])),
      undefined,
      now,
    );
    const migration = this.#migrationOf(plan, entry.migration.name, entry.migration.uid);
    if (migration !== undefined) {
      await this.#status.migration(
        migration,
        migrationStatus(migration, { ...plan, status }, [], now),
        signal,
      );
    }
    await this.#status.plan(plan, status, signal);
    this.#deps.events.record(plan, { type: 'Warning', reason: 'NotOurs', message: notOurs.message });
    this.#deps.log.warn('a run of another controller is closed', { plan: key });
  }

  /** One look at a run that is under way: every VM has its import, users' wishes are relayed, what came of it is shown. */
  async #execute(key: string, plan: Stored<Plan>, signal: AbortSignal): Promise<void> {
    const entry = activeEntry(plan);
    if (entry === undefined) return;
    const { uid, name } = entry.migration;
    const migration = this.#migrationOf(plan, name, uid);
    const all = this.#deps.imports.byIndex('migration', uid);
    await this.#missing.remake(all.filter(isStale), signal);
    const current = all.filter((object) => !isStale(object));
    const neverBegun = await this.#missing.create(plan, migration, all, signal);

    const ambiguousNames = ambiguous(current);
    const sourceProvider = this.#deps.world.providers.get(entry.provider.source);
    const wishes = { plan, migration, sourceProvider, ambiguousNames };
    const running = current.filter((object) => !hasEnded(object));
    await Promise.all(
      running.map((object) => relayControl(object, wantedControl(object, wishes), this.#deps, signal)),
    );

    const now = rfc3339(this.#deps.clock.now());
    const byVm = new Map(current.map((object) => [object.spec.vm.id, object]));
    const status = projectRun(plan, byVm, neverBegun, sourceProvider, now);
    const isFinished = status.migration?.completed !== undefined;
    // The Migration first: is the end in the Plan, the run is no longer looked at, and a Migration that does not know of it would begin anew.
    if (migration !== undefined) {
      const vms = current.map(({ spec }) => spec.vm);
      const shown = migrationStatus(migration, { ...plan, status }, cancelFindings(migration, vms), now);
      await this.#status.migration(migration, shown, signal);
    }
    const written = await this.#status.plan(plan, status, signal);
    if (isFinished) await this.#finish(key, written, signal);
    const projected = current.filter((object) => isProjected(written, object));
    await Promise.all(projected.map((object) => releaseProjected(object, this.#deps, signal)));
  }

  async #finish(key: string, plan: Stored<Plan>, signal: AbortSignal): Promise<void> {
    const outcome =
      ['Succeeded', 'Failed', 'Canceled'].find((type) => isTrue(plan.status?.conditions, type)) ?? 'Ended';
    const type = outcome === 'Failed' ? 'Warning' : 'Normal';
    this.#deps.events.record(plan, { type, reason: outcome, message: `The run has ended: ${outcome}.` });
    this.#deps.log.info('run ended', { plan: key, outcome });
    // The verdict on the Plan was suspended while it ran (review.md F59).
    const inputs = planInputs(plan, this.#deps.world);
    const verdict = evaluatePlan(inputs, { executing: false, memo: this.#memo(key) });
    const now = rfc3339(this.#deps.clock.now());
    const conditions = conditionsOfPlan(plan.status, verdict.conditions, now);
    await this.#status.plan(plan, { ...plan.status, conditions }, signal);
  }

  /** Imports of runs that are over: their end stands in the Plan since the run was closed, and a process that died then owes them this. */
  async #releaseEarlier(key: string, activeUid: string | undefined, signal: AbortSignal): Promise<void> {
    for (const object of this.#deps.imports.byIndex('plan', key)) {
      const isEarlier = object.spec.run.migration.uid !== activeUid;
      if (isEarlier && hasEnded(object)) await releaseProjected(object, this.#deps, signal);
    }
  }

  // ---- Migrations ---------------------------------------------------------------------------------------------------------------

  async #withoutPlan(
    key: string,
    migrations: readonly Stored<Migration>[],
    signal: AbortSignal,
  ): Promise<void> {
    this.#memos.delete(key);
    for (const migration of migrations) {
      if (isTerminal(migration)) continue;
      await this.#status.conditions(migration, planMissing(key), signal);
    }
    // The imports of a run are frozen and go on; with nobody to show them to, they may go when they have ended.
    for (const object of this.#deps.imports.byIndex('plan', key)) {
      const migration = migrations.find(
        (candidate) => candidate.metadata.uid === object.spec.run.migration.uid,
      );
      const wishes = {
        plan: undefined,
        migration,
        sourceProvider: undefined,
        ambiguousNames: new Set<string>(),
      };
      if (!hasEnded(object)) await relayControl(object, wantedControl(object, wishes), this.#deps, signal);
      else await releaseProjected(object, this.#deps, signal);
    }
  }

  #migrationOf(plan: Stored<Plan>, name: string, uid: string): Stored<Migration> | undefined {
    const key = `${plan.metadata.namespace ?? ''}/${plan.metadata.name}`;
    const found = this.#deps.migrations
      .byIndex('plan', key)
      .find((migration) => migration.metadata.name === name);
    return found?.metadata.uid === uid ? found : undefined;
  }

  #memo(key: string): PlanMemo {
    const memo = this.#memos.get(key) ?? (new Map() as PlanMemo);
    this.#memos.set(key, memo);
    return memo;
  }
}

const retryMs = 100;
const notOurs: NeverBegun = {
  outcome: 'Failed',
  reason: 'NotOurs',
  message:
    'This run was begun by another controller. See to what it left at the source and in the target namespace, then create another Migration.',
};

function partsOf(
  plan: Stored<Plan>,
  migration: Stored<Migration>,
  { source, destination, networkMap, storageMap }: ReturnType<typeof planInputs>,
): RunParts | undefined {
  if (
    source === undefined ||
    destination === undefined ||
    networkMap === undefined ||
    storageMap === undefined
  )
    return undefined;
  return { plan, migration, source, destination, networkMap, storageMap };
}

function ambiguous(objects: readonly VirtualMachineImport[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { spec } of objects) {
    if (seen.has(spec.vm.name)) twice.add(spec.vm.name);
    seen.add(spec.vm.name);
  }
  return twice;
}

/** Its end stands in the Plan, as the server has stored it. */
function isProjected(plan: Plan, object: VirtualMachineImport): boolean {
  if (!hasEnded(object)) return false;
  return (plan.status?.migration?.vms ?? []).some(
    (vm: VmStatus) => vm.id === object.spec.vm.id && vm.completed !== undefined,
  );
}
