import type { Pod } from '../../api/external/core.ts';
import { persistentVolumeClaims, pods } from '../../api/kinds.ts';
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
