import { describe, expect, test } from '@jest/globals';
import { phaseByName } from '../../src/migration/itineraries.ts';
import type { FactName, Facts, FactTable, VolumeFact } from '../../src/migration/facts.ts';
import type { Context, Decision } from '../../src/migration/phase.ts';
import { importSpec } from './import-spec.ts';
import { later, phaseContext } from './phase-context.ts';

function decide(phase: string, facts: Partial<FactTable>, context: Context): Decision {
  return phaseByName(phase)!.decide(facts as Facts<FactName>, context);
}

const minute = 60;

function bareVolume(changes: Partial<VolumeFact> = {}): VolumeFact {
  return { diskKey: '2000', claimName: 'web-01-disk-0', ...changes };
}
const claim: NonNullable<VolumeFact['claim']> = {
  uid: 'c',
  ours: true,
  deleting: false,
  phase: 'Bound',
  owner: { kind: 'DataVolume', uid: 'd' },
  describedAs: 'target/web-01-disk-0, owned by StatefulSet db',
};
const dataVolume: NonNullable<VolumeFact['dataVolume']> = {
  uid: 'd',
  ours: true,
  deleting: false,
  phase: 'Succeeded',
  restartCount: 0,
  conditions: [],
};
const vm = { state: 'ours', uid: 'v', deleting: false, runStrategy: 'Halted' } as const;

describe('CreateDataVolumes', () => {
  const sourceAccess = { state: 'open', credentials: '7', isVerified: false } as const;
  const make = (volume: VolumeFact, context = phaseContext()) =>
    decide('CreateDataVolumes', { liveVolumes: [volume], sourceAccess }, context);

  test('writes down what it will owe before it makes anything', () => {
    expect(make(bareVolume())).toMatchObject({
      kind: 'act',
      ledger: [{ op: 'add', entry: { key: 'TargetObjects/target', kind: 'TargetObjects' } }],
      actions: [{ do: 'createAccess' }, { do: 'createDataVolume', diskKey: '2000' }],
    });
  });

  test("a claim of that name that is somebody's is left alone, and its owner is named", () => {
    const decision = make(bareVolume({ claim: { ...claim, ours: false } }));
    expect(decision).toMatchObject({ kind: 'fail', class: 'terminal', code: 'ClaimNameTaken' });
    expect(decision.kind === 'fail' && decision.message).toContain('StatefulSet db');
  });

  test('nothing is made over a claim that was parted from its DataVolume', () => {
    const parted = bareVolume({ claim: { ...claim, owner: { kind: 'none' } } });
    expect(make(parted)).toMatchObject({ kind: 'fail', code: 'DataVolumeDeleted' });
  });

  const pod = { name: 'importer', uid: 'p', phase: 'Running', restarts: 3, createdMs: 0 };

  test.each<[string, Partial<VolumeFact>]>([
    ['a claim', { claim: { ...claim, deleting: true } }],
    ['a DataVolume', { claim, dataVolume: { ...dataVolume, deleting: true } }],
  ])(
    'waits for %s that is being deleted, frees it of its importer, and gives up in the end',
    (_what, fact) => {
      const volume = bareVolume(fact);
      const context = phaseContext();
      expect(make(volume)).toMatchObject({ kind: 'wait', reason: 'VolumeDeletion' });
      expect(make({ ...volume, pod })).toEqual({
        kind: 'act',
        actions: [{ do: 'deletePod', name: 'importer', uid: 'p' }],
      });
      const late = later(context, context.settings.volumeBoundSeconds);
      expect(make(volume, late)).toMatchObject({ kind: 'fail', code: 'VolumeNotGone' });
    },
  );

  test('clears away the claim of a DataVolume that is gone, and its importer', () => {
    expect(make(bareVolume({ claim, pod }))).toEqual({
      kind: 'act',
      actions: [
        { do: 'deletePod', name: 'importer', uid: 'p' },
        { do: 'deleteClaim', name: bareVolume().claimName, uid: claim.uid },
      ],
    });
  });

  test('goes on when every disk has its DataVolume', () => {
    expect(make(bareVolume({ claim, dataVolume }))).toEqual({ kind: 'advance' });
  });
});

