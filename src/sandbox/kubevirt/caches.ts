import type { DataVolume } from '../../api/external/cdi.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../api/external/core.ts';
import type {
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceSpec,
} from '../../api/external/kubevirt.ts';
import type { ObjectCache } from '../../kube/cache.ts';

export interface KubeVirtCaches {
  readonly machines: ObjectCache<VirtualMachine, 'claim'>;
  readonly instances: ObjectCache<VirtualMachineInstance, 'claim'>;
  readonly claims: ObjectCache<PersistentVolumeClaim>;
  readonly dataVolumes: ObjectCache<DataVolume>;
  readonly classes: ObjectCache<StorageClass>;
}

export function claimNamesOf(spec: VirtualMachineInstanceSpec): readonly string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
}

/** Those that exist. */
export function claimsOf(
  caches: KubeVirtCaches,
  namespace: string,
  spec: VirtualMachineInstanceSpec,
): readonly PersistentVolumeClaim[] {
  return claimNamesOf(spec).flatMap((name) => caches.claims.get({ namespace, name }) ?? []);
}

/** The DataVolumes that own these claims, as far as they are still there. */
export function dataVolumesOf(
  caches: KubeVirtCaches,
  claims: readonly PersistentVolumeClaim[],
): readonly DataVolume[] {
  return claims.flatMap(({ metadata: { namespace = '', ownerReferences = [] } }) => {
    const owner = ownerReferences.find(({ controller }) => controller === true);
    if (owner?.kind !== 'DataVolume') return [];
    return caches.dataVolumes.get({ namespace, name: owner.name }) ?? [];
  });
}
