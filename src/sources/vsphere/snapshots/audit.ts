import type { Audit } from '../../../model/source-data.ts';
import type { VmModel } from '../../../model/vm.ts';
import type { ManagedObject, Properties } from '../managed-object.ts';
import { diskDevices, diskKeyOf } from '../model/disks.ts';
import { snapshotsOf } from '../model/vm-model.ts';
import { asFlag, asMoRef, asText, asWhole, member } from '../soap/values.ts';
import { standingOf } from './checkpoints.ts';

/** What `auditOf` reads of a VM. */
export const auditedProperties = [
  'config.changeTrackingEnabled',
  'config.hardware.device',
  'datastore',
  'runtime.host',
  'snapshot',
] as const;

/**
 * What has changed at a VM since its import was frozen. Pure. That a VM without a snapshot names the same tracking as its next snapshot
 * will is inferred; one that names none is not told apart from one that was not reset.
 *
 * @param ours names of the snapshots that this import owes.
 * @param datastores those of the VM's disks, with their summaries.
 */
export function auditOf(
  vm: Properties,
  frozen: VmModel,
  ours: readonly string[],
  datastores: readonly ManagedObject[],
): Audit {
  const snapshots = snapshotsOf(vm).map(({ name }) => name);
  const disks = new Map(
    diskDevices(vm['config.hardware.device']).map((device) => [diskKeyOf(device) ?? '', standingOf(device)]),
  );
  const isSame = disks.size === frozen.disks.length && frozen.disks.every(({ key }) => disks.has(key));
  const isTracked = asFlag(vm['config.changeTrackingEnabled']) !== false;
  const host = asMoRef(vm['runtime.host'])?.value;
  return {
    foreign: snapshots.filter((name) => !ours.includes(name)),
    missing: ours.filter((name) => !snapshots.includes(name)),
    diskSet: isSame ? 'same' : 'changed',
    grown: frozen.disks
      .filter(({ key, sizeBytes }) => (disks.get(key)?.sizeBytes ?? 0) > sizeBytes)
      .map(({ key }) => key),
    trackingLost: isTracked ? [] : frozen.disks.map(({ key }) => key),
    ...(host !== undefined && host !== frozen.host?.id && { movedTo: host }),
    disks,
    datastores: datastores.flatMap(spaceOf),
  };
}

function spaceOf({ ref, properties }: ManagedObject): Audit['datastores'] {
  const freeBytes = asWhole(properties['summary.freeSpace']);
  const capacityBytes = asWhole(properties['summary.capacity']);
  if (freeBytes === undefined || capacityBytes === undefined) return [];
  return [{ name: asText(properties['name']) ?? ref.value, freeBytes, capacityBytes }];
}

/** Datastores that hold a disk of the VM. */
export function diskDatastores(vm: Properties): readonly string[] {
  const ids = diskDevices(vm['config.hardware.device']).flatMap(
    (device) => asMoRef(member(device, 'backing', 'datastore'))?.value ?? [],
  );
  return [...new Set(ids)];
}