describe('CreateVM', () => {
  const facts = { targetVm: { state: 'absent' }, liveVolumes: [bareVolume({ claim, dataVolume })] } as const;
  const refusal = { action: { do: 'createVm' }, code: 'Invalid', text: 'webhook says no' } as const;

  test("takes the source's password away before the VM is made", () => {
    expect(decide('CreateVM', facts, phaseContext())).toMatchObject({
      kind: 'act',
      actions: [{ do: 'deleteAccess' }, { do: 'createVm' }],
    });
  });

  test('waits for an importer that still runs', () => {
    const pod = { name: 'i', uid: 'p', phase: 'Running', restarts: 0, createdMs: 0 };
    const running = { ...facts, liveVolumes: [bareVolume({ claim, dataVolume, pod })] };
    expect(decide('CreateVM', running, phaseContext())).toMatchObject({
      kind: 'wait',
      reason: 'ImporterEnd',
    });
  });

  describe('with an importer that writes over a disk that was done', () => {
    const pod = {
      name: 'i',
      uid: 'p2',
      phase: 'Running',
      restarts: 1,
      createdMs: 0,
      terminationMessage: 'too large',
    };
    const volume = bareVolume({ claim, dataVolume, pod });
    const over = { ...facts, liveVolumes: [volume] };
    const done = {
      key: volume.diskKey,
      claim: volume.claimName,
      dataVolumeUID: 'dv',
      claimUID: 'c',
      round: 1,
      state: 'done' as const,
      doneBytes: 5,
      totalBytes: 5,
    };
    const slots = [{ resource: 'host/provider-uid/host-1', cost: 1, grantedAt: '2026-01-01T00:00:00Z' }];

    test('lets it end well, for then the disk is whole again', () => {
      expect(decide('CreateVM', over, phaseContext({ disks: [done] }))).toMatchObject({ kind: 'wait' });
      const ended = { ...facts, liveVolumes: [{ ...volume, pod: { ...pod, phase: 'Succeeded' } }] };
      expect(decide('CreateVM', ended, later(phaseContext({ disks: [done] }), 600))).toMatchObject({
        kind: 'act',
      });
    });

    test('that fails copies the disk anew, in its turn', () => {
      expect(decide('CreateVM', over, later(phaseContext({ disks: [done] }), 30))).toMatchObject({
        kind: 'acquire',
        slots: [{ resource: 'host/provider-uid/host-1' }],
      });
      const decision = decide('CreateVM', over, later(phaseContext({ disks: [done], slots }), 30));
      expect(decision).toMatchObject({
        kind: 'advance',
        to: 'CopyDisks',
        disks: [{ state: 'recopy', doneBytes: 0, recopies: 1, dataVolumeUID: 'dv' }],
        events: [{ reason: 'DiskRecopied' }],
      });
      expect(decision.disks?.[0]?.claimUID).toBeUndefined();
    });

    test('that runs on for minutes does so too', () => {
      const silent = { ...facts, liveVolumes: [{ ...volume, pod: { ...pod, restarts: 0 } }] };
      const context = phaseContext({ disks: [done], slots });
      expect(decide('CreateVM', silent, later(context, 299))).toMatchObject({ kind: 'wait' });
      expect(decide('CreateVM', silent, later(context, 300))).toMatchObject({ to: 'CopyDisks' });
    });

    test('never uses the disk: where it cannot be copied anew, the run ends', () => {
      const spent = phaseContext({ disks: [{ ...done, recopies: 2 }], slots });
      expect(decide('CreateVM', over, later(spent, 30))).toMatchObject({ code: 'DiskOverwritten' });
      const warm = importSpec({ strategy: { type: 'warm', path: 'vddk', conversion: 'none' } });
      expect(decide('CreateVM', over, later(phaseContext({ disks: [done] }, {}, warm), 30))).toMatchObject({
        kind: 'fail',
        code: 'DiskOverwritten',
      });
    });

    test('that comes when the claims are handed over holds that up, and ends the run', () => {
      const context = phaseContext({ disks: [done], records: { targetUid: 'vm' } });
      const handing = {
        targetVm: { state: 'ours', uid: 'vm', deleting: false, runStrategy: 'Halted' },
        liveVolumes: [volume],
      } as const;
      expect(decide('ReleaseVolumes', handing, context)).toMatchObject({
        kind: 'wait',
        reason: 'ImporterEnd',
      });
      expect(decide('ReleaseVolumes', handing, later(context, 300))).toMatchObject({
        code: 'DiskOverwritten',
      });
    });
  });

  test("never touches somebody's VM of that name", () => {
    const foreign = { ...facts, targetVm: { state: 'foreign', uid: 'x', by: 'made by Bob' } } as const;
    const decision = decide('CreateVM', foreign, phaseContext());
    expect(decision).toMatchObject({ kind: 'fail', class: 'terminal', code: 'NameTaken' });
    expect(decision.kind === 'fail' && decision.message).toContain('made by Bob');
  });

  test('refused after the copy fails at once where the source is waited for', () => {
    const context = phaseContext({ records: { power: { before: 'On' } } });
    expect(phaseByName('CreateVM')!.refused!(refusal, context)).toMatchObject({
      kind: 'fail',
      class: 'terminal',
      code: 'TargetRefused',
    });
  });

  test('refused after the copy is tried for an hour where the source was off anyway', () => {
    const context = phaseContext({ records: { power: { before: 'Off' } } });
    const refused = (at: Context) => phaseByName('CreateVM')!.refused!(refusal, at);
    expect(refused(context)).toMatchObject({ kind: 'wait', until: context.now + 60_000 });
    expect(refused(later(context, 60 * minute))).toMatchObject({ kind: 'fail' });
  });
});

