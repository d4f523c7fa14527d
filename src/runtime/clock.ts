/**
 * The one source of time. Everything that waits or looks at a date is given a Clock, so that a test can skip hours and two runs
 * with one seed are the same (design: DESIGN.md 6; the lint rule bans Date.now and setTimeout everywhere else).
 */
export interface Clock {
  /** Milliseconds since 1970, for dates that people see. May jump. */
  now(): number;
  /** Milliseconds since some start, for durations and the lease fence. Never goes back. */
  monotonicMs(): number;
  /** Calls `fn` once, `ms` milliseconds from now; disposing before then cancels it. Any length is good: see `longestTimerMs`. */
  setTimeout(fn: () => void, ms: number): Disposable;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node keeps a timer's length in 32 bits: asked for more it fires after 1 ms (review.md F19). Longer timers are armed again. */
const longestTimerMs = 2_147_483_647;

export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimeout(fn: () => void, ms: number): Disposable {
    let left = Math.max(0, ms);
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const part = Math.min(left, longestTimerMs);
      left -= part;
      timer = setTimeout(left > 0 ? arm : fn, part);
    };
    arm();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }
}

/** `sleep` in terms of `setTimeout`, for every Clock alike. */
export function sleepOn(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(reasonOf(signal));
      return;
    }
    const onAbort = (): void => {
      timer[Symbol.dispose]();
      reject(reasonOf(signal));
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}

/** RFC 3339 in whole seconds, as Kubernetes writes metav1.Time. */
export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
