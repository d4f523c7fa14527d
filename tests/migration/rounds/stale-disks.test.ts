import { describe, expect, test } from '@jest/globals';
import type { DiskStatus, Round } from '../../../src/api/virtual-machine-import.ts';
import { delayedCondition, isCutoverDue } from '../../../src/migration/cutover.ts';
import { haveFailedAnew } from '../../../src/migration/importer-restarts.ts';
import type { Context } from '../../../src/migration/phase.ts';
import type { Audit } from '../../../src/model/source-data.ts';
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
  warmSpec,
} from './warm-context.ts';

const [first, second] = warmSpec().disks;

function disk(index: 0 | 1, changes: Partial<DiskStatus> = {}): DiskStatus {
  const { key, claimName: claim, sizeBytes } = [first, second][index]!;
  const uid = `dv-${index}`;
  return {
    key,
    claim,
    dataVolumeUID: uid,
    round: 1,
    state: 'copied',
    doneBytes: 0,
    totalBytes: sizeBytes,
    ...changes,
  };
}

/** The first disk as given, the second as the first round has left it. */
function standing({
  sizeBytes = first!.sizeBytes,
  epoch = '52 aa',
}: { sizeBytes?: number; epoch?: string } = {}): Audit {
  const disks = new Map([
    [first!.key, { sizeBytes, epoch }],
    [second!.key, { sizeBytes: second!.sizeBytes, epoch: '52 aa' }],
  ]);
  return { ...quietAudit, disks };
}

describe('before its power-off a cutover', () => {
  const context = (disks = [disk(0), disk(1)]): Context =>
    warmContext({ control: { cutoverAt: t0 }, disks, records: { rounds: [round(1)], roundsTotal: 1 } });

  test.each([
    ['has grown', { sizeBytes: 2 * first!.sizeBytes }],
    ['is tracked anew', { epoch: '52 bb' }],
  ])('makes one more round for a disk that %s', (_what, changes) => {
    const decision = decide('PreflightCutover', context(), { audit: standing(changes) });
    expect(decision).toMatchObject({
      kind: 'advance',
      to: 'CopyingPaused',
      records: { nextRoundAt: t0 },
      disks: [{ key: first!.key, dirty: true }, { key: second!.key }],
      events: [{ reason: 'CutoverDelayed' }],
      free: allSlots.map(({ resource }) => resource),
    });
    expect(decision.disks?.[1]).not.toHaveProperty('dirty');
  });

  test('goes on where all is as it was, or is not told', () => {
    const untold = { ...quietAudit, disks: new Map([[first!.key, { sizeBytes: first!.sizeBytes }]]) };
    for (const audit of [standing(), quietAudit, untold])
      expect(decide('PreflightCutover', context(), { audit })).toMatchObject({
        records: { cutover: { acceptedAt: t0 } },
      });
  });

  test('does not wait for ever: a disk is copied whole only so often', () => {
    const disks = [disk(0, { recopies: 2 }), disk(1)];
    expect(decide('PreflightCutover', context(disks), { audit: standing({ epoch: 'x' }) })).toMatchObject({
      records: { cutover: { acceptedAt: t0 } },
    });
  });
});

describe('a cutover that waits for a round', () => {
  const dirty = [disk(0, { dirty: true }), disk(1)];
  const waiting = (control: { cutoverAt: string; cutoverUntil?: string }, more = {}): Context =>
    warmContext({
      control,
      disks: dirty,
      records: { rounds: [round(1)], roundsTotal: 1, nextRoundAt: t0 },
      ...more,
    });

  test('is not due, and that is said', () => {
    const context = waiting({ cutoverAt: t0 });
    expect(isCutoverDue(context)).toBe(false);
    expect(decide('CopyingPaused', context)).toMatchObject({ kind: 'advance', to: 'CreateSnapshot' });
    const [condition] = delayedCondition(context);
    expect(condition).toMatchObject({ type: 'CutoverDelayed', items: [first!.claimName] });
  });

  test('says so until that round is copied, and that its last moment has passed', () => {
    const key = first!.key;
    const disks = { ...round(2).disks, [key]: { ...round(2).disks[key]!, recopy: true } };
    const copying = openRound(2, { snapshotId: 'snapshot-2', disks });
    const context = waiting(
      { cutoverAt: t0, cutoverUntil: t0 },
      { disks: [disk(0), disk(1)], records: { rounds: [round(1), copying], roundsTotal: 2 } },
    );
    expect(delayedCondition(context)[0]?.message).toContain('last moment');
    const copied = { ...context, records: { rounds: [round(1), { ...copying, copiedAt: t0 }] } };
    expect(delayedCondition(copied)).toEqual([]);
  });

  test('is not told as long as it is not due', () => {
    expect(delayedCondition(waiting({ cutoverAt: at(60) }))).toEqual([]);
  });
});

