import { describe, expect, test } from '@jest/globals';
import type { Round } from '../../../src/api/virtual-machine-import.ts';
import type { Context } from '../../../src/migration/phase.ts';
import { later } from '../phase-context.ts';
import {
  allSlots,
  at,
  decide,
  openRound,
  quietAudit,
  round,
  snapshotOwed,
  t0,
  warmContext,
} from './warm-context.ts';

const phases = ['CreateInitialSnapshot', 'CreateSnapshot', 'CreateFinalSnapshot'] as const;
const off = { sourcePower: { state: 'Off' } } as const;
type Given = NonNullable<Parameters<typeof warmContext>[0]>;

/** Round 1 is done, nothing was asked for yet. */
function next(given: Given = {}): Context {
  return warmContext({ ...given, records: { rounds: [round(1)], roundsTotal: 1, ...given.records } });
}

/** Round 2 was asked for so many times, last when the clock began. */
function asked(tries: number, changes: Partial<Round> = {}, given: Given = {}): Context {
  const open = openRound(2, { tries, triedAt: t0, ...changes });
  return warmContext({
    ledger: [snapshotOwed(2)],
    ...given,
    records: { rounds: [round(1), open], roundsTotal: 2 },
  });
}

const failed = (kind: 'busy' | 'transient' | 'unsupported', quiesceFault = false) =>
  ({
    snapshot: { state: 'failed', error: { code: 'Oops', kind, message: 'it failed' }, quiesceFault },
  }) as const;

describe('a snapshot', () => {
  test('is asked for once its intent is written down, quiesced while the guest runs', () => {
    const marker = 'gantry-import-uid-2';
    expect(decide('CreateSnapshot', next())).toMatchObject({
      kind: 'act',
      records: { roundsTotal: 2, rounds: [round(1), { n: 2, kind: 'next', marker, tries: 1, triedAt: t0 }] },
      ledger: [{ op: 'add', entry: { kind: 'Snapshot', marker } }],
      actions: [{ do: 'createSnapshot', marker, quiesce: true }],
    });
    const final = decide('CreateFinalSnapshot', next(), off);
    expect(final).toMatchObject({
      actions: [{ quiesce: false }],
      records: { rounds: [{}, { kind: 'final' }] },
    });
  });

  test('that is there, or on its way, is not made again', () => {
    expect(decide('CreateSnapshot', asked(1), { snapshot: { state: 'creating' } })).toEqual({
      kind: 'advance',
    });
    expect(decide('CreateSnapshot', asked(1), { snapshot: { state: 'ready', id: 's' } })).toEqual({
      kind: 'advance',
    });
  });

  test.each([{ state: 'creating' } as const, { state: 'busy', by: 'Backup' } as const])(
    'waits for the work of others (%p)',
    (snapshot) => {
      expect(decide('CreateSnapshot', next(), { snapshot })).toMatchObject({
        kind: 'wait',
        reason: 'SourceBusy',
      });
    },
  );

  test('takes the slots of its whole round at once', () => {
    const resources = allSlots.map(({ resource }) => resource);
    const decision = decide('CreateSnapshot', next({ slots: [] }));
    expect(decision).toMatchObject({ kind: 'acquire', priority: 1 });
    expect(decision.kind === 'acquire' && decision.slots.map(({ resource }) => resource)).toEqual(resources);
  });
});

describe('a snapshot that was asked for', () => {
  test('and does not show yet is not asked for again at once: the request may be on its way', () => {
    expect(decide('CreateSnapshot', later(asked(1), 4))).toMatchObject({
      kind: 'wait',
      until: Date.parse(at(5)),
    });
    expect(decide('CreateSnapshot', later(asked(1), 5))).toMatchObject({
      kind: 'act',
      records: { rounds: [{}, { tries: 2, triedAt: at(5) }] },
    });
  });

  test('and could not be quiesced is taken as it is, at once, and that is told', () => {
    const decision = decide('CreateSnapshot', asked(1), failed('transient', true));
    expect(decision).toMatchObject({
      kind: 'act',
      records: { rounds: [{}, { crashConsistent: true }] },
      actions: [{ quiesce: false }],
      events: [{ reason: 'NotQuiesced' }],
    });
    const again = asked(1, { crashConsistent: true });
    expect(decide('CreateSnapshot', again, failed('transient', true))).toMatchObject({ kind: 'wait' });
    expect(decide('CreateSnapshot', later(again, 5), failed('transient', true))).toMatchObject({
      actions: [{ quiesce: false }],
    });
  });

  test('waits without end for whoever holds the VM', () => {
    const held = asked(1);
    expect(decide('CreateSnapshot', held, failed('busy'))).toMatchObject({
      kind: 'wait',
      reason: 'SourceBusy',
    });
    expect(decide('CreateSnapshot', later(held, 30), failed('busy'))).toMatchObject({
      kind: 'act',
      records: { rounds: [{}, { tries: 1, triedAt: at(30) }] },
    });
  });

  test('and that the platform cannot do fails at once, in its own words', () => {
    expect(decide('CreateSnapshot', asked(1), failed('unsupported'))).toMatchObject({
      kind: 'fail',
      class: 'terminal',
      code: 'Oops',
    });
  });

  test.each(['CreateInitialSnapshot', 'CreateFinalSnapshot'] as const)(
    'again and again in vain ends the import (%s)',
    (phase) => {
      const kind = phase === 'CreateInitialSnapshot' ? 'initial' : 'final';
      const tried = (tries: number) => later(asked(tries, { kind }), 3600);
      expect(decide(phase, tried(5), { ...off, ...failed('transient') })).toMatchObject({ kind: 'act' });
      const spent = decide(phase, tried(6), { ...off, ...failed('transient') });
      expect(spent).toMatchObject({ kind: 'fail', class: 'terminal', code: 'Oops' });
      expect(decide(phase, tried(6), off)).toMatchObject({ kind: 'fail', code: 'SnapshotLost' });
    },
  );

  test('again and again in vain between two rounds is tried on, and said', () => {
    const spent = asked(6);
    expect(decide('CreateSnapshot', spent, failed('transient'))).toMatchObject({
      kind: 'wait',
      conditions: [{ type: 'SnapshotFailing' }],
    });
    expect(decide('CreateSnapshot', later(spent, 300), failed('transient'))).toMatchObject({ kind: 'act' });
  });
});

