import type { FaultName, Faults, Trace } from './world.ts';

interface Fault {
  readonly name: FaultName;
  readonly subject: string | undefined;
  /** Strikes that are left. */
  left: number;
}
type StartListener = (subject: string | undefined) => void;

/** Faults that tests and the demo switch on; each strike is written to the trace. */
export class SwitchedFaults implements Faults {
  readonly #trace: Trace;
  readonly #active = new Set<Fault>();
  readonly #listeners = new Map<FaultName, Set<StartListener>>();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  start(name: FaultName, options: { readonly subject?: string; readonly times?: number } = {}): Disposable {
    const { subject, times = Infinity } = options;
    const fault: Fault = { name, subject, left: times };
    if (times > 0) this.#active.add(fault);
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(subject);
    return { [Symbol.dispose]: () => void this.#active.delete(fault) };
  }

  strikes(name: FaultName, subject: string): boolean {
    for (const fault of this.#active) {
      if (fault.name !== name || (fault.subject !== undefined && fault.subject !== subject)) continue;
      fault.left -= 1;
      if (fault.left <= 0) this.#active.delete(fault);
      this.#trace.add({ who: 'fault', what: name, on: subject });
      return true;
    }
    return false;
  }

  onStart(name: FaultName, listener: StartListener): Disposable {
    const listeners = this.#listeners.get(name) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(name, listeners);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }
}
