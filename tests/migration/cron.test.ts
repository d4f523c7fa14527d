import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextMatch, scheduleFault } from '../../src/migration/cron.ts';

const at = (text: string): number => Date.parse(text);
const next = (schedule: string, from: string): string =>
  new Date(nextMatch(schedule, at(from)) ?? Number.NaN).toISOString();

describe('a schedule of rounds', () => {
  test.each([
    ['0 */4 * * *', '2026-01-01T03:59:59Z', '2026-01-01T04:00:00.000Z'],
    ['0 */4 * * *', '2026-01-01T20:00:01Z', '2026-01-02T00:00:00.000Z'],
    ['30 22 * * FRI', '2026-01-01T00:00:00Z', '2026-01-02T22:30:00.000Z'],
    ['0 0 29 2 *', '2026-03-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['*/20 * * * * *', '2026-01-01T00:00:41Z', '2026-01-01T00:01:00.000Z'],
  ])('%s comes after %s at %s', (schedule, from, expected) => {
    expect(next(schedule, from)).toBe(expected);
  });

  test('is refused with the reason when it is none, or never comes', () => {
    expect(scheduleFault('every day')).toBeDefined();
    expect(scheduleFault('0 0 30 2 *')).toContain('impossible day');
    expect(scheduleFault('0 0 L * *')).toContain('not understood');
    expect(scheduleFault('0 */4 * * *')).toBeUndefined();
  });

  test('comes at the moment itself, never before it, and the same again from there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), fc.nat({ max: 59 }), (from, minute) => {
        const schedule = `${minute} */3 * * *`;
        const found = nextMatch(schedule, from)!;
        expect(found).toBeGreaterThanOrEqual(from);
        expect(found - from).toBeLessThanOrEqual(3 * 3_600_000);
        expect(nextMatch(schedule, found)).toBe(found);
      }),
    );
  });
});
