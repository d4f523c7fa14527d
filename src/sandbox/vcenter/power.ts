import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { Faults, Trace } from '../world.ts';
import type { Timers } from './timers.ts';
import { invalidPowerState, toolsUnavailable } from './vim-fault.ts';
import type { MoRef } from './vim-value.ts';
import { setPowerState, setToolsRunning, type SimulatedVm } from './vm-store.ts';
import type { Actor, VmTasks } from './vm-tasks.ts';

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

/** Switches VMs on and off, at once by hand or through tasks (fact: vs 1.5). */
export class PowerControl {
  readonly #clock: Clock;
  readonly #tasks: VmTasks;
  readonly #timers: Timers;
  readonly #faults: Faults;
  readonly #trace: Trace;
  readonly #latencies: PowerLatencies;
  readonly #stunned: (vm: SimulatedVm) => void;
  /** What a guest will do by itself later. */
  readonly #pending = new Map<SimulatedVm, Disposable>();

  constructor(deps: {
    readonly clock: Clock;
    readonly tasks: VmTasks;
    readonly timers: Timers;
    readonly faults: Faults;
    readonly trace: Trace;
    readonly latencies: PowerLatencies;
    /** Called when a VM begins to run: what waits for a stun takes effect. */
    readonly stunned: (vm: SimulatedVm) => void;
  }) {
    this.#clock = deps.clock;
    this.#tasks = deps.tasks;
    this.#timers = deps.timers;
    this.#faults = deps.faults;
    this.#trace = deps.trace;
    this.#latencies = deps.latencies;
    this.#stunned = deps.stunned;
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
    if (state === 'poweredOn') this.#stunned(vm);
    if (state === 'poweredOff') setToolsRunning(vm, false);
    else if (vm.spec.guest.tools === 'running') {
      this.#afterwards(vm, this.#latencies.toolsStartMs, () => setToolsRunning(vm, true));
    }
  }

  /** The VM is being removed: nothing may happen to it any more. */
  forget(vm: SimulatedVm): void {
    this.#pending.get(vm)?.[Symbol.dispose]();
    this.#pending.delete(vm);
    this.#tasks.forget(vm);
  }

  /** A VM in the wrong state makes the task fail, not the call. fact: vs 1.5, 1.6; where it shows: inferred. */
  #run(vm: SimulatedVm, actor: Actor, target: Target, name: string, descriptionId: string): MoRef {
    const { powerOnMs, powerOffMs } = this.#latencies;
    return this.#tasks.run(vm, actor, {
      name,
      descriptionId,
      begin: () => {
        const state = vm.object.text('runtime.powerState');
        const cannot = state === target || (target === 'poweredOff' && state === 'suspended');
        if (cannot) throw invalidPowerState(target, state);
        return target === 'poweredOn' ? powerOnMs : powerOffMs;
      },
      end: () => {
        this.set(vm, target, 'vcenter');
        return undefined;
      },
    });
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
