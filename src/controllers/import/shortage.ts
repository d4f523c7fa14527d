import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { Preflight } from '../../migration/facts.ts';
import { classesWithoutModes } from '../claim-modes.ts';
import { quotaShortages } from '../quota-shortage.ts';
import type { TargetCluster } from '../target-cluster.ts';
import { claimBytes } from '../../target/data-volume.ts';
import { copiedDisks } from './subject.ts';

/**
 * What a dry-run of the VM does not tell: whether its disks could be made. Classes, networks and quotas are looked up in caches; a quota
 * is summed here because it is charged disk by disk, when the source may already be off (review.md F34). Claims that this import has
 * already made are no new demand.
 */
export function shortage(object: VirtualMachineImport, cluster: TargetCluster): Preflight | undefined {
  return (
    missingClasses(object, cluster) ??
    missingModes(object, cluster) ??
    missingNetworks(object, cluster) ??
    shortSpace(object, cluster)
  );
}

function missingClasses(object: VirtualMachineImport, cluster: TargetCluster): Preflight | undefined {
  const wanted = new Set(copiedDisks(object).map((disk) => disk.class));
  const classes = [...wanted].filter(
    (name) => name !== '' && cluster.storageClasses.get({ name }) === undefined,
  );
  return classes.length === 0 ? undefined : { state: 'classMissing', classes };
}

function missingModes(object: VirtualMachineImport, cluster: TargetCluster): Preflight | undefined {
  const classes = classesWithoutModes(copiedDisks(object), cluster);
  return classes.length === 0 ? undefined : { state: 'modesMissing', classes };
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
  const claims = copiedDisks(object)
    .filter((disk) => cluster.claims.get({ namespace, name: disk.claimName }) === undefined)
    .map((disk) => ({ class: disk.class, bytes: claimBytes(disk) }));
  const [short] = quotaShortages(cluster.quotas.list(namespace), claims);
  if (short === undefined) return undefined;
  const { quota, resource, free, hard, needed } = short;
  const text = `quota ${quota} has ${free} of ${resource} left (hard ${hard}), the disks of this VM need ${needed}`;
  return { state: 'spaceShort', text };
}
