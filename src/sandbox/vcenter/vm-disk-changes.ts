import { loseTracking } from './change-tracking.ts';
import { isInSnapshots, placeAnother } from './disk-placement.ts';
import type { Snapshots } from './snapshots.ts';
import { invalidArgument, notSupported } from './vim-fault.ts';
import type { SimulatedVm, VmDisk, VmStore } from './vm-store.ts';
import { diskSpec, type DiskInput } from './vm-spec.ts';

/** What may happen to a VM's disks while somebody migrates it. Each throws VimFault when vSphere would not do it. */
export class DiskChanges {
  readonly #vms: VmStore;
  readonly #snapshots: Snapshots;

  constructor(vms: VmStore, snapshots: Snapshots) {
    this.#vms = vms;
    this.#snapshots = snapshots;
  }

  /** A new disk of zeros; returns its device key. It is in no snapshot that is there already. */
  add(vm: SimulatedVm, input: DiskInput, at: Parameters<typeof placeAnother>[3] = {}): number {
    const there = vm.disks.map(({ placed }) => placed);
    const placed = placeAnother(vm.object.text('config.name'), there, diskSpec(input), at);
    if (there.some(({ key }) => key === placed.key)) throw invalidArgument('unitNumber');
    const chain = this.#snapshots.chainOf(vm);
    vm.disks = [...vm.disks, { placed, disk: this.#vms.files.open(vm.object.id, placed), epochs: 1 }];
    chain.setLiveFile(placed.key, placed.fileName);
    vm.object.set(`config.hardware.device[${placed.key}]`, this.#vms.deviceOf(vm, placed));
    this.#shown(vm);
    return placed.key;
  }

  /**
   * More bytes at the end; what is tracked begins anew (fact: vs 4.4b). That it is refused under a snapshot is inferred; the fault is vSphere's
   * usual one for what it does not do.
   */
  grow(vm: SimulatedVm, key: number, sizeBytes: number): void {
    const disk = this.#diskOf(vm, key);
    if (sizeBytes < disk.disk.sizeBytes) throw invalidArgument('capacityInKB');
    if (sizeBytes === disk.disk.sizeBytes) return;
    this.#checkAlone(vm, disk);
    disk.disk.grow(sizeBytes);
    disk.placed = { ...disk.placed, spec: { ...disk.placed.spec, sizeBytes } };
    loseTracking(disk);
    const { deviceInfo, capacityInKB, capacityInBytes } = this.#vms.deviceOf(vm, disk.placed);
    for (const [field, value] of Object.entries({ deviceInfo, capacityInKB, capacityInBytes })) {
      vm.object.set(`config.hardware.device[${key}].${field}`, value);
    }
    this.#shown(vm);
  }

  /** To another datastore, while the VM runs or not; what is tracked begins anew (fact: vs 4.5, storage vMotion). */
  move(vm: SimulatedVm, key: number, datastore: string): void {
    const disk = this.#diskOf(vm, key);
    this.#checkAlone(vm, disk);
    const fileName = disk.placed.fileName.replace(/^\[[^\]]*\]/, `[${datastore}]`);
    this.#vms.files.rename(disk.placed.fileName, fileName);
    disk.placed = { ...disk.placed, fileName, spec: { ...disk.placed.spec, datastore } };
    loseTracking(disk);
    this.#snapshots.chainOf(vm).setLiveFile(key, fileName);
    const moved = this.#vms.deviceOf(vm, disk.placed)['backing'];
    vm.object.set(`config.hardware.device[${key}].backing`, moved);
    this.#shown(vm);
  }

  /** Its bytes go with it unless another VM has the file too. */
  remove(vm: SimulatedVm, key: number): void {
    const disk = this.#diskOf(vm, key);
    this.#checkAlone(vm, disk);
    vm.disks = vm.disks.filter((each) => each !== disk);
    this.#snapshots.chainOf(vm).forgetDisk(key);
    vm.object.set(`config.hardware.device[${key}]`, undefined);
    this.#vms.files.close(disk.placed.fileName);
    this.#shown(vm);
  }

  #diskOf(vm: SimulatedVm, key: number): VmDisk {
    const disk = vm.disks.find(({ placed }) => placed.key === key);
    if (disk === undefined) throw invalidArgument('deviceChange.device.key');
    return disk;
  }

  #checkAlone(vm: SimulatedVm, { placed }: VmDisk): void {
    const isHeld = this.#snapshots.chainOf(vm).all.some((node) => node.links.has(placed.key));
    if (isHeld && isInSnapshots(placed.spec)) throw notSupported(`${placed.fileName} has snapshots`);
  }

  #shown(vm: SimulatedVm): void {
    this.#vms.showDatastores(vm);
    this.#snapshots.show(vm);
  }
}
