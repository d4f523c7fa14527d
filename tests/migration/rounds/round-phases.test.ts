import { describe, expect, test } from '@jest/globals';
import type { DiskStatus, Round } from '../../../src/api/virtual-machine-import.ts';
import type { FactTable } from '../../../src/migration/facts.ts';
import type { Context } from '../../../src/migration/phase.ts';
import type { DiskCheckpoint } from '../../../src/model/source-data.ts';
import { later } from '../phase-context.ts';
import {
  allSlots,
  at,
  begun,
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
const key = first!.key;

function open(changes: Partial<Round> = {}, disks: readonly DiskStatus[] = []): Context {
  const rounds = [round(1), openRound(2, { snapshotId: 'snapshot-2', ...changes })];
  return warmContext({ ledger: [snapshotOwed(2)], disks, records: { rounds, roundsTotal: 2 } });
}

describe('waiting for a snapshot', () => {
  const waiting = open({ snapshotId: undefined as never });

  test('ends when it is there: its id is recorded', () => {
    const decision = decide('WaitForSnapshot', waiting, { snapshot: { state: 'ready', id: 'snapshot-9' } });
    expect(decision).toMatchObject({
      kind: 'advance',
      records: { rounds: [{}, { n: 2, snapshotId: 'snapshot-9', readyAt: t0 }] },
      ledger: [{ op: 'add' }, { op: 'identify', id: 'snapshot-9' }],
    });
  });

  test('looks again soon, since nothing tells of a failure, and gives up after half an hour', () => {
    const snapshot = { state: 'creating' } as const;
    expect(decide('WaitForSnapshot', waiting, { snapshot })).toMatchObject({
      kind: 'wait',
      until: begun + 1_800_000,
      lookAt: begun + 2000,
    });
    expect(decide('WaitForSnapshot', later(waiting, 1800), { snapshot })).toMatchObject({
      kind: 'fail',
      code: 'SnapshotTimeout',
    });
  });

  test.each(['absent', 'busy', 'failed'] as const)('goes back to where it is made when it is %s', (state) => {
    const snapshot = { state, by: '', error: {}, quiesceFault: false } as unknown as FactTable['snapshot'];
    expect(decide('WaitForSnapshot', waiting, { snapshot })).toEqual({
      kind: 'advance',
      to: 'CreateSnapshot',
    });
  });
});

describe('what is recorded of the disks in a snapshot', () => {
  const checkpoint: DiskCheckpoint = {
    current: 'snapshot-2',
    nextPrevious: '52 aa/2',
    sizeBytes: first!.sizeBytes,
    epoch: '52 aa',
  };
  const both = (changes: Partial<DiskCheckpoint>) => ({
    checkpoints: new Map([
      [key, { ...checkpoint, ...changes }],
      [second!.key, checkpoint],
    ]),
  });
  const recorded = (context: Context, changes: Partial<DiskCheckpoint> = {}) => {
    const decision = decide('StoreSnapshotDeltas', context, both(changes));
    return { decision, disk: decision.records?.rounds?.at(-1)?.disks[key] };
  };

  test('is where the next round starts from', () => {
    const { decision, disk } = recorded(open());
    expect(decision.kind).toBe('advance');
    expect(disk).toEqual(checkpoint);
    expect(decision.events).toBeUndefined();
  });

  test.each<[string, Partial<DiskCheckpoint>]>([
    ['whose changes are not known', { epoch: '52 bb' }],
    ['that has grown', { sizeBytes: 2 * first!.sizeBytes }],
    ['that was moved', { place: '[other] web-01/web-01.vmdk', sourceId: '[other] web-01/web-01.vmdk' }],
  ])('of a disk %s is that it is copied anew', (_what, changes) => {
    const status = {
      key,
      claim: first!.claimName,
      round: 1,
      state: 'copied',
      doneBytes: 5,
      totalBytes: 5,
    } as const;
    const { decision, disk } = recorded(open({}, [{ ...status, dataVolumeUID: 'old' }]), changes);
    expect(disk).toMatchObject({ recopy: true, ...changes });
    expect(decision.records?.rounds?.at(-1)?.disks[second!.key]).toEqual(checkpoint);
    expect(decision).toMatchObject({ disks: [{ key, round: 2, state: 'recopy', recopies: 1 }] });
    expect(decision.disks?.[0]).not.toHaveProperty('dataVolumeUID');
    expect(decision).toMatchObject({ events: [{ reason: 'DiskRecopied' }] });
  });

  test('of a disk that was moved before is still where it is read', () => {
    const moved = { place: '[other] web-01.vmdk', sourceId: '[other] web-01.vmdk' };
    const before = round(1);
    const disks = { ...before.disks, [key]: { ...before.disks[key]!, ...moved } };
    const rounds = [{ ...before, disks }, openRound(2, { snapshotId: 'snapshot-2' })];
    const context = warmContext({ records: { rounds, roundsTotal: 2 } });
    const top = { ...moved, sourceId: '[other] web-01-000001.vmdk' };
    expect(recorded(context, top).disk).toEqual({ ...checkpoint, ...moved });
  });

  test('again and again anew ends the import', () => {
    const status = {
      key,
      claim: 'c',
      round: 1,
      state: 'copied',
      doneBytes: 0,
      totalBytes: 5,
      recopies: 2,
    } as const;
    expect(recorded(open({}, [status]), { epoch: 'x' }).decision).toMatchObject({
      code: 'TrackingUnreliable',
    });
  });

  test('counts a disk once, though the decision is taken again', () => {
    const status = {
      key,
      claim: 'c',
      round: 2,
      state: 'recopy',
      doneBytes: 0,
      totalBytes: 5,
      recopies: 1,
    } as const;
    expect(recorded(open({}, [status]), { epoch: 'x' }).decision).toMatchObject({ disks: [{ recopies: 1 }] });
  });

  test('of a disk that is not in it ends the import', () => {
    const checkpoints = new Map([[key, checkpoint]]);
    expect(decide('StoreSnapshotDeltas', open(), { checkpoints })).toMatchObject({ code: 'DiskSetChanged' });
  });
});

describe('a checkpoint', () => {
  const { disks } = round(2);
  const context = (changes: Partial<Round> = {}, final = false) => {
    const kind = final ? ('final' as const) : ('next' as const);
    return {
      ...open({ disks, kind, ...changes }),
      records: { ...open({ disks, kind, ...changes }).records, access },
    };
  };
  const access = { version: '1', since: t0 };
  const volume = (index: number, currents: readonly string[], more: object = {}) => ({
    diskKey: [first, second][index]!.key,
    claimName: [first, second][index]!.claimName,
    dataVolume: {
      uid: `uid-${index}`,
      ours: true,
      deleting: false,
      phase: 'Paused',
      restartCount: 0,
      checkpoints: currents.map((current) => ({ current, previous: '' })),
      conditions: [],
      ...more,
    },
  });
  const volumes = (...currents: readonly (readonly string[])[]) => ({
    liveVolumes: currents.map((list, index) => volume(index, list)),
  });

  test('goes to every disk that has it not yet', () => {
    const facts = volumes(['snapshot-1', 'snapshot-2'], ['snapshot-1']);
    expect(decide('AddCheckpoint', context(), facts)).toEqual({
      kind: 'act',
      actions: [
        {
          do: 'appendCheckpoint',
          name: second!.claimName,
          uid: 'uid-1',
          after: 'snapshot-1',
          current: 'snapshot-2',
          previous: '52 aa/1',
          isFinal: false,
        },
      ],
    });
    const done = volumes(['snapshot-1', 'snapshot-2'], ['snapshot-1', 'snapshot-2']);
    expect(decide('AddCheckpoint', context(), done)).toEqual({ kind: 'advance', to: 'CopyDisks' });
  });

  test('of the last round closes the list in the same patch', () => {
    const facts = volumes(['snapshot-1'], ['snapshot-1']);
    const decision = decide('AddFinalCheckpoint', context({}, true), facts);
    expect(decision).toMatchObject({ actions: [{ isFinal: true }, { isFinal: true }] });
  });

  test('is given only after the access that importers start with is the present one', () => {
    const facts = {
      ...volumes(['snapshot-1'], ['snapshot-1']),
      sourceAccess: { state: 'open', credentials: '2', isVerified: false } as const,
    };
    expect(decide('AddCheckpoint', context(), facts)).toMatchObject({
      records: { access: { version: '2' } },
      actions: [{ do: 'createAccess' }],
    });
  });

  test('is not laid over what somebody else has written', () => {
    const facts = volumes(['snapshot-1', 'mine'], ['snapshot-1']);
    expect(decide('AddCheckpoint', context(), facts)).toMatchObject({ kind: 'fail', code: 'ForeignEdit' });
  });

  test('needs the DataVolume', () => {
    const gone = { diskKey: key, claimName: first!.claimName };
    const facts = { liveVolumes: [gone, volume(1, ['snapshot-1'])] };
    expect(decide('AddCheckpoint', context(), facts)).toMatchObject({ code: 'DataVolumeDeleted' });
  });

  test('of a disk that is copied anew begins a new volume, when the old one is gone', () => {
    const lost = { ...disks, [key]: { ...disks[key]!, recopy: true, sourceId: '[other] x.vmdk' } };
    const given = context({ disks: lost });
    const other = volume(1, ['snapshot-1', 'snapshot-2']);
    const gone = { diskKey: key, claimName: first!.claimName };
    const claim = {
      uid: 'c',
      ours: true,
      deleting: false,
      phase: 'Bound',
      owner: { kind: 'DataVolume', uid: 'uid-0' },
      describedAs: '',
    } as const;
    const step = (liveVolumes: FactTable['liveVolumes']) => decide('AddCheckpoint', given, { liveVolumes });
    expect(step([volume(0, ['snapshot-1']), other])).toMatchObject({
      actions: [{ do: 'deleteDataVolume', uid: 'uid-0', orphanClaim: false }],
    });
    expect(step([{ ...gone, claim }, other])).toMatchObject({ actions: [{ do: 'deleteClaim', uid: 'c' }] });
    expect(step([{ ...gone, claim: { ...claim, deleting: true } }, other])).toMatchObject({
      kind: 'wait',
      reason: 'VolumeDeletion',
    });
    const parted = { ...claim, owner: { kind: 'none' as const } };
    expect(step([{ ...gone, claim: parted }, other])).toMatchObject({ code: 'DataVolumeDeleted' });
    expect(step([{ ...gone, claim: { ...parted, ours: false } }, other])).toMatchObject({
      code: 'ClaimNameTaken',
    });
    expect(step([gone, other])).toMatchObject({
      actions: [
        {
          do: 'createDataVolume',
          diskKey: key,
          stage: { current: 'snapshot-2', isFinal: false, sourceId: '[other] x.vmdk' },
        },
      ],
    });
    expect(step([volume(0, ['snapshot-2']), other])).toEqual({ kind: 'advance', to: 'CopyDisks' });
  });
});

describe('the snapshot of a copied round', () => {
  const copied = warmContext({
    ledger: [snapshotOwed(2)],
    records: { rounds: [round(1), round(2)], roundsTotal: 2 },
  });
  const standing = (state: 'present' | 'removing') => ({
    owedSnapshots: [
      {
        key: 'k',
        marker: 'm',
        attempts: 0,
        state: { state: 'ready', id: 's' } as const,
        removal: { id: 's', reading: { state } },
      },
    ],
  });

  test('is asked away at once, and waited for without end', () => {
    const act = { kind: 'act', actions: [{ do: 'removeSnapshot', id: 's' }] };
    expect(decide('RemovePreviousSnapshot', copied, standing('present'))).toMatchObject(act);
    expect(decide('RemovePreviousSnapshot', copied, standing('removing'))).toMatchObject({ kind: 'advance' });
    const waits = decide('WaitForPreviousSnapshotRemoval', later(copied, 7199), standing('removing'));
    expect(waits).toMatchObject({ kind: 'wait', conditions: [] });
    expect(
      decide('WaitForPreviousSnapshotRemoval', later(copied, 3 * 3600), standing('removing')),
    ).toMatchObject({
      kind: 'wait',
      conditions: [
        {
          type: 'ConsolidationSlow',
          message: expect.stringContaining('more than 120 min') as unknown as string,
        },
      ],
    });
  });

  test('when it is gone, sets the time of the next round and gives its slot back', () => {
    expect(decide('WaitForPreviousSnapshotRemoval', later(copied, 60))).toMatchObject({
      kind: 'advance',
      records: {
        rounds: [{}, { n: 2, removedAt: at(60) }],
        nextRoundAt: expect.any(String) as unknown as string,
      },
      free: [allSlots[0]!.resource],
    });
  });

  test('from before a cutover is no reason to go on when somebody has powered the source on', () => {
    for (const phase of ['RemovePenultimateSnapshot', 'WaitForPenultimateSnapshotRemoval']) {
      expect(decide(phase, copied, standing('present'))).toMatchObject({ to: 'CopyingPaused' });
      const off = { sourcePower: { state: 'Off' } } as const;
      expect(decide(phase, copied, off)).toMatchObject({ kind: 'advance', ledger: [] });
    }
  });
});

describe('between two rounds', () => {
  const records = { rounds: [round(1)], roundsTotal: 1, nextRoundAt: at(600) };
  const paused = (given: Parameters<typeof warmContext>[0] = {}) =>
    decide('CopyingPaused', warmContext({ slots: [], ...given, records: { ...records, ...given.records } }));

  test('it is waited for the next one, or for the cutover if that is sooner', () => {
    expect(paused()).toMatchObject({ kind: 'wait', reason: 'Precopy', until: begun + 600_000 });
    expect(paused({ control: { cutoverAt: at(60) } })).toMatchObject({
      reason: 'Cutover',
      until: begun + 60_000,
    });
    const far = paused({ control: { cutoverAt: at(60 * 86_400) } });
    expect(far).toMatchObject({ reason: 'Cutover', until: begun + 600_000 });
    expect(far.kind === 'wait' && far.for).toContain(
      'the cutover at 2026-03-02T00:00:00Z; the next round at',
    );
  });

  test('the next one begins with its slots', () => {
    const due = { records: { nextRoundAt: t0 } };
    expect(paused(due)).toMatchObject({ kind: 'acquire', priority: 1 });
    expect(paused({ ...due, slots: allSlots })).toMatchObject({
      to: 'CreateSnapshot',
      forget: ['nextRoundAt'],
    });
  });

  test('a cutover goes before a round, waits for its slots no longer than it may, and can be taken back', () => {
    const control = { cutoverAt: t0, cutoverUntil: at(90) };
    const due = { control, records: { nextRoundAt: t0 } };
    expect(paused(due)).toMatchObject({ kind: 'acquire', priority: 3, until: begun + 90_000 });
    expect(paused({ ...due, slots: allSlots })).toMatchObject({ to: 'PreflightCutover' });
    expect(paused({ slots: allSlots })).toMatchObject({
      kind: 'wait',
      free: allSlots.map((slot) => slot.resource),
    });
  });

  test('after the end for cutovers none begins, and it is said', () => {
    const late = paused({ control: { cutoverAt: t0, cutoverUntil: t0 } });
    expect(late).toMatchObject({ kind: 'wait', until: begun + 600_000 });
    expect(late.kind === 'wait' && late.for).toContain('none begins after');
  });

  test('a pause holds everything', () => {
    const all = { control: { paused: true, cutoverAt: t0 }, records: { nextRoundAt: t0 }, slots: allSlots };
    expect(paused(all)).toMatchObject({ kind: 'wait', reason: 'Paused' });
  });

  test('when there are no more, it is said', () => {
    const last = decide('CopyingPaused', warmContext({ records: { rounds: [round(1)], roundsTotal: 200 } }));
    expect(last).toMatchObject({ kind: 'wait', conditions: [{ type: 'RoundsExhausted' }] });
  });

  test('a source that is being powered on again is not asked to go off', () => {
    const cutover = { blocked: { at: t0, reason: 'r', message: 'm' } };
    const power = { before: 'On', onRequestedAt: t0 } as const;
    const given = { control: { cutoverAt: t0 }, records: { cutover, power }, slots: allSlots };
    expect(paused(given)).toMatchObject({ kind: 'wait', reason: 'SourcePower' });
  });
});

describe('right before a cutover', () => {
  const control = { cutoverAt: t0 };
  const look = (facts: Partial<FactTable> = {}, given: Parameters<typeof warmContext>[0] = {}) =>
    decide('PreflightCutover', warmContext({ control, ...given }), facts);

  test('what is accepted is recorded', () => {
    expect(look()).toMatchObject({
      kind: 'advance',
      records: { cutover: { acceptedAt: t0, requestedFor: t0 } },
    });
  });

  test.each<[string, NonNullable<Parameters<typeof warmContext>[0]>['control']]>([
    ['was taken back', {}],
    ['was moved', { cutoverAt: at(60) }],
    ['came too late', { cutoverAt: t0, cutoverUntil: t0 }],
    ['is paused', { cutoverAt: t0, paused: true }],
  ])('a wish that %s leads back without a word', (_what, changed) => {
    const decision = look({}, { control: changed! });
    expect(decision).toMatchObject({ kind: 'advance', to: 'CopyingPaused' });
    expect(decision.events).toBeUndefined();
  });

  test('a target that refuses the VM leaves the source in service', () => {
    const preflight = { state: 'refused', code: 'Forbidden', text: 'no room' } as const;
    expect(look({ preflight })).toMatchObject({
      to: 'CopyingPaused',
      records: {
        cutover: {
          blocked: {
            reason: 'TargetRefused',
            message: expect.stringContaining('no room') as unknown as string,
          },
        },
      },
    });
    const taken = { state: 'refused', code: 'AlreadyExists', text: 'taken a moment ago' } as const;
    expect(look({ preflight: taken })).toMatchObject({ kind: 'fail', class: 'retryable' });
  });

  test('a foreign snapshot is waited for, and the slots are taken again after it', () => {
    const audit = { ...quietAudit, foreign: ['backup'] };
    expect(look({ audit })).toMatchObject({ kind: 'wait', free: allSlots.map(({ resource }) => resource) });
    expect(look({}, { slots: [] })).toMatchObject({ kind: 'acquire', priority: 3 });
  });

  test('changes that are tracked no more end the import while its source is on', () => {
    expect(look({ audit: { ...quietAudit, trackingLost: ['2000'] } })).toMatchObject({
      code: 'ChangeTrackingOff',
    });
  });
});
