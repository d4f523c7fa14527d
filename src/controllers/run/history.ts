import type { Condition } from '../../api/conditions.ts';
import type { KubeObject, Stored } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { HistoryEntry, Plan, SnapshotRef } from '../../api/plan.ts';
import type { Provider } from '../../api/provider.ts';
import type { NetworkMap } from '../../api/network-map.ts';
import type { StorageMap } from '../../api/storage-map.ts';

/** Entries kept; older runs are forgotten. */
export const longestHistory = 20;

const ourReason = 'BegunByGantry';

/** All that a run is made from, found and Ready. */
export interface RunParts {
  readonly plan: Stored<Plan>;
  readonly migration: Stored<Migration>;
  readonly source: Stored<Provider>;
  readonly destination: Stored<Provider>;
  readonly networkMap: Stored<NetworkMap>;
  readonly storageMap: Stored<StorageMap>;
}

/** The entry that says "this Migration is the one that runs"; it is written before any import is made (review.md F10). */
export function historyEntry(parts: RunParts, now: string): HistoryEntry {
  const executing: Condition = {
    type: 'Executing',
    status: 'True',
    category: 'Advisory',
    durable: true,
    reason: ourReason,
    message: 'The plan is EXECUTING.',
    lastTransitionTime: now,
  };
  return {
    conditions: [executing],
    plan: snapshot(parts.plan),
    migration: snapshot(parts.migration),
    provider: { source: snapshot(parts.source), destination: snapshot(parts.destination) },
    map: { network: snapshot(parts.networkMap), storage: snapshot(parts.storageMap) },
  };
}

/** By the reason of its condition, which no other controller gives. */
export function isOurRun(entry: HistoryEntry): boolean {
  return entry.conditions?.some(({ type, reason }) => type === 'Executing' && reason === ourReason) === true;
}

export function appended(history: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] {
  return [...history, entry].slice(-longestHistory);
}

function snapshot({ metadata }: Stored<KubeObject>): SnapshotRef {
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    generation: metadata.generation ?? 0,
  };
}
