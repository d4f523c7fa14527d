import type { Disk, Interface, VirtualMachineInstanceSpec } from '../../api/external/kubevirt.ts';
import { labelProblems } from './label-problems.ts';

const buses = ['virtio', 'scsi', 'sata', 'usb'];
const caches = ['none', 'writethrough', 'writeback'];
const errorPolicies = ['stop', 'ignore', 'report', 'enospace'];
const longestSerial = 256;

/** Disks against volumes, and boot orders over disks and interfaces together (fact: kubevirt 1.2). */
export function checkBootOrder(field: string, spec: VirtualMachineInstanceSpec): readonly string[] {
  const devices = `${field}.domain.devices`;
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  const orders = new Set<number>();
  const isTaken = (order: number): boolean => {
    const taken = orders.has(order);
    orders.add(order);
    return taken;
  };
  const forDisks = (spec.domain.devices.disks ?? []).flatMap((disk, index) => {
    const at = `${devices}.disks[${index}]`;
    const texts: string[] = [];
    if (!volumes.has(disk.name)) {
      texts.push(
        disk.cdrom === undefined
          ? `${at}.Name '${disk.name}' not found.`
          : 'DeclarativeHotplugVolumes feature gate not enabled, cannot define an empty CD-ROM disk',
      );
    }
    if (disk.bootOrder !== undefined && isTaken(disk.bootOrder)) {
      texts.push(`Boot order for ${at}.bootOrder already set for a different device.`);
    }
    return texts;
  });
  return [...forDisks, ...checkInterfaceOrders(field, spec.domain.devices.interfaces ?? [], isTaken)];
}

function checkInterfaceOrders(
  field: string,
  interfaces: readonly Interface[],
  isTaken: (order: number) => boolean,
): readonly string[] {
  return interfaces.flatMap(({ bootOrder }, index) => {
    if (bootOrder === undefined) return [];
    if (bootOrder < 1) return [`${field}[${index}] must have a boot order > 0, if supplied`];
    const at = `${field}.domain.devices.interfaces[${index}].bootOrder`;
    return isTaken(bootOrder) ? [`Boot order for ${at} already set for a different device.`] : [];
  });
}

/** Each disk by itself; `field` names the list (fact: kubevirt 1.2). */
export function checkDisks(field: string, disks: readonly Disk[]): readonly string[] {
  return disks.flatMap((disk, index) => {
    const at = `${field}[${index}]`;
    return [
      ...disks.flatMap((other, otherIndex) =>
        otherIndex < index && other.name === disk.name
          ? [`${at} and ${field}[${otherIndex}] must not have the same Name.`]
          : [],
      ),
      ...checkTarget(at, disk),
      ...checkOptions(at, disk),
      ...labelProblems(disk.name),
    ];
  });
}

/** None of disk, lun and cdrom is a disk (fact: kubevirt 1.2 says "exactly one"; virt-api takes none for disk). */
function checkTarget(at: string, { disk, lun, cdrom, bootOrder }: Disk): readonly string[] {
  const texts: string[] = [];
  if ([disk, lun, cdrom].filter((target) => target !== undefined).length > 1) {
    texts.push(`${at} can only have a single target type defined`);
  }
  if (bootOrder !== undefined && bootOrder < 1) {
    texts.push(`${at} must have a boot order > 0, if supplied`);
  }
  const bus: string | undefined = (disk ?? lun ?? cdrom)?.bus;
  if (bus === undefined || bus === '') return texts;
  if (bus === 'ide') texts.push('IDE bus is not supported');
  else if (!buses.includes(bus)) {
    texts.push(`${at} is set with an unrecognized bus ${bus}, must be one of: [${buses.join(' ')}]`);
  } else if (bus === 'virtio' && disk === undefined && lun === undefined) {
    texts.push('Bus type virtio is invalid for CD-ROM device');
  } else if (bus === 'sata' && disk?.readonly === true) {
    texts.push('sata hard-disks do not support read-only.');
  }
  return texts;
}

function checkOptions(at: string, disk: Disk): readonly string[] {
  const texts: string[] = [];
  const { serial = '', cache = '', errorPolicy } = disk;
  if (serial !== '' && !/^[A-Za-z0-9_.+-]+$/.test(serial)) {
    texts.push(`${at} must be made up of the following characters [A-Za-z0-9_.+-], if specified`);
  }
  if (serial.length > longestSerial) {
    texts.push(`${at} must be less than or equal to ${longestSerial} in length, if specified`);
  }
  if (cache !== '' && !caches.includes(cache)) texts.push(`${at}.cache has invalid value ${cache}`);
  if (errorPolicy !== undefined && !errorPolicies.includes(errorPolicy)) {
    texts.push(`${at}.errorPolicy has invalid value "${errorPolicy}"`);
  }
  return texts;
}
