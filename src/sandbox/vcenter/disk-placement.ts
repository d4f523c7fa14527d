import { vim } from './vim-schema.ts';
import type { VimObject } from './vim-value.ts';
import type { DiskController, DiskSpec, VmSpec } from './vm-spec.ts';

interface Bus {
  readonly type: string;
  readonly label: string;
  readonly firstKey: number;
  readonly firstDiskKey: number;
  readonly perController: number;
  /** A unit number that the controller itself takes. */
  readonly reserved?: number;
}
const scsi = { label: 'SCSI controller', firstKey: 1000, firstDiskKey: 2000, perController: 16, reserved: 7 };
export const buses: Readonly<Record<DiskController, Bus>> = {
  pvscsi: { ...scsi, type: 'ParaVirtualSCSIController' },
  lsilogic: { ...scsi, type: 'VirtualLsiLogicController' },
  lsisas: { ...scsi, type: 'VirtualLsiLogicSASController' },
  sata: {
    type: 'VirtualAHCIController',
    label: 'SATA controller',
    firstKey: 15000,
    firstDiskKey: 16000,
    perController: 30,
  },
  ide: { type: 'VirtualIDEController', label: 'IDE', firstKey: 200, firstDiskKey: 3000, perController: 2 },
  nvme: {
    type: 'VirtualNVMEController',
    label: 'NVME controller',
    firstKey: 31000,
    firstDiskKey: 32000,
    perController: 15,
  },
};

export interface PlacedDisk {
  readonly key: number;
  readonly index: number;
  readonly controllerKey: number;
  readonly unitNumber: number;
  readonly busNumber: number;
  readonly fileName: string;
  readonly spec: DiskSpec;
}

/** Gives each disk its controller, unit and key, as vSphere numbers them: one controller of a kind until it is full. */
export function placeDisks(spec: VmSpec): readonly PlacedDisk[] {
  const taken = new Map<number, number>();
  const owners = new Map<number, DiskController>();
  return spec.disks.map((disk, index) => {
    const bus = buses[disk.controller];
    const isUsable = (key: number): boolean =>
      (owners.get(key) ?? disk.controller) === disk.controller && (taken.get(key) ?? 0) < bus.perController;
    let busNumber = 0;
    while (!isUsable(bus.firstKey + busNumber)) busNumber += 1;
    const controllerKey = bus.firstKey + busNumber;
    owners.set(controllerKey, disk.controller);
    let unitNumber = taken.get(controllerKey) ?? (spec.cdrom && disk.controller === 'ide' ? 1 : 0);
    if (unitNumber === bus.reserved) unitNumber += 1;
    taken.set(controllerKey, unitNumber + 1);
    const file = `[${disk.datastore}] ${spec.name}/${spec.name}${index === 0 ? '' : `_${index}`}.vmdk`;
    return {
      key: bus.firstDiskKey + busNumber * bus.perController + unitNumber,
      index,
      controllerKey,
      unitNumber,
      busNumber,
      fileName: disk.fileName ?? file,
      spec: disk,
    };
  });
}

/** A place for one more disk beside those that are there: where it is asked to be, else as placeDisks would. */
export function placeAnother(
  name: string,
  there: readonly PlacedDisk[],
  disk: DiskSpec,
  at: { readonly controllerKey?: number; readonly unitNumber?: number } = {},
): PlacedDisk {
  const bus = buses[disk.controller];
  const controllerKey =
    at.controllerKey ??
    there.find((each) => each.spec.controller === disk.controller)?.controllerKey ??
    bus.firstKey;
  const taken = new Set(
    there.filter((each) => each.controllerKey === controllerKey).map((each) => each.unitNumber),
  );
  let unitNumber = at.unitNumber ?? 0;
  while (at.unitNumber === undefined && (taken.has(unitNumber) || unitNumber === bus.reserved))
    unitNumber += 1;
  const busNumber = controllerKey - bus.firstKey;
  const index = Math.max(-1, ...there.map((each) => each.index)) + 1;
  const file = `[${disk.datastore}] ${name}/${name}${index === 0 ? '' : `_${index}`}.vmdk`;
  return {
    key: bus.firstDiskKey + busNumber * bus.perController + unitNumber,
    index,
    controllerKey,
    unitNumber,
    busNumber,
    fileName: disk.fileName ?? file,
    spec: disk,
  };
}

/** fact: vs 2.4: per-disk change tracking stands in extraConfig as `<bus><ctl>:<unit>.ctkEnabled`. */
export function trackingOptions(
  placed: readonly PlacedDisk[],
  tracks: { readonly vm: boolean; readonly disks: boolean },
): readonly VimObject[] {
  const tracked = placed.filter((disk) => tracks.disks && isInSnapshots(disk.spec));
  const keys = [
    ...(tracks.vm ? ['ctkEnabled'] : []),
    ...tracked.map((disk) => `${busName(disk.spec)}${disk.busNumber}:${disk.unitNumber}.ctkEnabled`),
  ];
  return keys.map((key) => vim('OptionValue', { key, value: 'TRUE' }));
}

export function isScsi(controller: DiskController): boolean {
  return buses[controller].firstKey === scsi.firstKey;
}

function busName(disk: DiskSpec): string {
  return isScsi(disk.controller) ? 'scsi' : disk.controller;
}

/** fact: vs 4.5: independent disks and RDMs in physical mode are in no snapshot, so nothing tracks them. */
export function isInSnapshots(disk: DiskSpec): boolean {
  return disk.mode === 'persistent' && disk.rdm !== 'physicalMode';
}

/** Which kind of controller has this key; undefined: none that a disk of the VM is on. */
export function controllerOf(
  controllerKey: number,
  disks: readonly { readonly placed: PlacedDisk }[],
): DiskController | undefined {
  return disks.find(({ placed }) => placed.controllerKey === controllerKey)?.placed.spec.controller;
}
