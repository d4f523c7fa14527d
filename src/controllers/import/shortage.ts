import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { parseQuantity } from '../../model/quantity.ts';
import type { Preflight } from '../../migration/phase.ts';
import type { TargetCluster } from '../target-cluster.ts';
import { claimBytes } from '../../target/data-volume.ts';
import { copiedDisks } from './gather.ts';

/**
 * What a dry-run of the VM does not tell: whether its disks could be made. Classes, networks and quotas are looked up in caches; a quota
 * is summed here because it is charged disk by disk, when the source may already be off (review.md F34). Claims that this import has
 * already made are no new demand.
 */
export function shortage(object: VirtualMachineImport, cluster: TargetCluster): Preflight | undefined {
  return missingClasses(object, cluster) ?? missingNetworks(object, cluster) ?? shortSpace(object, cluster);
}

function missingClasses(object: VirtualMachineImport, cluster: TargetCluster): Preflight | undefined {
  const wanted = new Set(copiedDisks(object).map((disk) => disk.class));
  const classes = [...wanted].filter(
    (name) => name !== '' && cluster.storageClasses.get({ name }) === undefined,
  );
  return classes.length === 0 ? undefined : { state: 'classMissing', classes };
}

function missingNetworks(object: VirtualMachineImport, cluster: TargetCluster): Preflight | undefined {
  const wanted = new Set(object.spec.nics.flatMap((nic) => (nic.nad === undefined ? [] : [nic.nad])));
  const networks = [...wanted].filter((nad) => {
    const [namespace = '', name = ''] = nad.split('/');
    return cluster.networks.get({ namespace, name }) === undefined;
  });
  return networks.length === 0 ? undefined : { state: 'networkMissing', networks };
}

function shortSpace(object: VirtualMachineImport, cluster: TargetCluster): Preflight | undefined {
  const { namespace } = object.spec.target;
  const disks = copiedDisks(object).filter(
    (disk) => cluster.claims.get({ namespace, name: disk.claimName }) === undefined,
  );
  const demands = (key: string): number | undefined => {
    if (key === 'requests.storage') return sum(disks.map(claimBytes));
    if (key === 'persistentvolumeclaims' || key === 'count/persistentvolumeclaims') return disks.length;
    const ofClass = /^(.+)\.storageclass\.storage\.k8s\.io\/(requests\.storage|persistentvolumeclaims)$/.exec(
      key,
    );
    if (ofClass === null) return undefined;
    const inClass = disks.filter((disk) => disk.class === ofClass[1]);
    return ofClass[2] === 'requests.storage' ? sum(inClass.map(claimBytes)) : inClass.length;
  };
  for (const quota of cluster.quotas.list(namespace)) {
    for (const [key, hard] of Object.entries(quota.status?.hard ?? quota.spec?.hard ?? {})) {
      const demand = demands(key);
      if (demand === undefined || demand === 0) continue;
      const free = parseQuantity(hard) - parseQuantity(quota.status?.used?.[key] ?? '0');
      if (demand > free) {
        const text = `quota ${quota.metadata.name} has ${free} of ${key} left (hard ${hard}), the disks of this VM need ${demand}`;
        return { state: 'spaceShort', text };
      }
    }
  }
  return undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
