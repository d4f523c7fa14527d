import type { Clock } from '../runtime/clock.ts';
import type { Random } from './backoff.ts';
import { backoffMs } from './backoff.ts';
import type { KubeError } from './errors.ts';
import { isKubeError } from './errors.ts';

/** Repeats after a refusal that names a time: the server says itself that it did nothing. */
const askedRetries = 5;
/** Repeats of a read that got no answer. A write without an answer may have had its effect: only its author can know what to do. */
const unreachableRetries = 3;
/** A server that asks for more patience than this is better served by its caller's own back-off. */
const longestAskedWaitMs = 30_000;
const unreachableBackoff = { firstMs: 250, maxMs: 4000 };

export interface RetryDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Calls `attempt` until it succeeds, is refused for good, or has used up its repeats; then its error is thrown.
 * `isRead` says that a repeat without an answer is harmless. Rejects with the signal's reason when aborted while waiting.
 */
export async function withRetries<R>(
  attempt: () => Promise<R>,
  isRead: boolean,
  deps: RetryDeps,
  signal: AbortSignal | undefined,
): Promise<R> {
  let asked = 0;
  let unreachable = 0;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (isAskedToWait(error) && asked < askedRetries) {
        asked += 1;
        await deps.clock.sleep(askedWaitMs(error.retryAfterSeconds, deps.random), signal);
      } else if (isRead && isKubeError(error, 'Unreachable') && unreachable < unreachableRetries) {
        unreachable += 1;
        await deps.clock.sleep(backoffMs(unreachable, unreachableBackoff, deps.random), signal);
      } else {
        throw error;
      }
    }
  }
}

/** 429 and 503 with Retry-After come from before the request was handled; without it a 503 may stem from an aggregated server half-way. */
function isAskedToWait(error: unknown): error is KubeError & { readonly retryAfterSeconds: number } {
  return (
    isKubeError(error) &&
    (error.status === 429 || error.status === 503) &&
    error.retryAfterSeconds !== undefined &&
    error.retryAfterSeconds * 1000 <= longestAskedWaitMs
  );
}

/** Never less than asked; up to a quarter more (and at least up to 100 ms), so that those refused together do not return together. */
function askedWaitMs(seconds: number, random: Random): number {
  return seconds * 1000 + Math.round(random() * Math.max(100, seconds * 250));
}
