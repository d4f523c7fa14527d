import { virtualMachineImports } from '../../api/kinds.ts';
import { importFinalizer, projectedFinalizer } from '../../api/labels.ts';
import type { Stored } from '../../api/meta.ts';
import type { ImportControl, VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { diffMerge } from '../../kube/merge-patch.ts';
import { removeFinalizers } from '../../runtime/finalizer.ts';
import type { ImportCache } from '../import/import-cache.ts';
import { isOver } from '../import/reconciler.ts';

export interface ImportsDeps {
  readonly client: KubeClient;
  readonly imports: ImportCache;
}

/** Imports made at once; the API server is not alone ours. */
const creates = 16;

/** Makes imports, create-if-absent: their names are deterministic for (Migration, VM). */
export async function createImports(
  wanted: readonly VirtualMachineImport[],
  { client, imports }: ImportsDeps,
  signal: AbortSignal,
): Promise<void> {
  const left = [...wanted];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      try {
        imports.put(await client.create(virtualMachineImports, next, {}, signal));
      } catch (error) {
        // One of ours from before a restart, which the watch will show; or one still going, which will be followed by its 404.
        if (!isKubeError(error, 'AlreadyExists')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(creates, left.length) }, worker));
}

/** Tells an import what its users wish, if that is news. */
export async function relayControl(
  object: Stored<VirtualMachineImport>,
  wanted: ImportControl,
  { client, imports }: ImportsDeps,
  signal: AbortSignal,
): Promise<void> {
  const patch = diffMerge(object.spec.control ?? {}, wanted);
  if (patch === undefined) return;
  try {
    const body = { spec: { control: patch } };
    imports.put(await client.mergePatch(virtualMachineImports, object.metadata, body, {}, signal));
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

/** Deletes a stale import. Its finalizers go by themselves, as nothing was made; its name is free when the watch says that it is gone. */
export async function deleteStale(
  object: Stored<VirtualMachineImport>,
  { client }: ImportsDeps,
  signal: AbortSignal,
): Promise<void> {
  if (object.metadata.deletionTimestamp !== undefined) return;
  await client.delete(virtualMachineImports, object.metadata, { uid: object.metadata.uid }, signal);
}

/**
 * The end of this import stands in Plan.status: our finalizer goes, and with it, in the same write, the import's own when it owes nothing.
 */
export async function releaseProjected(
  object: Stored<VirtualMachineImport>,
  { client, imports }: ImportsDeps,
  signal: AbortSignal,
): Promise<void> {
  const ours = isOver(object) ? [projectedFinalizer, importFinalizer] : [projectedFinalizer];
  const stored = await removeFinalizers(client, virtualMachineImports, object, ours, signal);
  if (stored !== undefined) imports.put(stored);
}

export function hasEnded(object: VirtualMachineImport): boolean {
  return object.status?.outcome !== undefined;
}
