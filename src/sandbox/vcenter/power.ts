import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { Faults, Trace } from '../world.ts';
import type { Tasks } from './tasks.ts';
import type { Timers } from './timers.ts';
import type { VimFault } from './vim-fault.ts';
import { invalidPowerState, taskInProgress, toolsUnavailable } from './vim-fault.ts';
import type { MoRef } from './vim-value.ts';
import { setPowerState, setToolsRunning, type SimulatedVm } from './vm-store.ts';

/** How long things take, in milliseconds, before they are divided by `speed`. */
export interface PowerLatencies {
  /** From queued to running. */
  readonly taskStartMs: number;
  readonly powerOnMs: number;
  readonly powerOffMs: number;
  /** From the request until the guest has switched itself off. */
  readonly guestShutdownMs: number;
  /** From power-on until the tools report. */
  readonly toolsStartMs: number;
}

export const usualLatencies: PowerLatencies = {
  taskStartMs: 200,
  powerOnMs: 2_000,
  powerOffMs: 1_500,
  guestShutdownMs: 10_000,
  toolsStartMs: 15_000,
};

type Target = 'poweredOn' | 'poweredOff';

/** Who asks: the name in the trace and in TaskInfo.reason. */
export interface Actor {
  readonly userName: string;
}

/** Switches VMs on and off, at once by hand or through tasks (fact: vs 1.5). */
export class PowerControl {
  readonly #clock: Clock;
  readonly #tasks: Tasks;
  readonly #timers: Timers;
  readonly #faults: Faults;
  readonly #trace: Trace;
  readonly #latencies: PowerLatencies;
  /** The power task that holds a VM, and what its guest will do by itself later. */
  readonly #busy = new Map<SimulatedVm, MoRef>();
  readonly #pending = new Map<SimulatedVm, Disposable>();

  constructor(deps: {
    readonly clock: Clock;
    readonly tasks: Tasks;
    readonly timers: Timers;
    readonly faults: Faults;
    readonly trace: Trace;
    readonly latencies: PowerLatencies;
  }) {
    this.#clock = deps.clock;
    this.#tasks = deps.tasks;
    this.#timers = deps.timers;
    this.#faults = deps.faults;
    this.#trace = deps.trace;
    this.#latencies = deps.latencies;
  }

  powerOn(vm: SimulatedVm, actor: Actor): MoRef {
    return this.#run(vm, actor, 'poweredOn', 'PowerOnVM_Task', 'VirtualMachine.powerOn');
  }

  powerOff(vm: SimulatedVm, actor: Actor): MoRef {
    return this.#run(vm, actor, 'poweredOff', 'PowerOffVM_Task', 'VirtualMachine.powerOff');
  }

  /**
   * Asks the guest and returns at once: there is no task (fact: vs 1.5). Throws InvalidPowerState when it is off already and
   * ToolsUnavailable without running tools. A guest may ignore it.
   */
  shutdownGuest(vm: SimulatedVm, actor: Actor): void {
    const state = vm.object.text('runtime.powerState');
    if (state !== 'poweredOn') throw invalidPowerState('poweredOff', state);
    if (vm.object.get('guest.toolsRunningStatus') !== 'guestToolsRunning') throw toolsUnavailable();
    this.#note(vm, actor.userName, 'ShutdownGuest');
    if (this.#faults.strikes('guest-ignores-shutdown', vm.object.text('name'))) return;
    this.#afterwards(vm, this.#latencies.guestShutdownMs, () => this.set(vm, 'poweredOff', 'guest'));
  }

  /** At once, whoever does it: an administrator in his own client, the guest itself. No-op when it is so already. */
  set(vm: SimulatedVm, state: Target, who: string): void {
    if (vm.object.get('runtime.powerState') === state) return;
    this.#pending.get(vm)?.[Symbol.dispose]();
    this.#note(vm, who, state);
    setPowerState(vm, state, rfc3339(this.#clock.now()));
    if (state === 'poweredOff') setToolsRunning(vm, false);
    else if (vm.spec.guest.tools === 'running') {
      this.#afterwards(vm, this.#latencies.toolsStartMs, () => setToolsRunning(vm, true));
    }
  }

  /** The VM is being removed: nothing may happen to it any more. */
  forget(vm: SimulatedVm): void {
    this.#pending.get(vm)?.[Symbol.dispose]();
    this.#pending.delete(vm);
    this.#busy.delete(vm);
  }

  /** A VM in the wrong state, or held by another task, makes the task fail, not the call. fact: vs 1.5, 1.6; where it shows: inferred. */
  #run(vm: SimulatedVm, actor: Actor, target: Target, name: string, descriptionId: string): MoRef {
    this.#note(vm, actor.userName, name);
    const task = this.#tasks.create({ name, descriptionId, entity: vm.object, userName: actor.userName });
    const holder = this.#busy.get(vm);
    if (holder === undefined) this.#busy.set(vm, task.ref);
    const finish = (result?: VimFault): void => {
      if (this.#busy.get(vm) === task.ref) this.#busy.delete(vm);
      task.finish(result);
    };
    const { taskStartMs, powerOnMs, powerOffMs } = this.#latencies;
    this.#timers.later(taskStartMs, () => {
      task.start();
      const state = vm.object.text('runtime.powerState');
      if (holder !== undefined) finish(taskInProgress(holder));
      else if (state === target) finish(invalidPowerState(target, state));
      else if (target === 'poweredOff' && state === 'suspended') finish(invalidPowerState(target, state));
      else {
        this.#timers.later(target === 'poweredOn' ? powerOnMs : powerOffMs, () => {
          this.set(vm, target, 'vcenter');
          finish();
        });
      }
    });
    return task.ref;
  }

  #afterwards(vm: SimulatedVm, ms: number, fn: () => void): void {
    this.#pending.get(vm)?.[Symbol.dispose]();
    const timer = this.#timers.later(ms, () => {
      this.#pending.delete(vm);
      fn();
    });
    this.#pending.set(vm, timer);
  }

  #note(vm: SimulatedVm, who: string, what: string): void {
    this.#trace.add({ who, what, on: vm.object.text('name') });
  }
}
