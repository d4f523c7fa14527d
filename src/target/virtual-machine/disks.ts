import type { Disk, DiskTargetBus, Volume } from '../../api/external/kubevirt.ts';
import type { FrozenDisk, VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import { shortHash } from '../../model/short-hash.ts';
import type { DiskBus, DiskModel } from '../../model/vm.ts';
import type { Converted } from './converted.ts';

/** What Linux and Windows show of a virtio disk's serial. */
const longestSerial = 20;

/**
 * Disks and volumes, one of each for every frozen disk that the VM gets, in the order of the source. Volumes are claims and nothing else:
 * a claim that no DataVolume owns any more is used as it is (facts: kubevirt 1.1, 1.5).
 *
 * @param claims name of the claim by disk key; a disk that is not in it has the claim that was frozen for it.
 */
export function buildDisks(
  spec: VirtualMachineImportSpec,
  claims: ReadonlyMap<string, string>,
  converted: Converted = {},
): { readonly disks: readonly Disk[]; readonly volumes: readonly Volume[] } {
  const models = new Map(spec.model.disks.map((disk) => [disk.key, disk]));
  const attached = spec.disks.filter((disk) => disk.mode !== 'skip');
  const readable = attached.map((disk) => readableSerial(models.get(disk.key)?.serial));
  return {
    disks: attached.map((disk, position) => {
      const own = readable[position] ?? '';
      // Cut to what a guest sees, two serials may have become one.
      const unique = own !== '' && readable.filter((serial) => serial === own).length === 1;
      const serial = unique ? own : shortHash([spec.vm.id, disk.key], longestSerial);
      return buildDisk(ordered(disk, position, spec, converted), serial, models.get(disk.key));
    }),
    volumes: attached.map((disk) => ({
      name: disk.volumeName,
      persistentVolumeClaim: { claimName: claims.get(disk.key) ?? disk.claimName },
    })),
  };
}

/** Where the guest's system was found goes before the source's order, not before the user's word. */
function ordered(
  disk: FrozenDisk,
  position: number,
  { options }: VirtualMachineImportSpec,
  { bootDisk }: Converted,
): FrozenDisk {
  if (bootDisk === undefined || options.rootDisk !== undefined) return disk;
  const { bootOrder: _bootOrder, ...rest } = disk;
  return position === bootDisk ? { ...rest, bootOrder: 1 } : rest;
}

function buildDisk(disk: FrozenDisk, serial: string, model: DiskModel | undefined): Disk {
  const common = {
    name: disk.volumeName,
    ...(disk.bootOrder !== undefined && { bootOrder: disk.bootOrder }),
    serial,
  };
  const shareable = model?.shared === true || disk.mode === 'shared';
  const sharing = shareable ? ({ shareable: true, cache: 'none' } as const) : {};
  if (disk.mode !== 'lun') return { ...common, disk: { bus: targetBus(disk.bus) }, ...sharing };
  const reservation = model?.lun?.reservation === true;
  return {
    ...common,
    lun: { bus: 'scsi', ...(reservation && { reservation }) },
    errorPolicy: 'report',
    ...sharing,
  };
}

/** KubeVirt has no IDE and no NVMe; a guest that knows those knows SATA. */
function targetBus(bus: DiskBus): DiskTargetBus {
  switch (bus) {
    case 'virtio':
    case 'sata':
    case 'scsi':
    case 'usb':
      return bus;
    case 'ide':
    case 'nvme':
      return 'sata';
    case 'unknown':
      return 'virtio';
  }
}

/** The source's serial in the characters that KubeVirt takes (fact: kubevirt 1.2); a disk without any gets a hash, to tell it from others. */
function readableSerial(serial: string | undefined): string {
  return (serial ?? '').replace(/[^A-Za-z0-9-]/g, '').slice(0, longestSerial);
}
