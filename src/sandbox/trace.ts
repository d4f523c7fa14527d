import type { Clock } from '../runtime/clock.ts';
import type { Trace, TraceEntry } from './world.ts';

/** Keeps everything that is told to it, in order, with the world's time. */
export class RecordedTrace implements Trace {
  readonly #clock: Clock;
  readonly #entries: TraceEntry[] = [];
  readonly #followers = new Set<(entry: TraceEntry) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  add(entry: Omit<TraceEntry, 'atMs'>): void {
    const told: TraceEntry = { atMs: this.#clock.now(), ...entry };
    this.#entries.push(told);
    for (const follower of this.#followers) follower(told);
  }

  /** Called with each entry in the very moment it is told, before whoever told it goes on. */
  follow(follower: (entry: TraceEntry) => void): Disposable {
    this.#followers.add(follower);
    return { [Symbol.dispose]: () => void this.#followers.delete(follower) };
  }
}
