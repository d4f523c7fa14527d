import { rfc3339, type Clock } from '../../runtime/clock.ts';
import { changeIdAt, loseTracking, stunTracking } from './change-tracking.ts';
import { isInSnapshots } from './disk-placement.ts';
import type { ManagedObject, Registry } from './managed-object.ts';
import { SnapshotChain, type ChainNode, type Link } from './snapshot-chain.ts';
import { backingWith, frozenConfig, snapshotInfo } from './snapshot-views.ts';
import { isVimObject, type VimObject } from './vim-value.ts';
import type { SimulatedVm } from './vm-store.ts';

export interface SnapshotLink extends Link {
  /** State of the disk at this snapshot; undefined where nothing is tracked (fact: vs 4.4b). */
  readonly changeId: string | undefined;
}

export interface Snapshot extends ChainNode {
  readonly name: string;
  readonly description: string;
  readonly createdAt: string;
  /** Where reverting leads to: a snapshot without memory brings back a VM that is off. */
  readonly power: string;
  readonly quiesced: boolean;
  readonly links: ReadonlyMap<number, SnapshotLink>;
  /** The VM's config as it was; files are named anew when links are merged. */
  readonly config: VimObject;
  readonly object: ManagedObject;
}

export interface SnapshotInput {
  readonly name: string;
  readonly description?: string;
  readonly memory: boolean;
  readonly quiesced?: boolean;
}

/** The snapshots of all VMs, changed at once; tasks and their time are in snapshot-control.ts. */
export class Snapshots {
  readonly #clock: Clock;
  readonly #registry: Registry;
  readonly #chains = new Map<SimulatedVm, SnapshotChain<Snapshot>>();
  #last = 50;

  constructor(clock: Clock, registry: Registry) {
    this.#clock = clock;
    this.#registry = registry;
  }

  /** Those in the tree, oldest first. */
  of(vm: SimulatedVm): readonly Snapshot[] {
    return this.#chains.get(vm)?.visible ?? [];
  }

  chainOf(vm: SimulatedVm): SnapshotChain<Snapshot> {
    const existing = this.#chains.get(vm);
    if (existing !== undefined) return existing;
    const chain = new SnapshotChain<Snapshot>();
    chain.leftovers = vm.spec.consolidationNeeded;
    for (const { placed } of vm.disks) chain.setLiveFile(placed.key, placed.fileName);
    this.#chains.set(vm, chain);
    return chain;
  }

  take(vm: SimulatedVm, input: SnapshotInput): Snapshot {
    stunTracking(vm);
    const chain = this.chainOf(vm);
    const id = `snapshot-${(this.#last += 1)}`;
    const links = new Map<number, SnapshotLink>();
    for (const vmDisk of vm.disks) {
      const { placed, disk } = vmDisk;
      const file = chain.liveFile(placed.key);
      if (file === undefined || !isInSnapshots(placed.spec)) continue;
      const view = disk.freeze(`${vm.object.id}/${id}`);
      links.set(placed.key, { file, view, changeId: changeIdAt(vm, vmDisk, view) });
    }
    const isOn = vm.object.get('runtime.powerState') === 'poweredOn';
    const config = vm.object.get('config');
    if (!isVimObject(config)) throw new Error(`${vm.object.id} has no config`);
    const object = this.#registry.add('VirtualMachineSnapshot', id, {
      properties: { vm: vm.object.ref, config },
      computed: { childSnapshot: () => this.#childrenOf(vm, id).map((child) => child.object.ref) },
    });
    const snapshot: Snapshot = {
      id,
      name: input.name,
      description: input.description ?? '',
      createdAt: rfc3339(this.#clock.now()),
      power: input.memory && isOn ? 'poweredOn' : 'poweredOff',
      quiesced: input.quiesced ?? false,
      parent: chain.current,
      links,
      config,
      object,
    };
    chain.add(snapshot);
    this.show(vm);
    return snapshot;
  }

  /**
   * Out of the tree, as the removal begins; the files stay until they are merged. That the entry goes first is inferred from removals that
   * succeed and leave files (fact: vs 4.5).
   */
  hide(vm: SimulatedVm, snapshots: readonly Snapshot[]): void {
    for (const snapshot of snapshots) {
      if (snapshot.left !== undefined) continue;
      snapshot.left = 'merging';
      this.#registry.remove(snapshot.object);
    }
    this.show(vm);
  }

