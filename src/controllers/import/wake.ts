import type { KubeObject } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import { keyOf } from '../../kube/object-key.ts';
import type { SlotTable } from '../../migration/slots.ts';
import type { EngineSettings } from '../../migration/settings.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Controller } from '../../runtime/controller.ts';
import { watchCache } from '../../runtime/watch-cache.ts';
import type { SourceHub } from '../source-hub.ts';
import { importOf, type TargetCluster } from '../target-cluster.ts';
import type { ImportCache } from './import-cache.ts';
import type { SourceWatch } from './source-watch.ts';
import { planVmIndex, planVmOf } from './prior-imports.ts';
import { ProgressSink } from './progress-sink.ts';
import { isOver } from './reconciler.ts';

export interface WakeDeps {
  readonly imports: ImportCache;
  readonly cluster: TargetCluster;
  readonly hub: SourceHub;
  readonly migrations: ObjectCache<Migration, 'plan'>;
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly sourceWatch: SourceWatch;
  readonly slots: Pick<SlotTable, 'freeAll'>;
}

/** Every event that may let an import go on, and nothing else, enqueues just that import. */
export function wakeImports(deps: WakeDeps, controller: Controller): void {
  const { imports, cluster, hub, migrations, sourceWatch } = deps;
  const byUid = (uids: readonly string[]): readonly string[] =>
    uids.flatMap((uid) => imports.byIndex('uid', uid)).map(keyOf);
  const ofObject = (before: KubeObject | undefined, after: KubeObject | undefined): readonly string[] =>
    byUid([
      ...new Set([
        ...(before === undefined ? [] : importOf(before)),
        ...(after === undefined ? [] : importOf(after)),
      ]),
    ]);

  watchCache(imports, controller, (before, after) => {
    const object = after ?? before;
    if (object === undefined) return [];
    // What an import reports is news for those who show it, not for itself; its spec, its deletion and its end are.
    const isOwnReport =
      before !== undefined &&
      after !== undefined &&
      before.metadata.generation === after.metadata.generation &&
      before.metadata.deletionTimestamp === after.metadata.deletionTimestamp &&
      isOver(before) === isOver(after);
    if (isOwnReport) return [];
    // A later import of the same VM may be waiting for this one to be clean.
    const successors =
      after === undefined || isOver(after)
        ? planVmOf(object).flatMap((value) => imports.byIndex(planVmIndex, value))
        : [];
    return [...new Set([keyOf(object), ...successors.map(keyOf)])];
  });
  // Whatever became of its clean-up: an import that is gone holds nothing.
  imports.onChange((before, after) => {
    if (before !== undefined && after?.metadata.uid !== before.metadata.uid)
      deps.slots.freeAll(before.metadata.uid);
  });
  const sink = new ProgressSink(deps.settings, deps.clock);
  watchCache(cluster.dataVolumes, controller, (before, after) =>
    sink.isWorthIt(before, after) ? ofObject(before, after) : [],
  );
  watchCache(cluster.claims, controller, ofObject);
  watchCache(cluster.pods, controller, ofObject);
  watchCache(cluster.virtualMachines, controller, ofObject);
  // A Migration that goes takes its imports with it.
  watchCache(migrations, controller, (before, after) =>
    before !== undefined && after === undefined
      ? imports.byIndex('migration', before.metadata.uid).map(keyOf)
      : [],
  );
  hub.onChange((providerUid) => {
    const keys = imports
      .byIndex('provider', providerUid)
      .filter((object) => !isOver(object))
      .map(keyOf);
    sourceWatch.forget(keys);
    for (const key of keys) controller.enqueue(key);
  });
}
