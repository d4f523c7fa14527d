import { setImmediate as afterThisTurn } from 'node:timers';
import type { Clock } from '../runtime/clock.ts';
import { sleepOn } from '../runtime/clock.ts';
import { MinHeap } from '../runtime/min-heap.ts';

interface Timer {
  readonly atMs: number;
  /** Order of arming: breaks ties, so that two runs fire in the same order. */
  readonly seq: number;
  /** Undefined once fired or cancelled; a cancelled timer stays in the heap until its turn. */
  fn: (() => void) | undefined;
}

/**
 * Time that passes only when nobody has anything to do. All parts of an embedded world are promises and callbacks of one process, so
 * "nothing to do" can be seen: once two turns of the event loop have gone by, every promise chain has run to its next wait, and what
 * it waits for is a timer of this clock or the end of a `hold()`.
 *
 * Invariants: timers fire in order of time, then of arming; time never goes back; no timer fires while a hold is open; a callback sees
 * as `now()` exactly the time it was armed for.
 */
export class SimulatedClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;
  #seq = 0;
  readonly #timers = new MinHeap<Timer>((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq));
  #holds = 0;
  #runners = 0;
  #turnPending = false;
  #jumps = 0;
  readonly #released: (() => void)[] = [];

  /** `start`: milliseconds since 1970 that `now()` begins with. */
  constructor(options: { readonly start: number }) {
    this.#startMs = options.start;
    this.#nowMs = options.start;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  setTimeout(fn: () => void, ms: number): Disposable {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), seq: (this.#seq += 1), fn };
    this.#timers.push(timer);
    this.#schedule();
    return {
      [Symbol.dispose]: () => {
        timer.fn = undefined;
      },
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Timers that fired so far: how busy the simulated time was. */
  get jumps(): number {
    return this.#jumps;
  }

  /** Lets time pass by itself until disposed of: whenever the process is idle, the next timer is due at once. */
  run(): Disposable {
    let running = true;
    this.#runners += 1;
    this.#schedule();
    return {
      [Symbol.dispose]: () => {
        if (!running) return;
        running = false;
        this.#runners -= 1;
      },
    };
  }

  /** Stops time while something real is under way that no promise of this process stands for: a file, a socket, another thread. */
  hold(): Disposable {
    let held = true;
    this.#holds += 1;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#holds -= 1;
        if (this.#holds > 0) return;
        for (const resume of this.#released.splice(0)) resume();
        this.#schedule();
      },
    };
  }

  /**
   * Moves time on by `ms` by hand, firing what falls due on the way; between two timers everything that the first one set off runs to
   * its end. Not to be used while `run()` is active: throws.
   */
  async advance(ms: number): Promise<void> {
    if (this.#runners > 0) throw new Error('advance: the clock runs by itself');
    const until = this.#nowMs + ms;
    await this.#idle();
    for (let timer = this.#due(until); timer !== undefined; timer = this.#due(until)) {
      this.#fire(timer);
      await this.#idle();
    }
    this.#nowMs = Math.max(this.#nowMs, until);
  }

  async #idle(): Promise<void> {
    do {
      while (this.#holds > 0) await new Promise<void>((resolve) => this.#released.push(resolve));
      await twoTurns();
    } while (this.#holds > 0);
  }

  /** Arms the jump to come, if there is one to make. With no timer, a hold or no runner it sleeps: each of those calls it again. */
  #schedule(): void {
    if (this.#turnPending || this.#runners === 0 || this.#holds > 0 || this.#timers.size === 0) return;
    this.#turnPending = true;
    void twoTurns().then(() => {
      this.#turnPending = false;
      this.#jump();
    });
  }

  #jump(): void {
    if (this.#runners === 0 || this.#holds > 0) return;
    const timer = this.#due(Infinity);
    // First, so that a callback that throws does not stop time for everyone else.
    this.#schedule();
    if (timer !== undefined) this.#fire(timer);
  }

  #due(until: number): Timer | undefined {
    for (let top = this.#timers.peek(); top !== undefined; top = this.#timers.peek()) {
      if (top.fn !== undefined && top.atMs > until) return undefined;
      this.#timers.pop();
      if (top.fn !== undefined) return top;
    }
    return undefined;
  }

  #fire(timer: Timer): void {
    this.#nowMs = timer.atMs;
    this.#jumps += 1;
    const fn = timer.fn;
    timer.fn = undefined;
    fn?.();
  }
}

/** Two, since what the first turn ran (a callback of a finished read, another immediate) may have started a chain of its own. */
function twoTurns(): Promise<void> {
  return new Promise((resolve) => afterThisTurn(() => afterThisTurn(resolve)));
}
