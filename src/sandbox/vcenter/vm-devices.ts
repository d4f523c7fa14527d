import { epochOf, writeChangeId } from './change-id.ts';
import { buses, isInSnapshots, isScsi, trackingOptions, type PlacedDisk } from './disk-placement.ts';
import { vim } from './vim-schema.ts';
import type { MoRef, VimObject } from './vim-value.ts';
import type { NicModel, NicSpec, VmSpec } from './vm-spec.ts';

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

const nicTypes: Readonly<Record<NicModel, string>> = {
  vmxnet3: 'VirtualVmxnet3',
  e1000: 'VirtualE1000',
  e1000e: 'VirtualE1000e',
  pcnet32: 'VirtualPCNet32',
  sriov: 'VirtualSriovEthernetCard',
};

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

export function extraConfigOf(spec: VmSpec, placed: readonly PlacedDisk[]): readonly VimObject[] {
  const own = Object.entries(spec.extraConfig).map(([key, value]) => vim('OptionValue', { key, value }));
  return [...trackingOptions(placed, { vm: spec.changeTracking, disks: spec.changeTracking }), ...own];
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

export function diskDevice(placed: PlacedDisk, spec: VmSpec, context: DeviceContext): VimObject {
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
  const index = (placed.index % 16).toString(16);
  const changeId = writeChangeId({ epoch: epochOf(context.number, placed.key, 1), counter: 0 });
  const common = {
    fileName: placed.fileName,
    datastore: context.datastore(disk.datastore),
    backingObjectId: '',
    diskMode: disk.mode,
    uuid: `6000C29${index}-0000-0000-0000-${twelve}`,
    contentId,
    ...(spec.changeTracking && isInSnapshots(disk) && { changeId }),
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
