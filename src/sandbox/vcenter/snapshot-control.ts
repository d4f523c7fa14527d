import type { Faults } from '../world.ts';
import { loseTracking } from './change-tracking.ts';
import { isInSnapshots } from './disk-placement.ts';
import type { PowerControl } from './power.ts';
import type { Snapshot, Snapshots } from './snapshots.ts';
import { noDiskSpace, notFound, notSupported, quiesceFault, taskInProgress } from './vim-fault.ts';
import { MoRef } from './vim-value.ts';
import type { SimulatedVm } from './vm-store.ts';
import type { Actor, VmTasks } from './vm-tasks.ts';

/** How long things take, in milliseconds, before they are divided by `speed`. */
export interface SnapshotLatencies {
  readonly snapshotMs: number;
  /** More, when the guest is quiesced. */
  readonly quiesceMs: number;
  /** One snapshot's files into those below. */
  readonly consolidateMs: number;
  readonly revertMs: number;
}

export const usualSnapshotLatencies: SnapshotLatencies = {
  snapshotMs: 1_500,
  quiesceMs: 2_000,
  consolidateMs: 3_000,
  revertMs: 2_000,
};

/** The fault `consolidation-slow` multiplies the time by this. */
const slowFactor = 100;
/** How often a task tells its progress. */
const steps = 3;

export interface SnapshotRequest {
  readonly name: string;
  readonly description: string;
  readonly memory: boolean;
  readonly quiesce: boolean;
  /** CreateSnapshot_Task or CreateSnapshotEx_Task. */
  readonly method: string;
}

/** Snapshots through the API: tasks that take time and can fail (fact: vs 1.5, 4.5). */
export class SnapshotControl {
  readonly #tasks: VmTasks;
  readonly #snapshots: Snapshots;
  readonly #power: PowerControl;
  readonly #faults: Faults;
  readonly #latencies: SnapshotLatencies;

  constructor(deps: {
    readonly tasks: VmTasks;
    readonly snapshots: Snapshots;
    readonly power: PowerControl;
    readonly faults: Faults;
    readonly latencies: SnapshotLatencies;
  }) {
    this.#tasks = deps.tasks;
    this.#snapshots = deps.snapshots;
    this.#power = deps.power;
    this.#faults = deps.faults;
    this.#latencies = deps.latencies;
  }

