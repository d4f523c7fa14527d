import type { Clock } from '../runtime/clock.ts';
import { LinkedAbort } from './linked-abort.ts';

/** A signal that aborts after `ms` milliseconds with the error that `reason` makes, or with its parent. */
export class TimeLimit implements Disposable {
  readonly #abort: LinkedAbort;
  readonly #timer: Disposable;

  constructor(clock: Clock, ms: number, reason: () => Error, parent?: AbortSignal) {
    this.#abort = new LinkedAbort(parent);
    this.#timer = clock.setTimeout(() => this.#abort.abort(reason()), ms);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Rejects with the signal's reason once it aborts; to race against what may not heed the signal. */
  expired(): Promise<never> {
    const { signal } = this;
    return new Promise((_resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#abort[Symbol.dispose]();
  }
}
