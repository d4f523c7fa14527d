import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BackOff } from '../../hack/testbed/node/back-off.ts';
import { goDuration, lengthen, waitAfterEnd } from '../../hack/testbed/node/back-off.ts';

/** The waits before the restarts of a container that lives `aliveMs` each time. */
function waits(count: number, aliveMs: number): readonly number[] {
  let backOff: BackOff | undefined;
  let nowMs = 0;
  return Array.from({ length: count }, () => {
    nowMs += aliveMs;
    const finishedMs = nowMs;
    const waitMs = waitAfterEnd(backOff, finishedMs);
    nowMs += waitMs;
    backOff = lengthen(backOff, finishedMs, nowMs);
    return waitMs / 1000;
  });
}

describe('the waits before restarts', () => {
  test('none at first, then ten seconds, doubled up to five minutes', () => {
    expect(waits(9, 1000)).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  test('begin anew after a container that held out for more than ten minutes', () => {
    expect(waits(3, 601_000)).toEqual([0, 0, 0]);
  });

  test('never shrink while a container keeps failing within ten minutes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600_000 }), (aliveMs) => {
        const all = waits(12, aliveMs);
        expect(all).toEqual(all.toSorted((a, b) => a - b));
        expect(all.at(-1)).toBe(300);
      }),
    );
  });
});

test.each([
  [0, '0s'],
  [10_000, '10s'],
  [80_000, '1m20s'],
  [300_000, '5m0s'],
  [3_600_000, '1h0m0s'],
])('%d ms is written as %s', (ms, text) => {
  expect(goDuration(ms)).toBe(text);
});
