import type { Clock } from '../runtime/clock.ts';
import type { Trace, TraceEntry } from './world.ts';

/** Keeps everything that is told to it, in order, with the world's time. */
export class RecordedTrace implements Trace {
  readonly #clock: Clock;
  readonly #entries: TraceEntry[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  add(entry: Omit<TraceEntry, 'atMs'>): void {
    this.#entries.push({ atMs: this.#clock.now(), ...entry });
  }
}
