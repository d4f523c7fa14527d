import type { KubeObject, ResourceKind, Stored } from '../api/meta.ts';
import type { ObjectCache } from '../kube/cache.ts';
import type { KubeClient } from '../kube/client.ts';
import { diffMerge } from '../kube/merge-patch.ts';

/**
 * Makes the status of an object what it is to be: one merge patch of what differs, refused by the server when the object is not the one
 * we have looked at (KubeError Conflict), and none at all when nothing differs. The answer goes into the cache. A null or a member left
 * out of `wanted` is removed.
 */
export async function writeStatus<T extends KubeObject & { readonly status?: object }>(
  kind: ResourceKind<T>,
  object: Stored<T>,
  wanted: object,
  { client, cache }: { readonly client: KubeClient; readonly cache: Pick<ObjectCache<T>, 'put'> },
  signal: AbortSignal,
): Promise<Stored<T>> {
  const status = diffMerge(object.status ?? {}, wanted);
  if (status === undefined) return object;
  const { resourceVersion } = object.metadata;
  const body = { metadata: { resourceVersion }, status };
  const stored = await client.mergePatch(kind, object.metadata, body, { subresource: 'status' }, signal);
  cache.put(stored);
  return stored;
}
