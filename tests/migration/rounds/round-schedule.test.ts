import { describe, expect, test } from '@jest/globals';
import { nextRoundAt } from '../../../src/migration/round-schedule.ts';
import { later } from '../phase-context.ts';
import { at, begun, round, warmContext } from './warm-context.ts';

const minute = 60_000;

/** With one round copied when the clock began. */
function after(
  total: number,
  policies: NonNullable<Parameters<typeof warmContext>[0]>['policies'] = {},
  uid = 'import-uid',
): ReturnType<typeof warmContext> {
  const records = { rounds: [round(total)], roundsTotal: total };
  return { ...warmContext({ records, policies, settings: { mostRounds: 10 } }), uid };
}

describe('the next round', () => {
  test('comes an interval after the last copy, a little earlier for each VM', () => {
    const times = Array.from({ length: 50 }, (_, n) => nextRoundAt(after(1, {}, `uid-${n}`))! - begun);
    for (const time of times) {
      expect(time).toBeGreaterThan(54 * minute);
      expect(time).toBeLessThanOrEqual(60 * minute);
    }
    expect(new Set(times.map((time) => Math.round(time / minute))).size).toBeGreaterThan(3);
    expect(nextRoundAt(after(1))).toBe(nextRoundAt(after(1)));
  });

  test('comes by the interval of the plan where there is one', () => {
    const time = nextRoundAt(after(1, { precopySeconds: 1200 }))! - begun;
    expect(time).toBeGreaterThan(18 * minute);
    expect(time).toBeLessThanOrEqual(20 * minute);
  });

  test('is never closer than the floor, whatever plan or schedule say', () => {
    expect(nextRoundAt(after(1, { precopySeconds: 1 }))).toBe(begun + 5 * minute);
    expect(nextRoundAt(after(1, { precopyCron: '* * * * *' }))).toBe(begun + 5 * minute);
  });

  test('comes at once when a merge has taken longer than the interval', () => {
    const context = later(after(1), 3 * 3600);
    expect(nextRoundAt(context)).toBe(context.now);
  });

  test('comes by the schedule, in UTC', () => {
    expect(nextRoundAt(after(1, { precopyCron: '30 2 * * *' }))).toBe(Date.parse(at(2.5 * 3600)));
  });

  test('does not come after the last of all, nor when the schedule has no time to come', () => {
    expect(nextRoundAt(after(10))).toBeUndefined();
    expect(nextRoundAt(after(9))).toBeDefined();
    expect(nextRoundAt(after(1, { precopyCron: '0 0 31 2 *' }))).toBeUndefined();
  });
});