describe('ReleaseVolumes', () => {
  const ours = { state: 'ours', uid: 'v', deleting: false, runStrategy: 'Halted' } as const;
  const context = phaseContext({ records: { targetUid: 'v' } });
  const release = (volume: VolumeFact, at = context) =>
    decide('ReleaseVolumes', { liveVolumes: [volume], targetVm: ours }, at);

  test('gives the claim before it deletes the DataVolume, which leaves the claim alone', () => {
    expect(release(bareVolume({ claim, dataVolume }))).toEqual({
      kind: 'act',
      actions: [
        { do: 'giveClaimToVm', claim: 'web-01-disk-0', claimUid: 'c', dataVolumeUid: 'd', vmUid: 'v' },
        { do: 'deleteDataVolume', name: 'web-01-disk-0', uid: 'd', orphanClaim: true },
      ],
    });
  });

  test.each([{ state: 'absent' }, { ...ours, deleting: true }] as const)(
    'a VM that somebody has deleted (%o) is what failed, whatever became of its claims',
    (targetVm) => {
      const decision = decide('ReleaseVolumes', { liveVolumes: [bareVolume({})], targetVm }, context);
      expect(decision).toMatchObject({ kind: 'fail', code: 'TargetDeleted' });
    },
  );

  test('a claim of our name that is not the one that was filled is not taken for it', () => {
    const disks = [
      { key: bareVolume({}).diskKey, claim: 'x', round: 1, state: 'done', doneBytes: 1, totalBytes: 1 },
    ];
    const filled = { ...context, status: { disks: disks.map((disk) => ({ ...disk, claimUID: 'another' })) } };
    expect(release(bareVolume({ claim, dataVolume }), filled as Context)).toMatchObject({
      code: 'ClaimLost',
    });
  });

  test('goes on from a claim that was given already', () => {
    const given = { ...claim, owner: { kind: 'VirtualMachine', uid: 'v' } } as const;
    expect(release(bareVolume({ claim: given, dataVolume }))).toMatchObject({
      actions: [{ do: 'deleteDataVolume' }],
    });
    const deleting = { ...dataVolume, deleting: true };
    expect(release(bareVolume({ claim: given, dataVolume: deleting })).kind).toBe('wait');
    expect(release(bareVolume({ claim: given }))).toEqual({ kind: 'advance' });
  });

  test.each([
    { kind: 'none' },
    { kind: 'other', uid: 'x' },
    { kind: 'VirtualMachine', uid: 'another' },
  ] as const)('a claim of owner %j is left alone', (owner) => {
    const decision = release(bareVolume({ claim: { ...claim, owner } }));
    expect(decision).toMatchObject({ kind: 'fail', code: 'ClaimOwnerForeign' });
  });

  test('does not wait for ever', () => {
    const given = { ...claim, owner: { kind: 'VirtualMachine', uid: 'v' } } as const;
    const stuck = bareVolume({ claim: given, dataVolume: { ...dataVolume, deleting: true } });
    expect(release(stuck, later(context, 5 * minute))).toMatchObject({ code: 'ReleaseTimeout' });
  });
});

