import type { DiskBus, DiskModel, Json } from '../../../model/vm.ts';
import type { Properties } from '../managed-object.ts';
import { asFlag, asList, asMoRef, asText, asWhole, member, typeOf } from '../soap/values.ts';
import { atLeast, clip, clipped, present } from './bounds.ts';

/** Characters of a file's name that the model has room for. */
const longestFile = 2048;

/** "As VMware" (fact: vs 3.2): the order of claims, of the conversion's disks and of the VM's volumes. */
const busOrder: readonly DiskBus[] = ['sata', 'ide', 'scsi', 'nvme'];

/** The VM's hard disks in claim order. `datastoreName` resolves a datastore's id. */
export function disksOf(
  vm: Properties,
  datastoreName: (id: string) => string | undefined,
): readonly DiskModel[] {
  const devices = asList(vm['config.hardware.device']);
  const controllers = new Map(devices.map((device) => [asWhole(member(device, 'key')), device]));
  return diskDevices(devices)
    .map((device) => ({ device, controller: controllers.get(asWhole(member(device, 'controllerKey'))) }))
    .map(({ device, controller }) => ({ device, controller, bus: busOf(typeOf(controller)) }))
    .sort((a, b) => compareSlots(slotOf(a.device, a.bus), slotOf(b.device, b.bus)))
    .slice(0, 256)
    .map(({ device, controller, bus }, index) =>
      diskOf({ vm, device, controller, bus, index, datastoreName }),
    );
}

interface DiskParts {
  readonly vm: Properties;
  readonly device: Json;
  readonly controller: Json | undefined;
  readonly bus: DiskBus;
  readonly index: number;
  readonly datastoreName: (id: string) => string | undefined;
}

function diskOf({ vm, device, controller, bus, index, datastoreName }: DiskParts): DiskModel {
  const backing = member(device, 'backing');
  const key = asText(member(device, 'key')) ?? String(index);
  const uuid = uuidOf(backing);
  const file = fileOf(backing) ?? '';
  const datastore = asMoRef(member(backing, 'datastore'))?.value;
  const name = datastore === undefined ? nameInPath(file) : (datastoreName(datastore) ?? nameInPath(file));
  const shared = (asText(member(backing, 'sharing')) ?? 'sharingNone') !== 'sharingNone';
  return {
    key: diskKeyOf(device) ?? key,
    // A name that was cut would be another disk's, or nobody's.
    sourceId: file.length <= longestFile ? file : '',
    taskName: clip(baseFileOf(backing) ?? file, 512),
    index,
    sizeBytes: sizeOf(device),
    storage: {
      ids: datastore === undefined ? [] : [clip(datastore, 256)],
      names: name === undefined ? [] : [clip(name, 512)],
    },
    kind: 'image',
    bus,
    ...present('serial', uuid),
    ...present('bootOrder', bootOrderOf(vm, key)),
    shared,
    snapshotable: !shared && inSnapshots(backing, controller),
    changeTracking: changeTracked(vm, device, controller, bus),
    ...present('guestMount', guestMountOf(vm, key)),
    needsScratch: 'never',
  };
}

/**
 * What a disk is known by while its VM moves: the device and what is behind it. Its file's name changes with every snapshot (fact: vs 4.2).
 * undefined: a device without a key.
 */
export function diskKeyOf(device: Json): string | undefined {
  const key = asText(member(device, 'key'));
  if (key === undefined) return undefined;
  const uuid = uuidOf(member(device, 'backing'));
  return clip(uuid === undefined ? key : `${key}-${uuid}`, 128);
}

/** Those devices of a VM, or of its state in a snapshot, that are hard disks. */
export function diskDevices(devices: Json | undefined): readonly Json[] {
  return asList(devices).filter((device) => typeOf(device) === 'VirtualDisk');
}

function uuidOf(backing: Json | undefined): string | undefined {
  return clipped(member(backing, 'uuid'), 96);
}

function busOf(controllerType: string): DiskBus {
  if (/^(Virtual(AHCI|SATA)Controller)$/.test(controllerType)) return 'sata';
  if (controllerType === 'VirtualIDEController') return 'ide';
  if (controllerType === 'VirtualNVMEController') return 'nvme';
  return /^(ParaVirtualSCSI|VirtualSCSI|VirtualLsiLogic|VirtualLsiLogicSAS|VirtualBusLogic)Controller$/.test(
    controllerType,
  )
    ? 'scsi'
    : 'unknown';
}

