import type { Clock } from '../runtime/clock.ts';

/** Told by a reflector whether it knows what happens. */
export interface SightObserver {
  /** It fails again and again: what its cache shows may long be over. */
  lost(): void;
  /** Its cache is whole again. */
  regained(): void;
}

/**
 * Since when the caches of several reflectors have shown the world without a gap. Whoever gives something up because it did not happen in
 * time has to have been looking.
 */
export class Sight {
  readonly #clock: Clock;
  readonly #lost = new Set<string>();
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.now();
  }

  /** Milliseconds since 1970; now while anything is hidden. */
  get since(): number {
    return this.#lost.size > 0 ? this.#clock.now() : this.#sinceMs;
  }

  /** What the reflector `name` tells. */
  of(name: string): SightObserver {
    return {
      lost: () => void this.#lost.add(name),
      regained: () => {
        if (this.#lost.delete(name)) this.#sinceMs = this.#clock.now();
      },
    };
  }
}
