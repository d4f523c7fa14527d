import type { KubeObject, ObjectMeta, ResourceKind } from '../../api/meta.ts';
import type { Json } from './json.ts';
import { withMembers } from './json.ts';

/** Any object, as it is stored: never changed in place, shared between the store, its events and whoever reads inside the server. */
export type StoredObject = KubeObject & { readonly [field: string]: Json | ObjectMeta | undefined };

export function withMeta(
  object: StoredObject,
  changes: Partial<Record<keyof ObjectMeta, unknown>>,
): StoredObject {
  return withMembers(object, { metadata: withMembers(object.metadata, changes) });
}

/** An object's place in the store; objects of a cluster-scoped kind have the namespace ''. */
export interface Place {
  readonly kind: ResourceKind;
  readonly namespace: string;
  readonly name: string;
}

export function placeOf(kind: ResourceKind, object: KubeObject): Place {
  return { kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}
