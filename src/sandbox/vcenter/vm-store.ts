import type { Clock } from '../../runtime/clock.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import type { DiskHistory } from '../disk-history.ts';
import type { DiskStore } from '../disk-store.ts';
import { DiskFiles } from './disk-files.ts';
import { placeDisks, type PlacedDisk } from './disk-placement.ts';
import { guestInfo, toolsStatus } from './guest-info.ts';
import { escapeName, type Inventory } from './inventory.ts';
import type { ManagedObject } from './managed-object.ts';
import { devicesOf, diskDevice, extraConfigOf, type DeviceContext } from './vm-devices.ts';
import { vim } from './vim-schema.ts';
import { MoRef, refsIn, type VimObject } from './vim-value.ts';
import { vmSpec, type VmInput, type VmSpec } from './vm-spec.ts';

export interface VmDisk {
  /** Where it is now; changes when it grows or moves. */
  placed: PlacedDisk;
  readonly disk: DiskHistory;
  /** How often tracking has begun on it. */
  epochs: number;
}

/** One VM: its object in the inventory, what it was made from, and its bytes. */
export interface SimulatedVm {
  readonly object: ManagedObject;
  /** As it was made; disks may have come and gone since. */
  readonly spec: VmSpec;
  readonly number: number;
  disks: readonly VmDisk[];
  /** Change tracking takes effect with the next stun (fact: vs 1.5). */
  readonly tracking: { wanted: boolean; active: boolean };
}

/** Makes VMs, and takes them away with their disks. */
export class VmStore {
  readonly #inventory: Inventory;
  readonly files: DiskFiles;
  readonly #clock: Clock;
  readonly #vms = new Map<string, SimulatedVm>();
  /** Works out `layoutEx` of a VM; set once by whoever knows its snapshots. */
  layoutOf: (vm: SimulatedVm) => VimObject | undefined = () => undefined;
  #last = 100;

  constructor(inventory: Inventory, disks: DiskStore, clock: Clock) {
    this.#inventory = inventory;
    this.files = new DiskFiles(disks);
    this.#clock = clock;
  }

