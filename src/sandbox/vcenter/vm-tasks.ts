import type { Faults, Trace } from '../world.ts';
import type { RunningTask, Tasks } from './tasks.ts';
import type { Timers } from './timers.ts';
import { notFound, taskInProgress, VimFault } from './vim-fault.ts';
import type { MoRef, VimValue } from './vim-value.ts';
import type { SimulatedVm } from './vm-store.ts';

/** Who asks: the name in the trace and in TaskInfo.reason. */
export interface Actor {
  readonly userName: string;
}

/** What a task does. `begin` and `end` may throw a VimFault, which the task ends with. */
export interface VmWork {
  /** The method, and how it is described (fact: vs 1.5). */
  readonly name: string;
  readonly descriptionId: string;
  /** Checks the request when the task begins to run; how long it then takes, in milliseconds before `speed`. */
  begin(): number;
  /** The effect; what it returns is the task's result. */
  end(): VimValue | undefined;
  /** How often progress is told on the way. */
  readonly steps?: number;
}

/** Tasks on VMs: one at a time on each, the others fail with TaskInProgress (fact: vs 1.5, 1.6; that the task fails and not the call: inferred). */
export class VmTasks {
  readonly #tasks: Tasks;
  readonly #timers: Timers;
  readonly #faults: Faults;
  readonly #trace: Trace;
  /** From queued to running, in milliseconds. */
  readonly #startMs: number;
  readonly #busy = new Map<SimulatedVm, MoRef>();

  constructor(deps: {
    readonly tasks: Tasks;
    readonly timers: Timers;
    readonly faults: Faults;
    readonly trace: Trace;
    readonly startMs: number;
  }) {
    this.#tasks = deps.tasks;
    this.#timers = deps.timers;
    this.#faults = deps.faults;
    this.#trace = deps.trace;
    this.#startMs = deps.startMs;
  }

  run(vm: SimulatedVm, actor: Actor, work: VmWork): MoRef {
    const { name, descriptionId } = work;
    this.#trace.add({ who: actor.userName, what: name, on: vm.object.text('name') });
    const task = this.#tasks.create({ name, descriptionId, entity: vm.object, userName: actor.userName });
    const holder = this.#busy.get(vm);
    if (holder === undefined) this.#busy.set(vm, task.ref);
    this.#timers.later(this.#startMs, () => {
      task.start();
      this.#attempt(vm, task, () => {
        if (holder !== undefined) throw taskInProgress(holder);
        this.#carryOn(vm, task, work, work.begin());
      });
    });
    return task.ref;
  }

  /** The VM is being removed: its tasks fail when they come to their end. */
  forget(vm: SimulatedVm): void {
    this.#busy.delete(vm);
  }

  #carryOn(vm: SimulatedVm, task: RunningTask, work: VmWork, durationMs: number): void {
    const { steps = 0 } = work;
    for (let step = 1; step <= steps; step += 1) {
      const part = step / (steps + 1);
      this.#timers.later(durationMs * part, () => task.progress(Math.floor(100 * part)));
    }
    this.#timers.later(durationMs, () => {
      this.#attempt(vm, task, () => {
        if (this.#busy.get(vm) !== task.ref) throw notFound(vm.object.ref);
        this.#finish(vm, task, work.end());
      });
    });
  }

  #attempt(vm: SimulatedVm, task: RunningTask, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof VimFault)) throw error;
      this.#finish(vm, task, error);
    }
  }

  #finish(vm: SimulatedVm, task: RunningTask, result: VimFault | VimValue | undefined): void {
    if (this.#busy.get(vm) === task.ref) this.#busy.delete(vm);
    task.finish(result);
    if (this.#faults.strikes('task-vanished', vm.object.text('name'))) this.#tasks.forget(task.ref);
  }
}
