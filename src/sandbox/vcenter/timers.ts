import type { Clock } from '../../runtime/clock.ts';

/** Things that happen later in the simulated world. Disposing cancels all of them, so that nothing keeps a process alive. */
export class Timers implements Disposable {
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #open = new Set<Disposable>();

  /** `speed` divides latencies, not time itself (design: sandbox.md "Clock"). */
  constructor(clock: Clock, speed: number) {
    this.#clock = clock;
    this.#speed = speed;
  }

  /** A latency of the simulated platform. */
  later(ms: number, fn: () => void): Disposable {
    return this.exactly(ms / this.#speed, fn);
  }

  /** A time that the platform promises, whatever the speed. */
  exactly(ms: number, fn: () => void): Disposable {
    const timer = this.#clock.setTimeout(() => {
      this.#open.delete(timer);
      fn();
    }, ms);
    this.#open.add(timer);
    return {
      [Symbol.dispose]: () => {
        this.#open.delete(timer);
        timer[Symbol.dispose]();
      },
    };
  }

  [Symbol.dispose](): void {
    for (const timer of this.#open) timer[Symbol.dispose]();
    this.#open.clear();
  }
}
