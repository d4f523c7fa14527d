import process from 'node:process';
import { seededRandom } from '../../src/sandbox/random.ts';

/**
 * Of cases that are too many for every run, so many as are to be tried: one out of each stretch of them, drawn anew for each CASES_SEED.
 * With ALL_CASES=1 all of them.
 */
export function sampled<T>(cases: readonly T[], most: number): readonly T[] {
  if (process.env['ALL_CASES'] === '1' || cases.length <= most) return cases;
  const random = seededRandom(Number(process.env['CASES_SEED'] ?? 1));
  const stretch = cases.length / most;
  return Array.from({ length: most }, (_, index) => cases[Math.floor((index + random()) * stretch)]!);
}
