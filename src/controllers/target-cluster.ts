import type { DataVolume, StorageProfile } from '../api/external/cdi.ts';
import type {
  NetworkAttachmentDefinition,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  StorageClass,
} from '../api/external/core.ts';
import type { VirtualMachine } from '../api/external/kubevirt.ts';
import {
  dataVolumes,
  networkAttachmentDefinitions,
  persistentVolumeClaims,
  pods,
  resourceQuotas,
  storageClasses,
  storageProfiles,
  virtualMachines,
} from '../api/kinds.ts';
import { importLabel } from '../api/labels.ts';
import type { KubeObject, ResourceKind, Stored } from '../api/meta.ts';
import { ObjectCache } from '../kube/cache.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../runtime/log.ts';

/**
 * The cluster that VMs go to: a client for live reads and writes, and caches of what imports make there. Each watch selects our label,
 * which goes when a VM is handed over: ten thousand migrated VMs cost nothing (review.md F51). What describes the cluster itself
 * (classes, quotas, networks) is watched whole.
 */
export interface TargetCluster {
  readonly client: KubeClient;
  readonly virtualMachines: ObjectCache<VirtualMachine, 'import'>;
  readonly dataVolumes: ObjectCache<DataVolume, 'import'>;
  readonly claims: ObjectCache<PersistentVolumeClaim, 'import'>;
  readonly pods: ObjectCache<Pod, 'import'>;
  readonly storageClasses: ObjectCache<StorageClass>;
  readonly storageProfiles: ObjectCache<StorageProfile>;
  readonly quotas: ObjectCache<ResourceQuota>;
  readonly networks: ObjectCache<NetworkAttachmentDefinition>;
}

/** A cache and what its reflector has to watch. */
export interface Watched<T extends KubeObject = KubeObject> {
  readonly kind: ResourceKind<T>;
  readonly cache: ObjectCache<T>;
  readonly labelSelector?: string;
  readonly mayBeAbsent?: boolean;
}

/** Value of the index `import`: the UID of the import that made the object. */
export function importOf(object: KubeObject): readonly string[] {
  const uid = object.metadata.labels?.[importLabel];
  return uid === undefined ? [] : [uid];
}

export function targetCluster(
  client: KubeClient,
  logger: Logger,
): { readonly cluster: TargetCluster; readonly watched: readonly Watched[] } {
  const ours = <T extends KubeObject>(_kind: ResourceKind<T>, transform?: (object: Stored<T>) => Stored<T>) =>
    new ObjectCache<T, 'import'>({
      logger,
      indexes: { import: importOf },
      ...(transform === undefined ? {} : { transform }),
    });
  const all = <T extends KubeObject>(_kind: ResourceKind<T>) => new ObjectCache<T>({ logger });
  const cluster: TargetCluster = {
    client,
    virtualMachines: ours(virtualMachines),
    dataVolumes: ours(dataVolumes),
    claims: ours(persistentVolumeClaims),
    pods: ours(pods, podEssentials),
    storageClasses: all(storageClasses),
    storageProfiles: all(storageProfiles),
    quotas: all(resourceQuotas),
    networks: all(networkAttachmentDefinitions),
  };
  const labelled = { labelSelector: importLabel };
  return {
    cluster,
    watched: [
      { kind: virtualMachines, cache: cluster.virtualMachines, ...labelled },
      { kind: dataVolumes, cache: cluster.dataVolumes, ...labelled },
      { kind: persistentVolumeClaims, cache: cluster.claims, ...labelled },
      { kind: pods, cache: cluster.pods, ...labelled },
      { kind: storageClasses, cache: cluster.storageClasses },
      { kind: storageProfiles, cache: cluster.storageProfiles },
      { kind: resourceQuotas, cache: cluster.quotas },
      // Multus brings them, and KubeVirt does without.
      { kind: networkAttachmentDefinitions, cache: cluster.networks, mayBeAbsent: true },
    ] as readonly Watched[],
  };
}

function podEssentials(pod: Stored<Pod>): Stored<Pod> {
  return { ...pod, spec: { containers: [] } };
}
