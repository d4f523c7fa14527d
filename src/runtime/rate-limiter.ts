export interface RateLimits {
  /** Wait after the first failure, milliseconds. */
  readonly firstMs: number;
  /** No wait is longer, milliseconds. */
  readonly maxMs: number;
}

/** 5 ms to 1000 s, as every controller on client-go has it. */
export const defaultRateLimits: RateLimits = { firstMs: 5, maxMs: 1_000_000 };

/** Exponential back-off for each key apart: `next` doubles from call to call, `forget` starts anew. */
export class RateLimiter<K> {
  readonly #limits: RateLimits;
  readonly #failures = new Map<K, number>();

  constructor(limits: RateLimits = defaultRateLimits) {
    this.#limits = limits;
  }

  /** Counts a failure of `key` and gives the milliseconds to wait for it. */
  next(key: K): number {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    return Math.min(this.#limits.maxMs, this.#limits.firstMs * 2 ** Math.min(failures, 52));
  }

  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  forget(key: K): void {
    this.#failures.delete(key);
  }
}
