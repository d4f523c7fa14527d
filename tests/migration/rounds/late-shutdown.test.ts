import { describe, expect, test } from '@jest/globals';
import type { Records } from '../../../src/api/virtual-machine-import.ts';
import { phaseByName } from '../../../src/migration/itineraries.ts';
import {
  answerLateShutdown,
  awaitsLateShutdown,
  isPoweringOn,
  lateShutdownDueMs,
} from '../../../src/migration/late-shutdown.ts';
import type { Context } from '../../../src/migration/phase.ts';
import { later } from '../phase-context.ts';
import { at, begun, powerOwed, t0, warmContext } from './warm-context.ts';

const hour = 3600;
const cutover = { blocked: { at: t0, reason: 'PowerOffTimeout', message: 'It did not.' } };

function given(power: Partial<NonNullable<Records['power']>> = {}): Context {
  return warmContext({ ledger: [powerOwed], records: { cutover, power: { before: 'On', ...power } } });
}

describe('after a cutover that was given up', () => {
  test('a guest that goes down within the hour is powered on, with what its state was', () => {
    const decision = answerLateShutdown({ state: 'Off' }, later(given({ restore: 'Always' }), hour - 1));
    expect(decision).toMatchObject({
      records: { power: { before: 'On', onRequestedAt: at(hour - 1) } },
      actions: [{ do: 'powerOn', restore: 'Always' }],
    });
  });

  test('one that is being powered on is asked again after half a minute, and not before', () => {
    const asked = given({ onRequestedAt: t0 });
    expect(isPoweringOn(asked)).toBe(true);
    expect(answerLateShutdown({ state: 'Off' }, later(asked, 29))).toBeUndefined();
    expect(answerLateShutdown({ state: 'Off' }, later(asked, 30))?.actions).toEqual([{ do: 'powerOn' }]);
    expect(lateShutdownDueMs(asked)).toBe(begun + 30_000);
  });

  test('one that is on again is told, and nothing is owed', () => {
    const decision = answerLateShutdown({ state: 'On' }, later(given({ onRequestedAt: t0 }), 5));
    expect(decision).toMatchObject({
      actions: [],
      forget: ['power'],
      ledger: [{ op: 'strike', key: 'SourcePower' }],
      events: [{ reason: 'SourceRestored' }],
    });
  });

  test('one that stays on is let go after an hour, with an event', () => {
    expect(answerLateShutdown({ state: 'On' }, later(given(), hour - 1))).toBeUndefined();
    expect(lateShutdownDueMs(given())).toBe(begun + hour * 1000);
    expect(answerLateShutdown({ state: 'On' }, later(given(), hour))).toMatchObject({
      ledger: [{ op: 'strike', key: 'SourcePower' }],
      events: [{ reason: 'SourcePowerLetGo' }],
    });
  });

  test('whose state is not known is waited for', () => {
    expect(answerLateShutdown({ state: 'Unknown' }, later(given({ onRequestedAt: t0 }), 60))).toBeUndefined();
  });
});

test.each([
  ['no cutover was given up', warmContext({ ledger: [powerOwed], records: { power: { before: 'On' } } })],
  ['nothing is owed', warmContext({ records: { cutover, power: { before: 'On' } } })],
  ['the next one has asked for a shutdown', given({ offRequestedAt: t0 })],
])('no late shutdown is awaited while %s', (_when, context) => {
  expect(awaitsLateShutdown(context)).toBe(false);
  expect(lateShutdownDueMs(context)).toBeUndefined();
  expect(answerLateShutdown({ state: 'Off' }, context)).toBeUndefined();
});

describe('a cutover whose power-off is refused', () => {
  const refusal = {
    action: { do: 'powerOff', how: 'guest' },
    code: 'InvalidPowerState',
    text: 'no',
  } as const;
  const refused = (context: Context) => phaseByName('PowerOffSource')!.refused!(refusal, context);

  test('owes nothing when it is the first that asked', () => {
    expect(refused(given({ offRequestedAt: t0 }))).toMatchObject({
      to: 'CopyingPaused',
      ledger: [{ op: 'strike', key: 'SourcePower' }],
    });
  });

  test('still owes what an earlier one has asked of the guest', () => {
    const left = refused(later(given({ restore: 'Always', offRequestedAt: at(600) }), 600));
    expect(left).toMatchObject({
      to: 'CopyingPaused',
      records: { cutover: { blocked: { at: at(600) } }, power: { before: 'On', restore: 'Always' } },
    });
    expect(left.ledger).toBeUndefined();
  });
});