describe('StartVM', () => {
  const records = { targetName: 'web-01', power: { before: 'On' } } as const;
  const before = phaseContext({ records });
  const after = phaseContext({ records: { ...records, committedAt: '2026-01-01T00:00:00Z' } });

  test('commits in the save before the start', () => {
    const facts = { sourcePower: { state: 'Off' }, targetVm: vm } as const;
    expect(decide('StartVM', facts, before)).toEqual({
      kind: 'act',
      records: { committedAt: '2026-01-01T00:00:00Z', targetUid: 'v' },
      ledger: [
        { op: 'dispose', key: 'TargetObjects/target', disposition: 'handOver' },
        { op: 'strike', key: 'SourcePower' },
      ],
      actions: [{ do: 'setRunStrategy', vmUid: 'v', runStrategy: 'Always' }],
    });
  });

  test('a source that was powered on meanwhile wins before the commit point', () => {
    const facts = { sourcePower: { state: 'On' }, targetVm: vm } as const;
    expect(decide('StartVM', facts, before)).toMatchObject({ kind: 'fail', code: 'SourceRestarted' });
  });

  test('a source that was powered on between commit and start keeps the target halted, and nothing fails', () => {
    const facts = { sourcePower: { state: 'On' }, targetVm: vm } as const;
    expect(decide('StartVM', facts, after)).toMatchObject({
      kind: 'advance',
      events: [{ reason: 'TargetNotStarted' }],
    });
  });

  test('starts what a crash after the commit left halted', () => {
    const facts = { sourcePower: { state: 'Off' }, targetVm: vm } as const;
    expect(decide('StartVM', facts, after)).toMatchObject({ actions: [{ do: 'setRunStrategy' }] });
    const started = { ...facts, targetVm: { ...vm, runStrategy: 'Always' } };
    expect(decide('StartVM', started, after)).toEqual({ kind: 'advance' });
  });

  test('leaves the target off where the plan says so', () => {
    const spec = importSpec({ options: { ...importSpec().options, powerAfter: 'off' } });
    const facts = { sourcePower: { state: 'Off' }, targetVm: vm } as const;
    expect(decide('StartVM', facts, { ...before, spec })).toMatchObject({ kind: 'act', actions: [] });
  });
});

describe('WaitForTargetRunning', () => {
  const context = phaseContext({ records: { power: { before: 'On' } } });

  test('ends when the instance runs', () => {
    expect(decide('WaitForTargetRunning', { instancePhase: 'Running' }, context)).toEqual({
      kind: 'advance',
    });
    expect(decide('WaitForTargetRunning', { instancePhase: 'Pending' }, context).kind).toBe('wait');
  });

  test('warns after ten minutes and never fails', () => {
    const late = later(context, 10 * minute);
    expect(decide('WaitForTargetRunning', { instancePhase: '' }, late)).toMatchObject({
      kind: 'advance',
      warning: expect.stringContaining('does not run'),
      events: [{ reason: 'TargetNotRunning' }],
    });
  });
});
