import { virtualMachineImports } from '../../api/kinds.ts';
import { importFinalizer, projectedFinalizer } from '../../api/labels.ts';
import type { Stored } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { SlotTable } from '../../migration/slots.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { removeFinalizer, removeFinalizers } from '../../runtime/finalizer.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ImportRunner, StopReason } from './runner.ts';
import type { SourceWatch } from './source-watch.ts';
import { isStale } from './stale.ts';
import type { ImportIndex } from './import-cache.ts';

export interface ImportReconcilerDeps {
  readonly client: KubeClient;
  readonly imports: ObjectCache<VirtualMachineImport, ImportIndex>;
  readonly migrations: ObjectCache<Migration>;
  readonly runner: Pick<ImportRunner, 'run'>;
  readonly sourceWatch: SourceWatch;
  readonly slots: Pick<SlotTable, 'freeAll'>;
  readonly clock: Clock;
}

/**
 * Reconciles one VirtualMachineImport, keyed "namespace/name": finds out whether it is to go on, to stop or to be let go, and leaves the
 * rest to the runner.
 */
export function importReconciler(deps: ImportReconcilerDeps) {
  return async (key: string, signal: AbortSignal): Promise<ReconcileResult> => {
    const object = deps.imports.getByKey(key);
    if (object === undefined) {
      deps.sourceWatch.drop(key);
      return {};
    }
    if (isOver(object)) {
      deps.sourceWatch.drop(key);
      deps.slots.freeAll(object.metadata.uid);
      await letGo(object, deps, signal);
      return {};
    }
    const stop = stopReason(object, deps.migrations);
    // Deleted to be made again: nobody is to take that for the end of the VM, whoever looks first.
    if (stop === 'Remade') {
      await giveWay(key, object, deps, signal);
      return {};
    }
    deps.sourceWatch.follow(key, object);
    try {
      const until = await deps.runner.run(object, stop, signal);
      // One run leads from the first phase to the wait for the power: what was not followed before it is followed from here on, and
      // read once more, since it may have changed in between.
      const after = deps.imports.getByKey(key);
      if (after !== undefined && !isOver(after) && deps.sourceWatch.follow(key, after))
        return { requeueAfterMs: 0 };
      return until === undefined ? {} : { requeueAfterMs: Math.max(0, until - deps.clock.now()) };
    } catch (error) {
      // Somebody changed the object between our read and our write; the watch brings the new one, and this key with it.
      if (isKubeError(error, 'Conflict', 'NotFound')) return { requeueAfterMs: conflictMs };
      throw error;
    }
  };
}

const conflictMs = 200;

/** It has ended and owes nothing. */
export function isOver({ status }: VirtualMachineImport): boolean {
  return status?.outcome !== undefined && (status.ledger ?? []).every((entry) => entry.doneAt !== undefined);
}

/**
 * An import lives and dies with its Migration: one that is gone, or that is another one of the same name, is the same as a deletion
 * (review.md F7: such an import is never run, only cleaned).
 */
function stopReason(
  object: Stored<VirtualMachineImport>,
  migrations: ObjectCache<Migration>,
): StopReason | 'Remade' | undefined {
  const { metadata, spec } = object;
  if (spec.control?.cancel === true)
    return spec.control.cancelReason === 'Deleted' ? 'Deleted' : 'UserRequested';
  const { name, uid } = spec.run.migration;
  const migration = migrations.get({
    name,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
  });
  if (migration?.metadata.uid !== uid) return 'Deleted';
  if (metadata.deletionTimestamp === undefined) return undefined;
  return isStale(object) && (object.status?.ledger ?? []).length === 0 ? 'Remade' : 'Deleted';
}

/** Its name is free as soon as both finalizers are gone. */
async function giveWay(
  key: string,
  object: Stored<VirtualMachineImport>,
  { client, imports, sourceWatch, slots }: ImportReconcilerDeps,
  signal: AbortSignal,
): Promise<void> {
  sourceWatch.drop(key);
  slots.freeAll(object.metadata.uid);
  const finalizers = [projectedFinalizer, importFinalizer];
  const stored = await removeFinalizers(client, virtualMachineImports, object, finalizers, signal);
  if (stored !== undefined) imports.put(stored);
}

/**
 * The finalizer goes when nothing is owed. As a rule the run reconciler takes it off together with its own, once the end is in the Plan;
 * here it goes where nobody waits for that any more.
 */
async function letGo(
  object: Stored<VirtualMachineImport>,
  { client, imports }: ImportReconcilerDeps,
  signal: AbortSignal,
): Promise<void> {
  if (object.metadata.finalizers?.includes(projectedFinalizer) === true) return;
  const stored = await removeFinalizer(client, virtualMachineImports, object, importFinalizer, signal);
  if (stored !== undefined) imports.put(stored);
}
