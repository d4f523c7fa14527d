import type { KubeObject, ResourceKind, Stored } from '../api/meta.ts';
import type { KubeClient, ObjectKey } from '../kube/client.ts';
import { KubeError, isKubeError } from '../kube/errors.ts';

/** Someone else's writes may come between read and patch; so often in a row they do not by chance. */
const conflictRetries = 5;

/**
 * Makes `finalizer` one of the object's, so that it cannot vanish before we have cleaned up; to be done before the first effect
 * outside. Gives the object as stored then; costs no request when the finalizer is there.
 * Throws KubeError `NotFound` when the object is gone, replaced by another of its name, or being deleted: a server takes no new
 * finalizers then.
 */
export async function addFinalizer<T extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind<T>,
  object: Stored<T>,
  finalizer: string,
  signal?: AbortSignal,
): Promise<Stored<T>> {
  const stored = await change(client, kind, object, signal, (held) => {
    if (held.metadata.finalizers?.includes(finalizer) === true) return undefined;
    if (held.metadata.deletionTimestamp !== undefined) throw gone(object, 'it is being deleted');
    return [...(held.metadata.finalizers ?? []), finalizer];
  });
  if (stored === undefined) throw gone(object, 'it is gone');
  return stored;
}

/**
 * Takes `finalizer` off the object. Gives the object as stored then; undefined when it is gone, also by this very removal. Costs no
 * request when the finalizer is not there. Another object that took the name is left alone.
 */
export async function removeFinalizer<T extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind<T>,
  object: Stored<T>,
  finalizer: string,
  signal?: AbortSignal,
): Promise<Stored<T> | undefined> {
  return removeFinalizers(client, kind, object, [finalizer], signal);
}

/** The same for several of them, in one write. */
export async function removeFinalizers<T extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind<T>,
  object: Stored<T>,
  which: readonly string[],
  signal?: AbortSignal,
): Promise<Stored<T> | undefined> {
  const stored = await change(client, kind, object, signal, (held) => {
    const finalizers = held.metadata.finalizers ?? [];
    const kept = finalizers.filter((one) => !which.includes(one));
    return kept.length < finalizers.length ? kept : undefined;
  });
  const isLast = (stored?.metadata.finalizers ?? []).length === 0;
  return isLast && stored?.metadata.deletionTimestamp !== undefined ? undefined : stored;
}

/**
 * Writes the list that `decide` makes of the object's finalizers (undefined: as it is), tied to the version it was made from, as a
 * merge patch replaces the list whole. After a conflict it decides again by a live read. Undefined: the object is gone.
 */
async function change<T extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind<T>,
  object: Stored<T>,
  signal: AbortSignal | undefined,
  decide: (held: Stored<T>) => readonly string[] | undefined,
): Promise<Stored<T> | undefined> {
  const at: ObjectKey = object.metadata;
  let held = object;
  for (let conflicts = 0; ; conflicts += 1) {
    const finalizers = decide(held);
    if (finalizers === undefined) return held;
    const { resourceVersion } = held.metadata;
    try {
      return await client.mergePatch(kind, at, { metadata: { resourceVersion, finalizers } }, {}, signal);
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      if (!isKubeError(error, 'Conflict') || conflicts >= conflictRetries) throw error;
    }
    const now = await client.get(kind, at, signal);
    if (now?.metadata.uid !== object.metadata.uid) return undefined;
    held = now;
  }
}

function gone(object: KubeObject, detail: string): KubeError {
  const { namespace = '', name } = object.metadata;
  const attempted = `add a finalizer to ${object.kind} ${namespace}/${name}`;
  return new KubeError({ code: 'NotFound', status: 404, detail, attempted });
}
