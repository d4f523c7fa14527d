import type { Disk } from '../disk-store.ts';
import { loseTracking, stunTracking, wantTracking } from './change-tracking.ts';
import { escapeName, type Inventory } from './inventory.ts';
import type { PowerControl } from './power.ts';
import { fileOf, type Snapshots } from './snapshots.ts';
import type { MoRef } from './vim-value.ts';
import type { DiskChanges } from './vm-disk-changes.ts';
import type { DiskInput } from './vm-spec.ts';
import type { SimulatedVm, VmStore } from './vm-store.ts';

/** A VM as tests and the demo handle it: what an administrator could do and see, without the API. */
export interface VmHandle {
  readonly id: string;
  readonly name: string;
  readonly uuid: string;
  readonly instanceUuid: string;
  readonly power: 'poweredOn' | 'poweredOff' | 'suspended';
  readonly hostId: string;
  /** In the order of the spec; `file` is what the VM has open now. Writes to `disk` are the guest's: they are tracked. */
  readonly disks: readonly { readonly key: number; readonly file: string; readonly disk: Disk }[];
  readonly snapshots: readonly { readonly id: string; readonly name: string }[];
  /** At once and by hand: shows in the trace as "administrator". */
  powerOn(): void;
  powerOff(): void;
  rename(name: string): void;
  /** vMotion, done at once. */
  moveHost(hostName: string): void;
  /** With memory, as the vSphere client does it by itself; returns its id. */
  takeSnapshot(name: string): string;
  removeSnapshot(id: string): void;
  /** The VM goes on from what it was then, as a backup product would do it; what is tracked begins anew. */
  revertToSnapshot(id: string): void;
  /** In effect at once, as after a stun. */
  setChangeTracking(on: boolean): void;
  /** changeIds from before are worth nothing any more: a crash, a lost file, an ESXi bug (fact: vs 4.5). All disks, or one by its key. */
  loseChangeTracking(key?: number): void;
  /** Returns the new disk's key. */
  addDisk(disk: DiskInput): number;
  growDisk(key: number, sizeBytes: number): void;
  /** Storage vMotion, done at once. */
  moveDisk(key: number, datastore: string): void;
  removeDisk(key: number): void;
  /** Any other property, for the case that has no verb. */
  set(path: string, value: string | number | boolean | undefined): void;
  remove(): void;
}

interface HandleParts {
  readonly power: PowerControl;
  readonly snapshots: Snapshots;
  readonly inventory: Inventory;
  readonly vms: VmStore;
  readonly diskChanges: DiskChanges;
}

export function vmHandle(vm: SimulatedVm, world: HandleParts): VmHandle {
  const { object } = vm;
  const { power, snapshots, inventory, vms, diskChanges } = world;
  return {
    id: object.id,
    get name() {
      return object.text('name');
    },
    get uuid() {
      return object.text('config.uuid');
    },
    get instanceUuid() {
      return object.text('config.instanceUuid');
    },
    get power() {
      return object.text('runtime.powerState') as VmHandle['power'];
    },
    get hostId() {
      return (object.get('runtime.host') as MoRef).id;
    },
    get disks() {
      return vm.disks.map(({ placed, disk }) => ({
        key: placed.key,
        file: fileOf(vm, placed.key),
        disk,
      }));
    },
    get snapshots() {
      return snapshots.of(vm).map(({ id, name }) => ({ id, name }));
    },
    powerOn: () => power.set(vm, 'poweredOn', 'administrator'),
    powerOff: () => power.set(vm, 'poweredOff', 'administrator'),
    rename: (name) => {
      for (const path of ['name', 'config.name', 'summary.config.name']) object.set(path, escapeName(name));
    },
    moveHost: (hostName) => {
      const { ref } = inventory.named('HostSystem', hostName);
      for (const path of ['runtime.host', 'summary.runtime.host']) object.set(path, ref);
      for (const host of inventory.hosts) host.touch('vm');
    },
    takeSnapshot: (name) => snapshots.take(vm, { name, memory: true }).id,
    removeSnapshot: (id) => snapshots.remove(vm, id),
    revertToSnapshot: (id) => {
      const snapshot = snapshots.of(vm).find((each) => each.id === id);
      if (snapshot === undefined) throw new Error(`${object.text('name')} has no snapshot ${id}`);
      snapshots.revert(vm, snapshot);
    },
    setChangeTracking: (on) => {
      wantTracking(vm, on);
      stunTracking(vm);
      snapshots.show(vm);
    },
    loseChangeTracking: (key) => {
      for (const disk of vm.disks) if (key === undefined || disk.placed.key === key) loseTracking(disk);
      snapshots.show(vm);
    },
    addDisk: (disk) => diskChanges.add(vm, disk),
    growDisk: (key, sizeBytes) => diskChanges.grow(vm, key, sizeBytes),
    moveDisk: (key, datastore) => diskChanges.move(vm, key, datastore),
    removeDisk: (key) => diskChanges.remove(vm, key),
    set: (path, value) => object.set(path, value),
    remove: () => {
      power.forget(vm);
      snapshots.forget(vm);
      vms.remove(vm);
    },
  };
}
