import { createHash } from 'node:crypto';

/** The first `length` hex digits of a sha256 over all parts. ["ab", "c"] and ["a", "bc"] differ. */
export function shortHash(parts: readonly string[], length: number): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, length);
}
