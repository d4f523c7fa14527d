import { Fifo } from './fifo.ts';

/** At most `limit` of the tasks given to it run at once; the others wait their turn, in order. */
export class Limiter {
  #free: number;
  readonly #waiting = new Fifo<() => void>();

  /** Throws RangeError for a limit below one: nothing would ever run. */
  constructor(limit: number) {
    if (!(limit >= 1)) throw new RangeError(`a limit of ${limit} lets nothing run`);
    this.#free = limit;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      // The place goes to the next one in line directly, so that nobody who comes now can take it.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