/** An unset unit number counts as 0; Forklift crashes on it (fact: vs 2.4). */
function slotOf(device: Json, bus: DiskBus): readonly number[] {
  const order = busOrder.indexOf(bus);
  const number = (name: string): number => asWhole(member(device, name)) ?? 0;
  return [order < 0 ? busOrder.length : order, number('controllerKey'), number('unitNumber'), number('key')];
}

function compareSlots(a: readonly number[], b: readonly number[]): number {
  const differing = a.findIndex((part, position) => part !== b[position]);
  return differing < 0 ? 0 : (a[differing] ?? 0) - (b[differing] ?? 0);
}

/** RawDiskVer2 names its descriptor instead (fact: vs 4.2). */
export function fileOf(backing: Json | undefined): string | undefined {
  return asText(member(backing, 'fileName')) ?? asText(member(backing, 'descriptorFileName'));
}

/** The file at the end of the parent chain: what clients know a disk by. The name is followed, never cut (source.md 4.1). */
export function baseFileOf(backing: Json | undefined): string | undefined {
  let at = backing;
  for (let depth = 0; depth < 64; depth += 1) {
    const parent = member(at, 'parent');
    if (fileOf(parent) === undefined) break;
    at = parent;
  }
  return fileOf(at);
}

/** "[datastore1] web-1/web-1.vmdk" */
function nameInPath(file: string): string | undefined {
  return /^\[([^\]]+)\]/.exec(file)?.[1];
}

/** Bytes. */
export function sizeOf(device: Json): number {
  const bytes = asWhole(member(device, 'capacityInBytes'));
  return bytes === undefined
    ? atLeast(asWhole((asWhole(member(device, 'capacityInKB')) ?? 0) * 1024), 0)
    : atLeast(bytes, 0);
}

/** Independent disks, physical RDM, and anything on a shared SCSI bus are in no snapshot (fact: vs 4.5). */
function inSnapshots(backing: Json | undefined, controller: Json | undefined): boolean {
  const mode = asText(member(backing, 'diskMode')) ?? '';
  if (mode.startsWith('independent')) return false;
  if (asText(member(backing, 'compatibilityMode')) === 'physicalMode') return false;
  return (asText(member(controller, 'sharedBus')) ?? 'noSharing') === 'noSharing';
}

/** extraConfig key "scsi0:1.ctkEnabled"; the number is the controller's key modulo 100 (fact: vs 2.4). */
function changeTracked(vm: Properties, device: Json, controller: Json | undefined, bus: DiskBus): boolean {
  if (asFlag(vm['config.changeTrackingEnabled']) === false) return false;
  const controllerNumber = (asWhole(member(controller, 'key')) ?? 0) % 100;
  const unit = asWhole(member(device, 'unitNumber')) ?? 0;
  return asFlag(extraConfig(vm, `${bus}${controllerNumber}:${unit}.ctkEnabled`)) ?? false;
}

/** Keys are compared without regard to case (fact: vs 2.4). */
export function extraConfig(vm: Properties, key: string): Json | undefined {
  const wanted = key.toLowerCase();
  const entry = asList(vm['config.extraConfig']).find(
    (option) => asText(member(option, 'key'))?.toLowerCase() === wanted,
  );
  return member(entry, 'value');
}

/** 1 for the disk that the firmware tries first, and so on; NICs and CD-ROMs in the list are not counted. */
function bootOrderOf(vm: Properties, key: string): number | undefined {
  const disks = asList(member(vm['config.bootOptions'], 'bootOrder'))
    .map((entry) => asText(member(entry, 'deviceKey')))
    .filter((entry) => entry !== undefined);
  const position = disks.indexOf(key);
  return position < 0 ? undefined : position + 1;
}

/** "C" or "/"; a disk with several file systems is known by the one that the guest boots from, else the shortest. */
function guestMountOf(vm: Properties, key: string): string | undefined {
  const mounts = asList(vm['guest.disk'])
    .filter((disk) =>
      asList(member(disk, 'mappings')).some((mapping) => asText(member(mapping, 'key')) === key),
    )
    .map((disk) => asText(member(disk, 'diskPath')))
    .filter((path) => path !== undefined)
    .map((path) => /^([A-Za-z]):/.exec(path)?.[1]?.toUpperCase() ?? path)
    .sort((a, b) => Number(b === 'C') - Number(a === 'C') || a.length - b.length || (a < b ? -1 : 1));
  return mounts[0] === undefined ? undefined : clip(mounts[0], 256);
}
