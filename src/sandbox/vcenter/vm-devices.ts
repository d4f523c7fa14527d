import { vim } from './vim-schema.ts';
import type { MoRef, VimObject } from './vim-value.ts';
import type { DiskController, DiskSpec, NicModel, NicSpec, VmSpec } from './vm-spec.ts';

/** What devices refer to in the rest of the inventory. */
export interface DeviceContext {
  /** Number of the VM's id: ids and addresses that the spec leaves open are made of it. */
  readonly number: number;
  datastore(name: string): MoRef;
  network(name: string): NetworkBacking;
}
export type NetworkBacking =
  | { readonly kind: 'standard'; readonly network: MoRef }
  | { readonly kind: 'distributed'; readonly switchUuid: string; readonly portgroupKey: string };

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
const buses: Readonly<Record<DiskController, Bus>> = {
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

const nicTypes: Readonly<Record<NicModel, string>> = {
  vmxnet3: 'VirtualVmxnet3',
  e1000: 'VirtualE1000',
  e1000e: 'VirtualE1000e',
  pcnet32: 'VirtualPCNet32',
  sriov: 'VirtualSriovEthernetCard',
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

/** config.hardware.device: controllers, then the vTPM, disks, network cards and what else there is. */
export function devicesOf(
  spec: VmSpec,
  placed: readonly PlacedDisk[],
  context: DeviceContext,
): readonly VimObject[] {
  const nics = spec.nics.map((nic, index) => nicDevice(nic, index, context));
  const controllers = controllersOf(
    spec,
    placed,
    [...spec.nics.keys()].map((index) => 4000 + index),
  );
  const tpm = device('VirtualTPM', 11000, 'Virtual TPM', 'Trusted Platform Module');
  return [
    ...controllers,
    ...(spec.tpm ? [tpm] : []),
    ...(spec.cdrom ? [cdrom()] : []),
    ...placed.map((disk) => diskDevice(disk, spec, context)),
    ...nics,
    ...(spec.usb ? [device('VirtualUSBController', 7000, 'USB controller', 'USB', { busNumber: 0 })] : []),
    ...(spec.pciPassthrough ? [device('VirtualPCIPassthrough', 13000, 'PCI device 0', 'PCI device')] : []),
  ];
}

/** fact: vs 2.4: per-disk change tracking stands in extraConfig as `<bus><ctl>:<unit>.ctkEnabled`. */
export function extraConfigOf(spec: VmSpec, placed: readonly PlacedDisk[]): readonly VimObject[] {
  const tracked = placed.filter((disk) => isTracked(disk.spec, spec));
  const entries = [
    ...(spec.changeTracking ? [['ctkEnabled', 'TRUE']] : []),
    ...tracked.map((disk) => [
      `${busName(disk.spec)}${disk.busNumber}:${disk.unitNumber}.ctkEnabled`,
      'TRUE',
    ]),
    ...Object.entries(spec.extraConfig),
  ];
  return entries.map(([key, value]) => vim('OptionValue', { key, value }));
}

function isScsi(controller: DiskController): boolean {
  return buses[controller].firstKey === scsi.firstKey;
}

function busName(disk: DiskSpec): string {
  return isScsi(disk.controller) ? 'scsi' : disk.controller;
}

/** fact: vs 4.5: independent disks and RDMs in physical mode are in no snapshot, so nothing tracks them. */
function isTracked(disk: DiskSpec, spec: VmSpec): boolean {
  return spec.changeTracking && disk.mode === 'persistent' && disk.rdm !== 'physicalMode';
}

function device(
  type: string,
  key: number,
  label: string,
  summary: string,
  more: Parameters<typeof vim>[1] = {},
): VimObject {
  return vim(type, { key, deviceInfo: vim('Description', { label, summary }), ...more });
}

function controllersOf(
  spec: VmSpec,
  placed: readonly PlacedDisk[],
  nicKeys: readonly number[],
): readonly VimObject[] {
  const used = new Map<number, PlacedDisk[]>();
  for (const disk of placed) used.set(disk.controllerKey, [...(used.get(disk.controllerKey) ?? []), disk]);
  if (!used.has(200)) used.set(200, []);
  const own = [...used].sort(([a], [b]) => a - b);
  const made = own.map(([key, disks]) => controller(key, disks, spec.cdrom && key === 200));
  const onPci = [...own.map(([key]) => key).filter((key) => key !== 200 && key !== 201), ...nicKeys];
  const pci = device('VirtualPCIController', 100, 'PCI controller 0', 'PCI controller 0', {
    busNumber: 0,
    device: onPci,
  });
  return [...made.slice(0, 1), pci, ...made.slice(1)];
}

const summaries: Readonly<Record<string, string>> = {
  ParaVirtualSCSIController: 'VMware paravirtual SCSI',
  VirtualLsiLogicController: 'LSI Logic',
  VirtualLsiLogicSASController: 'LSI Logic SAS',
  VirtualAHCIController: 'AHCI',
  VirtualNVMEController: 'NVME Controller',
};

function controller(key: number, disks: readonly PlacedDisk[], withCdrom: boolean): VimObject {
  const [first] = disks;
  const bus = buses[first?.spec.controller ?? 'ide'];
  const busNumber = key - bus.firstKey;
  const label = `${bus.label} ${busNumber}`;
  const attached = [...(withCdrom ? [3000] : []), ...disks.map((disk) => disk.key)];
  const onScsi = first !== undefined && isScsi(first.spec.controller);
  return device(bus.type, key, label, summaries[bus.type] ?? label, {
    ...(bus.type === 'VirtualIDEController' ? {} : { controllerKey: 100, unitNumber: 3 + busNumber }),
    busNumber,
    device: attached,
    ...(onScsi && { hotAddRemove: true, sharedBus: 'noSharing', scsiCtlrUnitNumber: 7 }),
  });
}

function cdrom(): VimObject {
  const backing = vim('VirtualCdromRemotePassthroughBackingInfo', {
    deviceName: '',
    useAutoDetect: false,
    exclusive: false,
  });
  return device('VirtualCdrom', 3000, 'CD/DVD drive 1', 'Remote device', {
    backing,
    controllerKey: 200,
    unitNumber: 0,
  });
}

function diskDevice(placed: PlacedDisk, spec: VmSpec, context: DeviceContext): VimObject {
  const { sizeBytes } = placed.spec;
  const kibibytes = Math.ceil(sizeBytes / 1024);
  return device('VirtualDisk', placed.key, `Hard disk ${placed.index + 1}`, `${grouped(kibibytes)} KB`, {
    backing: diskBacking(placed, spec, context),
    controllerKey: placed.controllerKey,
    unitNumber: placed.unitNumber,
    capacityInKB: kibibytes,
    capacityInBytes: sizeBytes,
    diskObjectId: `${context.number}-${placed.key}`,
  });
}

function diskBacking(placed: PlacedDisk, spec: VmSpec, context: DeviceContext): VimObject {
  const disk = placed.spec;
  const twelve = String(context.number).padStart(12, '0');
  const contentId = `${String(placed.index).padStart(2, '0')}${String(context.number).padStart(30, '0')}`;
  // fact: vs 4.2: two groups of hex bytes, "/", a counter; the first groups are the epoch.
  const index = (placed.index % 16).toString(16);
  const changeId = `52 a${index} 00 00 00 00 00 01-00 00 00 00 00 00 00 01/4`;
  const common = {
    fileName: placed.fileName,
    datastore: context.datastore(disk.datastore),
    backingObjectId: '',
    diskMode: disk.mode,
    uuid: `6000C29${index}-0000-0000-0000-${twelve}`,
    contentId,
    ...(isTracked(disk, spec) && { changeId }),
    sharing: disk.sharing,
  };
  if (disk.rdm !== undefined) {
    const lun = { lunUuid: `0200000000${twelve}`, deviceName: `vml.0200000000${twelve}` };
    return vim('VirtualDiskRawDiskMappingVer1BackingInfo', {
      ...common,
      ...lun,
      compatibilityMode: disk.rdm,
    });
  }
  return vim('VirtualDiskFlatVer2BackingInfo', {
    ...common,
    split: false,
    writeThrough: false,
    thinProvisioned: disk.thin,
    digestEnabled: false,
  });
}

function nicDevice(nic: NicSpec, index: number, context: DeviceContext): VimObject {
  const target = context.network(nic.network);
  const standard = target.kind === 'standard';
  const summary = standard ? nic.network : `DVSwitch: ${target.switchUuid}`;
  return device(nicTypes[nic.model], 4000 + index, `Network adapter ${index + 1}`, summary, {
    backing: standard
      ? vim('VirtualEthernetCardNetworkBackingInfo', {
          deviceName: nic.network,
          useAutoDetect: false,
          network: target.network,
        })
      : vim('VirtualEthernetCardDistributedVirtualPortBackingInfo', {
          port: vim('DistributedVirtualSwitchPortConnection', {
            switchUuid: target.switchUuid,
            portgroupKey: target.portgroupKey,
            portKey: '10',
          }),
        }),
    connectable: vim('VirtualDeviceConnectInfo', {
      startConnected: nic.connected,
      allowGuestControl: true,
      connected: nic.connected,
      status: nic.connected ? 'ok' : 'untried',
    }),
    slotInfo: vim('VirtualDevicePciBusSlotInfo', { pciSlotNumber: 192 + 32 * index }),
    controllerKey: 100,
    unitNumber: 7 + index,
    addressType: 'assigned',
    macAddress: macOf(nic, index, context.number),
    wakeOnLanEnabled: true,
  });
}

/** 00:50:56 is VMware's; the rest tells VM and card. */
export function macOf(nic: NicSpec, index: number, number: number): string {
  const tail = (number * 16 + index).toString(16).padStart(6, '0');
  return nic.mac ?? `00:50:56:${tail.slice(0, 2)}:${tail.slice(2, 4)}:${tail.slice(4, 6)}`;
}

/** 1,048,576. Intl would do it too, at a hundred times the cost. */
function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
