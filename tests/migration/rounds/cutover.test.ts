import { describe, expect, test } from '@jest/globals';
import type { Context } from '../../../src/migration/phase.ts';
import {
  blockedCondition,
  isCutoverDue,
  leaveCutover,
  putOffCutover,
} from '../../../src/migration/cutover.ts';
import { ignoredEdit } from '../../../src/migration/cutover-edits.ts';
import { allSlots, at, openRound, powerOwed, round, t0, warmContext } from './warm-context.ts';

const blocked = { requestedFor: t0, at: t0, reason: 'PowerOffTimeout', message: 'It did not.' };
const why = { reason: 'PowerOffTimeout', message: 'It did not.' };

describe('a cutover is due', () => {
  test.each<[string, NonNullable<Parameters<typeof warmContext>[0]>, boolean]>([
    ['not while nobody wishes for it', {}, false],
    ['at its time', { control: { cutoverAt: t0 } }, true],
    ['when its time was in the past', { control: { cutoverAt: '2020-01-01T00:00:00Z' } }, true],
    ['not before its time', { control: { cutoverAt: at(60) } }, false],
    ['not after the end that was set', { control: { cutoverAt: t0, cutoverUntil: t0 } }, false],
    ['before that end', { control: { cutoverAt: t0, cutoverUntil: at(1) } }, true],
    [
      'not for a wish that was tried and left',
      { control: { cutoverAt: t0 }, records: { cutover: { blocked } } },
      false,
    ],
    [
      'for a new wish after that',
      { control: { cutoverAt: at(-1) }, records: { cutover: { blocked } } },
      true,
    ],
    ['never for what is no time', { control: { cutoverAt: 'soon' } }, false],
  ])('%s', (_when, given, isDue) => {
    expect(isCutoverDue(warmContext(given))).toBe(isDue);
  });
});

describe('a cutover that is left', () => {
  const power = { before: 'On', offRequestedAt: t0, restore: 'Always' } as const;
  const cutover = { acceptedAt: t0, requestedFor: t0 };
  function context(given: NonNullable<Parameters<typeof warmContext>[0]> = {}): Context {
    const { records, ...rest } = given;
    return warmContext({
      control: { cutoverAt: t0 },
      ledger: [powerOwed],
      records: { cutover, power, ...records },
      ...rest,
    });
  }

  test('goes back to the rounds, gives its slots back, says why and is not tried again', () => {
    expect(leaveCutover(context(), 'late', why)).toMatchObject({
      kind: 'advance',
      to: 'CopyingPaused',
      free: allSlots.map(({ resource }) => resource),
      records: { cutover: { blocked: { requestedFor: t0, reason: 'PowerOffTimeout' } } },
      events: [{ reason: 'CutoverBlocked' }],
    });
  });

  test('while the guest may still go down, keeps in mind what its power was', () => {
    const { records, ledger, forget } = leaveCutover(context(), 'late', why);
    expect(forget).toEqual(['power']);
    expect(records?.power).toEqual({ before: 'On', restore: 'Always' });
    expect(ledger).toBeUndefined();
  });

  test('because the source is on owes nothing any more', () => {
    const { records, ledger } = leaveCutover(context(), 'met', why);
    expect(records?.power).toBeUndefined();
    expect(ledger).toEqual([{ op: 'strike', key: 'SourcePower' }]);
  });

  test('before any power-off forgets the power, unless an earlier one is still owed', () => {
    expect(leaveCutover(context({ ledger: [] }), 'none', why).records?.power).toBeUndefined();
    expect(leaveCutover(context(), 'none', why).records?.power).toMatchObject({ before: 'On' });
  });

  test('takes a final round that has no snapshot with it', () => {
    const rounds = [round(1), openRound(2, { kind: 'final' })];
    const { records } = leaveCutover(context({ records: { rounds, roundsTotal: 2 } }), 'met', why);
    expect(records).toMatchObject({ rounds: [round(1)], roundsTotal: 1 });
  });

  test('leaves a wish that was made meanwhile', () => {
    const edited = context({ control: { cutoverAt: at(3600) } });
    expect(leaveCutover(edited, 'met', why).records?.cutover?.blocked?.requestedFor).toBe(t0);
  });

  test('is said until it is set anew', () => {
    const records = { cutover: { blocked } };
    expect(blockedCondition(warmContext({ records, control: { cutoverAt: t0 } }))).toMatchObject([
      { type: 'CutoverBlocked', reason: 'PowerOffTimeout' },
    ]);
    expect(blockedCondition(warmContext({ records }))).toHaveLength(1);
    expect(blockedCondition(warmContext({ records, control: { cutoverAt: at(60) } }))).toEqual([]);
    expect(blockedCondition(warmContext())).toEqual([]);
  });
});

describe('a cutover that is put off', () => {
  test('may come again, and what was said of one before it stays', () => {
    const cutover = { acceptedAt: t0, requestedFor: at(-5), blocked };
    const records = { cutover, power: { before: 'On' } as const };
    const decision = putOffCutover(warmContext({ records, control: { cutoverAt: at(-5) } }));
    expect(decision).toMatchObject({ to: 'CopyingPaused', forget: ['cutover', 'power'] });
    expect(decision.records).toEqual({ cutover: { blocked } });
    expect(decision.events).toBeUndefined();
  });

  test('keeps in mind a power that is still owed', () => {
    const records = { cutover: { acceptedAt: t0 }, power: { before: 'On' } as const };
    expect(putOffCutover(warmContext({ records, ledger: [powerOwed] })).forget).toEqual(['cutover']);
  });
});

describe('an edit of the cutover', () => {
  const cutover = { acceptedAt: t0, requestedFor: t0 };
  test.each([
    ['that takes it back', {}, ''],
    ['that moves it', { cutoverAt: at(60) }, at(60)],
  ])('%s after it has begun is told once', (_what, control, ignored) => {
    const decision = ignoredEdit(warmContext({ records: { cutover }, control }));
    expect(decision).toMatchObject({
      actions: [],
      records: { cutover: { ...cutover, ignored } },
      events: [{ reason: 'CutoverEditIgnored' }],
    });
    expect(
      ignoredEdit(warmContext({ records: { cutover: { ...cutover, ignored } }, control })),
    ).toBeUndefined();
  });

  test('before it begins, or after the target has started, is nothing to be told', () => {
    expect(ignoredEdit(warmContext({ control: { cutoverAt: at(60) } }))).toBeUndefined();
    expect(ignoredEdit(warmContext({ records: { cutover }, control: { cutoverAt: t0 } }))).toBeUndefined();
    expect(ignoredEdit(warmContext({ records: { cutover, committedAt: t0 } }))).toBeUndefined();
  });
});