describe('a snapshot that is not there any more under its copy', () => {
  const failing = (
    kind: Round['kind'] = 'next',
    disks = [disk(0, { round: 2 }), disk(1, { round: 2, state: 'copying' })],
  ) =>
    warmContext({
      ledger: [snapshotOwed(2)],
      disks,
      records: {
        rounds: [round(1), openRound(2, { kind, snapshotId: 'snapshot-2', disks: round(2).disks })],
        roundsTotal: 2,
        access: { version: '1', since: t0 },
      },
    });

  const volume = (index: 0 | 1, restarts = 0) => ({
    diskKey: [first, second][index]!.key,
    claimName: [first, second][index]!.claimName,
    dataVolume: {
      uid: `dv-${index}`,
      ours: true,
      deleting: false,
      phase: 'ImportInProgress',
      restartCount: 0,
      conditions: [],
    },
    claim: {
      uid: `claim-${index}`,
      ours: true,
      deleting: false,
      phase: 'Bound',
      owner: { kind: 'DataVolume' },
      copied: index === 0 ? ['snapshot-2'] : [],
      describedAs: '',
    } as const,
    pod: { name: 'p', uid: `pod-${index}`, phase: 'Running', restarts, createdMs: 0 },
  });
  const look = (name: 'CopyDisks' | 'Finalize', context: Context, snapshotLost: boolean) =>
    decide(name, context, { volumes: [volume(0), volume(1, 1)], snapshotLost });

  test('takes the volumes of the disks that are not copied with it', () => {
    expect(look('CopyDisks', failing(), true)).toMatchObject({
      kind: 'act',
      disks: [{ state: 'copied' }, { key: second!.key, dirty: true }],
      actions: [{ do: 'deleteDataVolume', name: second!.claimName, uid: 'dv-1', orphanClaim: false }],
      events: [{ reason: 'SnapshotLost' }],
    });
  });

  test('that stands, or of which nobody can tell, lets the next try go on', () => {
    expect(look('CopyDisks', failing(), false)).toMatchObject({ kind: 'wait' });
    expect(look('Finalize', failing('final'), false)).toMatchObject({ kind: 'wait' });
  });

  test('ends the round with what is copied, and the next one begins at once with those disks whole', () => {
    const disks = [disk(0, { round: 2 }), disk(1, { round: 2, state: 'copying', dirty: true })];
    const over = look('CopyDisks', failing('next', disks), false);
    expect(over).toMatchObject({
      kind: 'advance',
      to: 'RemovePreviousSnapshot',
      records: { rounds: [{ n: 1 }, { n: 2, copiedAt: t0 }] },
    });
    const rounds = over.records!.rounds!;
    const gone = warmContext({ disks, records: { rounds, roundsTotal: 2 } });
    expect(decide('WaitForPreviousSnapshotRemoval', gone)).toMatchObject({ records: { nextRoundAt: t0 } });
    const third = openRound(3, { snapshotId: 'snapshot-3' });
    const next = warmContext({ disks, records: { rounds: [...rounds, third], roundsTotal: 3 } });
    const checkpoints = new Map(
      Object.entries(round(3).disks).map(([key, stage]) => [key, { ...stage, current: 'snapshot-3' }]),
    );
    const stored = decide('StoreSnapshotDeltas', next, { checkpoints });
    const recorded = stored.records!.rounds!.at(-1)!.disks;
    expect([first!, second!].map(({ key }) => recorded[key]?.recopy)).toEqual([undefined, true]);
    expect(stored.disks?.[1]).toMatchObject({ state: 'recopy', recopies: 1 });
    expect(stored.disks?.[1]).not.toHaveProperty('dirty');
  });

  test('ends the run in a cutover, whose volumes are closed in part', () => {
    expect(look('Finalize', failing('final'), true)).toMatchObject({
      kind: 'fail',
      class: 'terminal',
      code: 'SnapshotLost',
    });
  });

  test('is looked for at each failure of an importer, and at nothing else', () => {
    const context = failing();
    const failed = look('CopyDisks', context, false);
    const after = { ...context, status: { ...context.status, disks: failed.disks! } };
    expect(haveFailedAnew([volume(0), volume(1)], context)).toBe(false);
    expect(haveFailedAnew([volume(0), volume(1, 1)], context)).toBe(true);
    expect(haveFailedAnew([volume(0), volume(1, 1)], after)).toBe(false);
    expect(haveFailedAnew([volume(0), volume(1, 2)], after)).toBe(true);
  });
});
