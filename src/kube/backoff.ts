/** A number in [0, 1), evenly spread; seeded where runs must repeat. */
export type Random = () => number;

export interface BackoffRange {
  /** Ceiling of the first wait, milliseconds. */
  readonly firstMs: number;
  /** No wait is longer, milliseconds. */
  readonly maxMs: number;
}

/**
 * Milliseconds to wait before attempt `attempt` + 1, where `attempt` counts the failures so far, from 1: evenly spread over
 * (0, ceiling], the ceiling doubling with each failure ("full jitter": clients that failed together do not come back together).
 */
export function backoffMs(attempt: number, range: BackoffRange, random: Random): number {
  const ceiling = Math.min(range.maxMs, range.firstMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 52));
  return Math.max(1, Math.round(ceiling * (1 - random())));
}