  get all(): readonly SimulatedVm[] {
    return [...this.#vms.values()];
  }

  byId(id: string): SimulatedVm | undefined {
    return this.#vms.get(id);
  }

  /** Throws when there is none, or more than one. */
  named(name: string): SimulatedVm {
    const wanted = escapeName(name);
    const [found, second] = this.all.filter((vm) => vm.object.get('name') === wanted);
    if (found === undefined) throw new Error(`the simulated vCenter has no VM "${name}"`);
    if (second !== undefined) throw new Error(`the simulated vCenter has several VMs "${name}"`);
    return found;
  }

  add(input: VmInput): SimulatedVm {
    const spec = vmSpec(input);
    const number = (this.#last += 1);
    const placed = placeDisks(spec);
    const folder = this.#inventory.folderAt(spec.folder);
    const host = this.#hostOf(spec, number);
    const ref = new MoRef('VirtualMachine', `vm-${number}`);
    const parts = { ref, spec, number, placed, host, createdAt: rfc3339(this.#clock.now()) };
    const links = this.#links(parts);
    const object = this.#inventory.entity({ ...refOf(ref), name: escapeName(spec.name) }, folder, {
      properties: links,
      later: () => this.#properties(parts),
      computed: { layoutEx: () => this.#layoutOf(ref) },
    });
    const disks = placed.map((disk) => ({ placed: disk, disk: this.files.open(ref.id, disk), epochs: 1 }));
    const tracking = { wanted: spec.changeTracking, active: spec.changeTracking };
    const vm = { object, spec, number, disks, tracking };
    this.#vms.set(ref.id, vm);
    this.#tellNeighbours(object, host.ref);
    return vm;
  }

  remove(vm: SimulatedVm): void {
    this.#vms.delete(vm.object.id);
    this.#inventory.removeEntity(vm.object);
    const [host] = refsIn(vm.object.get('runtime.host'));
    if (host !== undefined) this.#tellNeighbours(vm.object, host);
    for (const { placed } of vm.disks) this.files.close(placed.fileName);
  }

  /** The device of a disk that was added to a VM. */
  deviceOf(vm: SimulatedVm, placed: PlacedDisk): VimObject {
    return diskDevice(placed, { ...vm.spec, changeTracking: false }, this.#contextOf(vm.number));
  }

  /** What the VM has on which datastores has changed. */
  showDatastores(vm: SimulatedVm): void {
    const names = new Set(vm.disks.map(({ placed }) => placed.spec.datastore));
    vm.object.set(
      'datastore',
      [...names].map((name) => this.#inventory.named('Datastore', name).ref),
    );
    vm.object.set('summary.config.numVirtualDisks', vm.disks.length);
    const [host] = refsIn(vm.object.get('runtime.host'));
    if (host !== undefined) this.#tellNeighbours(vm.object, host);
  }

  #layoutOf(ref: MoRef): VimObject | undefined {
    const vm = this.#vms.get(ref.id);
    return vm === undefined ? undefined : this.layoutOf(vm);
  }

  #hostOf(spec: VmSpec, number: number): ManagedObject {
    if (spec.host !== undefined) return this.#inventory.named('HostSystem', spec.host);
    const { hosts } = this.#inventory;
    const host = hosts[(number - 101) % hosts.length];
    if (host === undefined) throw new Error('the simulated vCenter has no host');
    return host;
  }

  #tellNeighbours(object: ManagedObject, host: MoRef): void {
    const refs = [host, ...refsIn(object.get('datastore')), ...refsIn(object.get('network'))];
    for (const ref of refs) this.#inventory.registry.find(ref)?.touch('vm');
    this.#inventory.resourcePool.touch('vm');
  }

  /** What ties it to the rest of the inventory: names that are not there are an error at once. */
  #links({ spec }: VmParts): Readonly<Record<string, readonly (VimObject | MoRef)[] | MoRef>> {
    const networks = [...new Set(spec.nics.map((nic) => nic.network))];
    const stores = [...new Set(spec.disks.map((disk) => disk.datastore))];
    const customValue = Object.entries(spec.custom).map(([name, value]) =>
      vim('CustomFieldStringValue', { key: this.#inventory.customField(name), value }),
    );
    return {
      resourcePool: this.#inventory.resourcePool.ref,
      datastore: stores.map((name) => this.#inventory.named('Datastore', name).ref),
      network: networks.map((name) => this.#inventory.named('Network', name).ref),
      ...(customValue.length > 0 && { customValue }),
    };
  }

  #properties(parts: VmParts): Readonly<Record<string, VimObject>> {
    const { spec, placed, host, createdAt } = parts;
    const isOn = spec.power === 'on';
    const runtime = vim('VirtualMachineRuntimeInfo', {
      host: host.ref,
      connectionState: spec.connection,
      powerState: spec.power === 'suspended' ? 'suspended' : isOn ? 'poweredOn' : 'poweredOff',
      toolsInstallerMounted: false,
      ...(isOn && { bootTime: createdAt }),
      consolidationNeeded: spec.consolidationNeeded,
    });
    const toolsRun = isOn && spec.guest.tools === 'running';
    return {
      capability: vim('VirtualMachineCapability', { changeTrackingSupported: true }),
      config: this.#config(parts),
      summary: summaryOf(parts, runtime, toolsRun),
      guest: guestInfo(spec, placed, parts.number, toolsRun),
      runtime,
    };
  }

  #contextOf(number: number): DeviceContext {
    return {
      number,
      datastore: (name) => this.#inventory.named('Datastore', name).ref,
      network: (name) => this.#inventory.backingOf(name),
    };
  }

  #config({ spec, placed, number, createdAt }: VmParts): VimObject {
    const device = devicesOf(spec, placed, this.#contextOf(number));
    const bootOrder = spec.bootDisks.flatMap((index) => {
      const disk = placed[index];
      return disk === undefined
        ? []
        : [vim('VirtualMachineBootOptionsBootableDiskDevice', { deviceKey: disk.key })];
    });
    return vim('VirtualMachineConfigInfo', {
      changeVersion: '1',
      modified: createdAt,
      name: escapeName(spec.name),
      guestFullName: spec.guest.fullName,
      version: 'vmx-19',
      ...uuidsOf(spec, number),
      template: spec.template,
      guestId: spec.guest.id,
      annotation: spec.notes ?? '',
      hardware: vim('VirtualHardware', {
        numCPU: spec.cpu,
        numCoresPerSocket: spec.coresPerSocket,
        memoryMB: spec.memoryMiB,
        device,
      }),
      extraConfig: extraConfigOf(spec, placed),
      bootOptions: vim('VirtualMachineBootOptions', { efiSecureBootEnabled: spec.secureBoot, bootOrder }),
      firmware: spec.firmware,
      cpuHotAddEnabled: spec.cpuHotAdd,
      cpuHotRemoveEnabled: false,
      memoryHotAddEnabled: spec.memoryHotAdd,
      nestedHVEnabled: spec.nestedHv,
      changeTrackingEnabled: spec.changeTracking,
    });
  }
}

interface VmParts {
  readonly ref: MoRef;
  readonly spec: VmSpec;
  readonly number: number;
  readonly placed: readonly PlacedDisk[];
  readonly host: ManagedObject;
  /** RFC 3339. */
  readonly createdAt: string;
}

function refOf(ref: MoRef): { readonly type: string; readonly id: string } {
  return { type: ref.type, id: ref.id };
}

function uuidsOf(spec: VmSpec, number: number): { readonly uuid: string; readonly instanceUuid: string } {
  const tail = String(number).padStart(12, '0');
  return {
    uuid: spec.uuid ?? `42200000-0000-4000-8000-${tail}`,
    instanceUuid: spec.instanceUuid ?? `50200000-0000-4000-8000-${tail}`,
  };
}

function summaryOf(
  { ref, spec, placed, number, createdAt: timestamp }: VmParts,
  runtime: VimObject,
  toolsRun: boolean,
): VimObject {
  const committed = spec.disks.reduce((sum, disk) => sum + Math.floor(disk.sizeBytes / 2), 0);
  const { id: guestId, fullName: guestFullName } = spec.guest;
  return vim('VirtualMachineSummary', {
    vm: ref,
    runtime,
    guest: vim('VirtualMachineGuestSummary', { guestId, guestFullName, ...guestSummary(spec, toolsRun) }),
    config: vim('VirtualMachineConfigSummary', {
      name: escapeName(spec.name),
      template: spec.template,
      vmPathName: `[${placed[0]?.spec.datastore ?? 'datastore1'}] ${spec.name}/${spec.name}.vmx`,
      memorySizeMB: spec.memoryMiB,
      numCpu: spec.cpu,
      numEthernetCards: spec.nics.length,
      numVirtualDisks: spec.disks.length,
      ...uuidsOf(spec, number),
      guestId,
      guestFullName,
      tpmPresent: spec.tpm,
    }),
    storage: vim('VirtualMachineStorageSummary', {
      committed,
      uncommitted: committed,
      unshared: committed,
      timestamp,
    }),
    quickStats: vim('VirtualMachineQuickStats', { balloonedMemory: 0 }),
    overallStatus: 'green',
  });
}

/** The part of summary.guest that comes and goes with the tools. */
function guestSummary(spec: VmSpec, toolsRun: boolean): Readonly<Record<string, string>> {
  const ipAddress = spec.nics.flatMap((nic) => nic.addresses.map(({ ip }) => ip))[0];
  return {
    toolsStatus: toolsStatus(spec, toolsRun),
    toolsRunningStatus: toolsRun ? 'guestToolsRunning' : 'guestToolsNotRunning',
    ...(toolsRun && { hostName: spec.guest.hostname }),
    ...(toolsRun && ipAddress !== undefined && { ipAddress }),
  };
}

/** Tools came up, or went down with the guest. */
export function setToolsRunning(vm: SimulatedVm, toolsRun: boolean): void {
  const { object, spec } = vm;
  const placed = vm.disks.map((disk) => disk.placed);
  object.set('guest', guestInfo(spec, placed, vm.number, toolsRun));
  const { id: guestId, fullName: guestFullName } = spec.guest;
  object.set(
    'summary.guest',
    vim('VirtualMachineGuestSummary', { guestId, guestFullName, ...guestSummary(spec, toolsRun) }),
  );
}

/** Power state, wherever it is shown. */
export function setPowerState(vm: SimulatedVm, state: 'poweredOn' | 'poweredOff', now: string): void {
  for (const runtime of ['runtime', 'summary.runtime']) {
    vm.object.set(`${runtime}.powerState`, state);
    vm.object.set(`${runtime}.bootTime`, state === 'poweredOn' ? now : undefined);
  }
}
