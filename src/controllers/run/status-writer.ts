import { mergeConditions, type ConditionDraft } from '../../api/conditions.ts';
import { migrations as migrationKind, plans as planKind } from '../../api/kinds.ts';
import type { KubeObject, ResourceKind, Stored } from '../../api/meta.ts';
import type { Migration, MigrationStatus } from '../../api/migration.ts';
import type { Plan, PlanStatus } from '../../api/plan.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import { statusPatch } from './status-patch.ts';

export interface StatusWriterDeps {
  readonly client: KubeClient;
  readonly plans: Pick<ObjectCache<Plan>, 'put'>;
  readonly migrations: Pick<ObjectCache<Migration>, 'put'>;
  readonly clock: Clock;
}

/** Writes the status of Plans and Migrations: one tested patch each and nothing where nothing is new. */
export class StatusWriter {
  readonly #deps: StatusWriterDeps;

  constructor(deps: StatusWriterDeps) {
    this.#deps = deps;
  }

  async plan(plan: Stored<Plan>, status: PlanStatus, signal: AbortSignal): Promise<Stored<Plan>> {
    const stored = await this.#write(planKind, plan, status, signal);
    this.#deps.plans.put(stored);
    return stored;
  }

  async migration(migration: Stored<Migration>, status: MigrationStatus, signal: AbortSignal): Promise<void> {
    this.#deps.migrations.put(await this.#write(migrationKind, migration, status, signal));
  }

  /** The conditions of a Migration that does not run. */
  async conditions(
    migration: Stored<Migration>,
    drafts: readonly ConditionDraft[],
    signal: AbortSignal,
  ): Promise<void> {
    const now = rfc3339(this.#deps.clock.now());
    const conditions = mergeConditions(migration.status?.conditions ?? [], drafts, now);
    await this.migration(migration, { ...migration.status, conditions }, signal);
  }

  async #write<T extends KubeObject & { readonly status?: object }>(
    kind: ResourceKind<T>,
    object: Stored<T>,
    status: object,
    signal: AbortSignal,
  ): Promise<Stored<T>> {
    const { generation } = object.metadata;
    const wanted = { ...status, ...(generation !== undefined && { observedGeneration: generation }) };
    const patch = statusPatch(object.status, wanted);
    if (patch.length === 0) return object;
    return this.#deps.client.jsonPatch(kind, object.metadata, patch, { subresource: 'status' }, signal);
  }
}
