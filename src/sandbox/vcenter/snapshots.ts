import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { Disk, DiskStore } from '../disk-store.ts';
import { vim } from './vim-schema.ts';
import { isVimObject, MoRef, type VimObject, type VimValue } from './vim-value.ts';
import type { SimulatedVm } from './vm-store.ts';

interface Snapshot {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly power: string;
  /** What each disk held then, by the file it had then. */
  readonly frozen: readonly { readonly file: string; readonly key: number; readonly disk: Disk }[];
}

/**
 * Snapshots that somebody makes by hand, a backup product for instance; the API methods come with the warm slice. While there is one
 * the live disks are deltas, `x-000001.vmdk` on `x.vmdk` (fact: vs 4.4b).
 */
export class Snapshots {
  readonly #clock: Clock;
  readonly #disks: DiskStore;
  readonly #ofVm = new Map<SimulatedVm, Snapshot[]>();
  #last = 50;

  constructor(clock: Clock, disks: DiskStore) {
    this.#clock = clock;
    this.#disks = disks;
  }

  /** Returns its id. */
  take(vm: SimulatedVm, name: string): string {
    const id = `snapshot-${(this.#last += 1)}`;
    const frozen = vm.disks.map(({ placed, disk }) => ({
      file: fileOf(vm, placed.key),
      key: placed.key,
      disk: copyOf(this.#disks, disk, `${disk.id}@${id}`),
    }));
    const taken = this.of(vm);
    const power = vm.object.text('runtime.powerState');
    const snapshot = { id, name, createdAt: rfc3339(this.#clock.now()), power, frozen };
    this.#ofVm.set(vm, [...taken, snapshot]);
    this.#show(vm);
    return id;
  }

  /** Merged at once. No-op when it is not there. */
  remove(vm: SimulatedVm, id: string): void {
    const taken = this.of(vm);
    for (const { disk } of taken.find((each) => each.id === id)?.frozen ?? []) this.#disks.delete(disk.id);
    this.#ofVm.set(
      vm,
      taken.filter((each) => each.id !== id),
    );
    this.#show(vm);
  }

  /** With the VM itself. */
  forget(vm: SimulatedVm): void {
    for (const { frozen } of this.of(vm)) for (const { disk } of frozen) this.#disks.delete(disk.id);
    this.#ofVm.delete(vm);
  }

  of(vm: SimulatedVm): readonly Snapshot[] {
    return this.#ofVm.get(vm) ?? [];
  }

  /** Oldest first, as a chain: each is the child of the one before. */
  #show(vm: SimulatedVm): void {
    const taken = this.of(vm);
    const tree = taken.reduceRight<VimObject | undefined>(
      (child, snapshot) => this.#node(vm, snapshot, child),
      undefined,
    );
    const last = taken.at(-1);
    const info =
      tree === undefined || last === undefined
        ? undefined
        : vim('VirtualMachineSnapshotInfo', {
            currentSnapshot: new MoRef('VirtualMachineSnapshot', last.id),
            rootSnapshotList: [tree],
          });
    vm.object.set('snapshot', info);
    for (const { placed } of vm.disks) this.#setFile(vm, placed.key, placed.fileName, taken.length);
  }

  #node(vm: SimulatedVm, snapshot: Snapshot, child: VimObject | undefined): VimObject {
    return vim('VirtualMachineSnapshotTree', {
      snapshot: new MoRef('VirtualMachineSnapshot', snapshot.id),
      vm: vm.object.ref,
      name: snapshot.name,
      description: '',
      id: Number(snapshot.id.replace('snapshot-', '')) - 50,
      createTime: snapshot.createdAt,
      state: snapshot.power,
      quiesced: false,
      childSnapshotList: child === undefined ? [] : [child],
      replaySupported: false,
    });
  }

  /** Independent disks and raw mappings stay out of snapshots (fact: vs 4.5). */
  #setFile(vm: SimulatedVm, key: number, base: string, depth: number): void {
    const path = `config.hardware.device[${key}].backing`;
    const backing = vm.object.get(path);
    if (!isVimObject(backing) || backing['diskMode'] !== 'persistent') return;
    if (backing.$type !== 'VirtualDiskFlatVer2BackingInfo') return;
    const { parent: _parent, ...own } = backing;
    const parent: VimValue = { ...own, fileName: deltaName(base, depth - 1), $type: backing.$type };
    const fileName = deltaName(base, depth);
    vm.object.set(path, { ...own, fileName, $type: backing.$type, ...(depth > 0 && { parent }) });
  }
}

function deltaName(base: string, depth: number): string {
  return depth <= 0 ? base : base.replace(/\.vmdk$/, `-${String(depth).padStart(6, '0')}.vmdk`);
}

export function fileOf(vm: SimulatedVm, key: number): string {
  return vm.object.text(`config.hardware.device[${key}].backing.fileName`);
}

function copyOf(store: DiskStore, from: Disk, id: string): Disk {
  const copy = store.create(id, from.sizeBytes);
  for (const { offset, length } of from.extents()) copy.write(offset, from.read(offset, length));
  return copy;
}