  /** Merges what was hidden; this is a stun too: tracking may begin or end with it. */
  merge(vm: SimulatedVm, snapshots: readonly Snapshot[]): void {
    const chain = this.chainOf(vm);
    const gone = snapshots.filter((node) => chain.merge(node));
    for (const node of [...chain.all]) if (node.left === 'shared' && chain.merge(node)) gone.push(node);
    for (const { links } of gone) {
      for (const [key, { view }] of links) this.#diskOf(vm, key)?.disk.release(view);
    }
    stunTracking(vm);
    this.show(vm);
  }

  /** The merge went wrong: the files stay, and somebody has to consolidate them (fact: vs 4.5). */
  leave(vm: SimulatedVm, snapshots: readonly Snapshot[]): void {
    for (const snapshot of snapshots) snapshot.left = 'unmerged';
    this.show(vm);
  }

  /** Merges all that earlier removals have left. */
  consolidate(vm: SimulatedVm): void {
    const chain = this.chainOf(vm);
    chain.leftovers = false;
    this.merge(
      vm,
      chain.all.filter((node) => node.left === 'unmerged'),
    );
  }

  /** At once. No-op when it is not there. */
  remove(vm: SimulatedVm, id: string): void {
    const snapshot = this.of(vm).find((each) => each.id === id);
    if (snapshot === undefined) return;
    this.hide(vm, [snapshot]);
    this.merge(vm, [snapshot]);
  }

  /** The disks hold again what they held then; what was written since is lost, and so is tracking (fact: vs 4.5). */
  revert(vm: SimulatedVm, snapshot: Snapshot): void {
    const chain = this.chainOf(vm);
    for (const [key, { view }] of snapshot.links) {
      const vmDisk = this.#diskOf(vm, key);
      if (vmDisk === undefined) continue;
      vmDisk.disk.restore(view);
      loseTracking(vmDisk);
    }
    chain.standOn(snapshot);
    this.show(vm);
  }

  /** With the VM itself. */
  forget(vm: SimulatedVm): void {
    for (const { object, links } of this.#chains.get(vm)?.all ?? []) {
      this.#registry.remove(object);
      for (const [key, { view }] of links) this.#diskOf(vm, key)?.disk.release(view);
    }
    this.#chains.delete(vm);
  }

  /** Writes the tree, the files and the changeIds to wherever they can be read. */
  show(vm: SimulatedVm): void {
    const chain = this.chainOf(vm);
    const { object } = vm;
    const parentOf = (snapshot: ChainNode): ChainNode | undefined => chain.visibleAbove(snapshot.parent);
    const current = chain.visibleAbove(chain.current);
    object.set('snapshot', snapshotInfo(object.ref, chain.visible, current, parentOf));
    const roots = chain.visible.filter((snapshot) => parentOf(snapshot) === undefined);
    object.set('rootSnapshot', roots.length === 0 ? undefined : roots.map((root) => root.object.ref));
    for (const snapshot of chain.visible) {
      snapshot.object.set(
        'config',
        frozenConfig(snapshot, (key) => chain.below(snapshot.parent, key)),
      );
    }
    for (const vmDisk of vm.disks) {
      const { key } = vmDisk.placed;
      const path = `config.hardware.device[${key}].backing`;
      const backing = object.get(path);
      const file = chain.liveFile(key);
      if (!isVimObject(backing) || file === undefined) continue;
      const below = chain.below(chain.current, key);
      object.set(path, backingWith(backing, { file, below, changeId: changeIdAt(vm, vmDisk) }));
    }
    for (const runtime of ['runtime', 'summary.runtime']) {
      object.set(`${runtime}.consolidationNeeded`, chain.owesConsolidation);
    }
    object.touch('layoutEx');
  }

  #childrenOf(vm: SimulatedVm, id: string): readonly Snapshot[] {
    const chain = this.chainOf(vm);
    return chain.visible.filter((each) => chain.visibleAbove(each.parent)?.id === id);
  }

  #diskOf(vm: SimulatedVm, key: number): SimulatedVm['disks'][number] | undefined {
    return vm.disks.find(({ placed }) => placed.key === key);
  }
}

export function fileOf(vm: SimulatedVm, key: number): string {
  return vm.object.text(`config.hardware.device[${key}].backing.fileName`);
}
