import type { Pod } from '../../api/external/core.ts';
import { persistentVolumeClaims, pods, storageClasses } from '../../api/kinds.ts';
import { fieldAt } from './columns.ts';
import { textOf } from './json.ts';
import { parseQuantity, zero } from './quantity.ts';
import { forbidden } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';
import type { ServerState } from './server-state.ts';
import type { StoredObject } from './stored-object.ts';

/** On every claim from its creation: admission StorageObjectInUseProtection, which is on by default (fact: kubevirt 4.2). */
export const claimProtectionFinalizer = 'kubernetes.io/pvc-protection';

export function isProtectedClaim(object: StoredObject): boolean {
  return (
    object.kind === persistentVolumeClaims.kind &&
    object.apiVersion === 'v1' &&
    object.metadata.finalizers?.includes(claimProtectionFinalizer) === true
  );
}

/**
 * A claim is in use while a pod that has a node names it, be that pod running or long ended (fact: pkg/controller/volume/pvcprotection;
 * a pod without a node would not be started any more). So a deleted claim waits for its importer pod to be gone.
 */
export function isClaimInUse({ store }: ServerState, claim: StoredObject): boolean {
  return store
    .list(pods, claim.metadata.namespace)
    .some((pod) => isScheduled(pod) && claimsOf(pod).includes(claim.metadata.name));
}

function isScheduled(pod: StoredObject): boolean {
  return ((pod as unknown as Pod).spec.nodeName ?? '') !== '';
}

export function claimsOf(pod: StoredObject): readonly string[] {
  return ((pod as unknown as Pod).spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName],
  );
}

/** A claim grows only where its class allows it (fact: admission PersistentVolumeClaimResize). Throws Refusal 403. */
export function checkResize(
  { store }: ServerState,
  { kind }: ServedKind,
  claim: StoredObject,
  old: StoredObject,
): void {
  if (kind.plural !== persistentVolumeClaims.plural || kind.group !== '') return;
  const sizeOf = (object: StoredObject): bigint =>
    (parseQuantity(textOf(fieldAt(object, 'spec.resources.requests.storage'))) ?? zero).milli;
  if (sizeOf(claim) <= sizeOf(old)) return;
  const named = textOf(fieldAt(old, 'spec.storageClassName'));
  if (store.get(storageClasses, '', named)?.['allowVolumeExpansion'] === true) return;
  const why =
    'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
  throw forbidden(kind, claim.metadata.name, why);
}
