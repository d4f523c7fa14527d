import { describe, expect, test } from '@jest/globals';
import {
  beginRound,
  roundBefore,
  roundMarker,
  roundUnderWay,
  withRound,
  withoutRound,
} from '../../../src/migration/rounds.ts';
import { openRound, round, t0, warmContext } from './warm-context.ts';

describe('a round', () => {
  test('has a number and a marker of its own, before and after it is recorded', () => {
    const context = warmContext({ records: { rounds: [round(1)], roundsTotal: 1 } });
    const begun = beginRound(context, 'next');
    expect(begun).toEqual({ n: 2, kind: 'next', marker: 'gantry-import-uid-2', startedAt: t0, disks: {} });
    expect(roundMarker(context)).toBe(begun.marker);
    const recorded = warmContext({ records: withRound(context, begun) });
    expect(roundMarker(recorded)).toBe(begun.marker);
    expect(beginRound(recorded, 'next')).toEqual(begun);
    expect(roundBefore(recorded, begun)).toEqual(round(1));
  });

  test('that is copied is not under way any more', () => {
    expect(roundUnderWay({ records: { rounds: [round(1)] } })).toBeUndefined();
    expect(roundUnderWay({ records: { rounds: [round(1), openRound(2)] } })?.n).toBe(2);
    expect(roundUnderWay({ records: {} })).toBeUndefined();
  });

  test('that has no snapshot becomes one of another kind as if it were new', () => {
    const tried = openRound(2, { tries: 4, triedAt: t0, crashConsistent: true });
    const context = warmContext({ records: { rounds: [round(1), tried], roundsTotal: 2 } });
    const final = beginRound(context, 'final');
    expect(final).toEqual({ n: 2, kind: 'final', marker: tried.marker, startedAt: t0, disks: {} });
  });

  test('that has one stays what it is', () => {
    const open = openRound(2, { snapshotId: 'snapshot-2' });
    const context = warmContext({ records: { rounds: [round(1), open], roundsTotal: 2 } });
    expect(beginRound(context, 'final')).toEqual(open);
  });

  test('that came to nothing gives its number to the next', () => {
    const final = openRound(3, { kind: 'final' });
    const context = warmContext({ records: { rounds: [round(1), round(2), final], roundsTotal: 3 } });
    const without = withoutRound(context, final);
    expect(without).toEqual({ rounds: [round(1), round(2)], roundsTotal: 2 });
    expect(beginRound(warmContext({ records: without }), 'next').n).toBe(3);
  });

  test('is kept with the two before it, and all are counted', () => {
    const records = [1, 2, 3, 4, 5].reduce(
      (kept, n) => withRound({ records: kept }, round(n)),
      withRound({ records: {} }, round(1)),
    );
    expect(records.rounds.map(({ n }) => n)).toEqual([3, 4, 5]);
    expect(records.roundsTotal).toBe(5);
  });
});
