import { isTrue } from '../../api/conditions.ts';
import type { Stored } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { HistoryEntry, Plan } from '../../api/plan.ts';

/** It has ended, one way or another; nothing about it changes any more. */
export function isTerminal({ status }: Migration): boolean {
  const ended = ['Succeeded', 'Failed', 'Canceled'].some((type) => isTrue(status?.conditions, type));
  return ended || status?.completed !== undefined;
}

/** The entry of the run that is under way, if one is: always the last of the history, and it says Executing. */
export function activeEntry(plan: Plan): HistoryEntry | undefined {
  const last = plan.status?.migration?.history?.at(-1);
  return isTrue(last?.conditions, 'Executing') ? last : undefined;
}

/**
 * The next run of a plan: its oldest Migration that has not ended (forklift-plan.md 1.3). Names break a tie of creation times. One that
 * stands in the history has had its run, whatever became of its own status.
 */
export function nextMigration(
  migrations: readonly Stored<Migration>[],
  plan: Plan,
): Stored<Migration> | undefined {
  const had = new Set((plan.status?.migration?.history ?? []).map((entry) => entry.migration.uid));
  return migrations
    .filter(
      (migration) =>
        !isTerminal(migration) &&
        migration.metadata.deletionTimestamp === undefined &&
        !had.has(migration.metadata.uid),
    )
    .sort(
      (a, b) =>
        a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) ||
        a.metadata.name.localeCompare(b.metadata.name),
    )[0];
}

/** "namespace/name" of the Plan that a Migration runs; its own namespace where it names none. */
export function planKeyOf(migration: Migration): string {
  const { namespace, name } = migration.spec.plan;
  return `${namespace !== undefined && namespace !== '' ? namespace : (migration.metadata.namespace ?? '')}/${name ?? ''}`;
}
