import type { ResourceKind } from '../api/meta.ts';
import { resourceName } from '../api/meta.ts';
import type { ObjectKey } from './client.ts';

/**
 * Path of a kind's collection: in a namespace, or over all of them when none is given.
 * Throws TypeError for a namespace on a cluster-scoped kind: the server would answer 404 as if the object did not exist.
 */
export function collectionPath(kind: ResourceKind, namespace: string | undefined): string {
  const root =
    kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${encodeURIComponent(kind.version)}`;
  if (namespace === undefined) return `${root}/${kind.plural}`;
  if (!kind.namespaced) throw new TypeError(`${resourceName(kind)} are cluster-scoped: no namespace allowed`);
  if (namespace === '') throw new TypeError(`${resourceName(kind)}: the namespace is empty`);
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`;
}

/**
 * Path of one object. Throws TypeError when a part is missing: without its name a DELETE would mean the whole collection,
 * without its namespace all of a cluster's.
 */
export function objectPath(kind: ResourceKind, at: ObjectKey): string {
  if (at.name === '') throw new TypeError(`${resourceName(kind)}: the name is empty`);
  if (kind.namespaced && at.namespace === undefined) {
    throw new TypeError(`${resourceName(kind)} ${at.name}: a namespace is needed`);
  }
  return `${collectionPath(kind, at.namespace)}/${encodeURIComponent(at.name)}`;
}
