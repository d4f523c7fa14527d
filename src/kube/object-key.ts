import type { KubeObject } from '../api/meta.ts';
import type { ObjectKey } from './client.ts';

/** "namespace/name", or "name" for a cluster-scoped object. No API server allows a slash in either part. */
export function keyString(at: ObjectKey): string {
  return at.namespace === undefined ? at.name : `${at.namespace}/${at.name}`;
}

export function keyOf(object: KubeObject): string {
  return keyString(object.metadata);
}

/** The inverse of `keyString`. */
export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return slash === -1 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