  create(vm: SimulatedVm, actor: Actor, request: SnapshotRequest): MoRef {
    // fact: vs 1.5: without running tools quiescing is left out.
    const quiesced = request.quiesce && vm.object.get('guest.toolsRunningStatus') === 'guestToolsRunning';
    return this.#tasks.run(vm, actor, {
      name: request.method,
      descriptionId: `VirtualMachine.${methodWord(request.method)}`,
      steps,
      begin: () => {
        this.#checkCreate(vm, quiesced);
        return this.#latencies.snapshotMs + (quiesced ? this.#latencies.quiesceMs : 0);
      },
      end: () => {
        const { name, description, memory } = request;
        if (this.#strikes('change-tracking-lost', vm)) for (const disk of vm.disks) loseTracking(disk);
        const taken = this.#snapshots.take(vm, { name, description, memory, quiesced });
        return taken.object.ref;
      },
    });
  }

  remove(vm: SimulatedVm, actor: Actor, snapshotId: string, options: RemoveOptions): MoRef {
    const description = { name: 'RemoveSnapshot_Task', descriptionId: 'vm.Snapshot.remove' };
    return this.#remove(vm, actor, description, options.consolidate, () => {
      const snapshot = this.#snapshots.of(vm).find(({ id }) => id === snapshotId);
      if (snapshot === undefined) throw notFound(new MoRef('VirtualMachineSnapshot', snapshotId));
      if (!options.removeChildren) return [snapshot];
      return this.#snapshots.chainOf(vm).withDescendants(snapshot);
    });
  }

  removeAll(vm: SimulatedVm, actor: Actor, consolidate: boolean): MoRef {
    const name = 'RemoveAllSnapshots_Task';
    const descriptionId = 'VirtualMachine.removeAllSnapshots';
    return this.#remove(vm, actor, { name, descriptionId }, consolidate, () =>
      [...this.#snapshots.of(vm)].reverse(),
    );
  }

  /** fact: vs 1.5: what earlier removals have left is merged now. */
  consolidate(vm: SimulatedVm, actor: Actor): MoRef {
    return this.#tasks.run(vm, actor, {
      name: 'ConsolidateVMDisks_Task',
      descriptionId: 'VirtualMachine.consolidateDisks',
      steps,
      begin: () => this.#consolidationMs(vm, 1),
      end: () => {
        if (!this.#strikes('consolidation-fails', vm)) this.#snapshots.consolidate(vm);
        return undefined;
      },
    });
  }

  /** Back to a snapshot: to the current one without `snapshotId`. The VM then is as the snapshot says, on or off. */
  revert(vm: SimulatedVm, actor: Actor, snapshotId: string | undefined, suppressPowerOn: boolean): MoRef {
    const wanted = snapshotId === undefined ? this.#currentId(vm) : snapshotId;
    const find = (): Snapshot => {
      const snapshot = this.#snapshots.of(vm).find(({ id }) => id === wanted);
      if (snapshot === undefined) throw notFound(new MoRef('VirtualMachineSnapshot', wanted ?? ''));
      return snapshot;
    };
    const [name, descriptionId] =
      snapshotId === undefined
        ? ['RevertToCurrentSnapshot_Task', 'VirtualMachine.revertToCurrentSnapshot']
        : ['RevertToSnapshot_Task', 'vm.Snapshot.revert'];
    return this.#tasks.run(vm, actor, {
      name,
      descriptionId,
      begin: () => (find(), this.#latencies.revertMs),
      end: () => {
        const snapshot = find();
        this.#power.set(vm, 'poweredOff', 'vcenter');
        this.#snapshots.revert(vm, snapshot);
        if (snapshot.power === 'poweredOn' && !suppressPowerOn) this.#power.set(vm, 'poweredOn', 'vcenter');
        return undefined;
      },
    });
  }

  #remove(
    vm: SimulatedVm,
    actor: Actor,
    names: { readonly name: string; readonly descriptionId: string },
    consolidate: boolean,
    which: () => readonly Snapshot[],
  ): MoRef {
    let going: readonly Snapshot[] = [];
    return this.#tasks.run(vm, actor, {
      ...names,
      steps,
      begin: () => {
        going = which();
        this.#snapshots.hide(vm, going);
        return this.#consolidationMs(vm, going.length);
      },
      end: () => {
        // fact: vs 4.5: it may succeed and leave files.
        const fails = !consolidate || this.#strikes('consolidation-fails', vm);
        if (fails) this.#snapshots.leave(vm, going);
        else this.#snapshots.merge(vm, going);
        return undefined;
      },
    });
  }

  #consolidationMs(vm: SimulatedVm, count: number): number {
    const factor = this.#strikes('consolidation-slow', vm) ? slowFactor : 1;
    return this.#latencies.consolidateMs * Math.max(1, count) * factor;
  }

  /** fact: vs 4.5: what a snapshot cannot be taken of, and why one fails; the fault for shared disks is inferred. */
  #checkCreate(vm: SimulatedVm, quiesced: boolean): void {
    if (this.#strikes('snapshot-busy', vm)) throw taskInProgress(new MoRef('Task', 'task-1'));
    const shared = vm.disks.find(({ placed }) => placed.spec.sharing === 'sharingMultiWriter');
    if (shared !== undefined) throw notSupported(`${shared.placed.fileName} is shared by several writers`);
    if (quiesced && this.#strikes('snapshot-quiesce-fails', vm)) throw quiesceFault(vm.spec.guest.family);
    const held = vm.disks.find(({ placed }) => isInSnapshots(placed.spec));
    if (held !== undefined && this.#strikes('datastore-full', vm)) {
      throw noDiskSpace(held.placed.fileName, held.placed.spec.datastore);
    }
  }

  #currentId(vm: SimulatedVm): string | undefined {
    const chain = this.#snapshots.chainOf(vm);
    return chain.visibleAbove(chain.current)?.id;
  }

  #strikes(fault: Parameters<Faults['strikes']>[0], vm: SimulatedVm): boolean {
    return this.#faults.strikes(fault, vm.object.text('name'));
  }
}

export interface RemoveOptions {
  readonly removeChildren: boolean;
  readonly consolidate: boolean;
}

/** CreateSnapshotEx_Task: createSnapshotEx. */
function methodWord(method: string): string {
  const word = method.replace(/_Task$/, '');
  return word.charAt(0).toLowerCase() + word.slice(1);
}
