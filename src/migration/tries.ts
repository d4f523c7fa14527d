/** No hurry between two tries at what the source does not do, and no more than minutes; milliseconds. */
const range = { firstMs: 5_000, maxMs: 300_000 };

/** Milliseconds from try number `tries` (from 1) to the next one, twice as long each time. No dice: decisions are pure. */
export function pauseAfter(tries: number): number {
  return Math.min(range.maxMs, range.firstMs * 2 ** Math.min(Math.max(tries, 1) - 1, 30));
}