describe('before a snapshot', () => {
  const full = { ...quietAudit, datastores: [{ name: 'ds', freeBytes: 9, capacityBytes: 100 }] };
  const foreign = { ...quietAudit, foreign: ['backup'] };

  test.each(phases)('other disks end the import, and so does change tracking that is off (%s)', (phase) => {
    const facts = phase === 'CreateFinalSnapshot' ? off : {};
    const changed = { ...quietAudit, diskSet: 'changed' } as const;
    expect(decide(phase, next(), { ...facts, audit: changed })).toMatchObject({ code: 'DiskSetChanged' });
    const untracked = { ...quietAudit, trackingLost: ['2000'] };
    expect(decide(phase, next(), { ...facts, audit: untracked })).toMatchObject({
      code: 'ChangeTrackingOff',
    });
  });

  test('a foreign one at the start is refused', () => {
    const decision = decide('CreateInitialSnapshot', warmContext(), { audit: foreign });
    expect(decision).toMatchObject({ kind: 'fail', code: 'ForeignSnapshot' });
  });

  test('a foreign one later is waited for, and others have the slots meanwhile', () => {
    expect(decide('CreateSnapshot', next(), { audit: foreign })).toMatchObject({
      kind: 'wait',
      conditions: [{ type: 'ForeignSnapshot', items: ['backup'] }],
      free: allSlots.map(({ resource }) => resource),
    });
  });

  test('a foreign one in the cutover is waited for with the slots kept', () => {
    const decision = decide('CreateFinalSnapshot', next(), { ...off, audit: foreign });
    expect(decision).toMatchObject({ kind: 'wait', conditions: [{ type: 'ForeignSnapshot' }] });
    expect(decision.free).toBeUndefined();
  });

  test('a datastore must have room while the VM runs; the last one does not grow', () => {
    expect(decide('CreateSnapshot', next(), { audit: full })).toMatchObject({
      kind: 'wait',
      conditions: [{ type: 'DatastoreSpaceLow', items: ['ds'] }],
    });
    expect(decide('CreateFinalSnapshot', next(), { ...off, audit: full })).toMatchObject({ kind: 'act' });
  });

  test('a pause holds the first one up, and leads back from the next', () => {
    const control = { paused: true };
    expect(decide('CreateInitialSnapshot', warmContext({ control }))).toMatchObject({ reason: 'Paused' });
    expect(decide('CreateSnapshot', next({ control }))).toMatchObject({
      to: 'CopyingPaused',
      records: { nextRoundAt: t0 },
      free: allSlots.map(({ resource }) => resource),
    });
  });

  test('a cutover that comes due goes first, whatever the round waits for', () => {
    const control = { cutoverAt: t0 };
    const back = { kind: 'advance', to: 'CopyingPaused' };
    expect(decide('CreateSnapshot', next({ control }), { audit: full })).toMatchObject(back);
    expect(decide('CreateSnapshot', later(asked(2, {}, { control }), 60), failed('transient'))).toMatchObject(
      back,
    );
  });

  test('a source that somebody has powered on leaves the cutover', () => {
    expect(decide('CreateFinalSnapshot', next())).toMatchObject({
      to: 'CopyingPaused',
      events: [{ reason: 'CutoverBlocked' }],
      records: { cutover: { blocked: { reason: 'SourceRestarted' } } },
    });
  });
});
