import { describe, expect, test } from '@jest/globals';
import type { DiskStatus, LedgerEntry } from '../../src/api/virtual-machine-import.ts';
import type { FactTable, Facts, FactName, TargetObjects, VolumeFact } from '../../src/migration/facts.ts';
import type { Context, UnwindDecision } from '../../src/migration/phase.ts';
import { unwindSteps } from '../../src/migration/unwind.ts';
import type { PowerState } from '../../src/model/vm.ts';
import { importSpec, vmModel } from './import-spec.ts';
import { later, phaseContext } from './phase-context.ts';

const t0 = '2026-01-01T00:00:00Z';

function entry(key: string, kind: LedgerEntry['kind']): LedgerEntry {
  return { key, kind, marker: 'target', intentAt: t0, attempts: 0, disposition: 'remove' };
}
const ledger = [entry('SourcePower', 'SourcePower'), entry('TargetObjects/target', 'TargetObjects')];
const disk: DiskStatus = {
  key: '2000',
  claim: 'web-01-disk-0',
  round: 1,
  state: 'done',
  doneBytes: 1,
  totalBytes: 1,
};

function context(changes: Partial<Context['records']> = {}, deleteOnFail = true): Context {
  const power = { before: 'On', offRequestedAt: t0 } as const;
  const spec = importSpec({ options: { ...importSpec().options, deleteOnFail } });
  return phaseContext({ ledger, disks: [disk], records: { power, ...changes } }, {}, spec);
}

function decide(name: string, facts: Partial<FactTable>, at: Context): UnwindDecision {
  const step = unwindSteps.find((candidate) => candidate.name === name)!;
  expect(step.applies(at)).toBe(true);
  return step.decide(facts as Facts<FactName>, at);
}

function objects(changes: Partial<TargetObjects> = {}): TargetObjects {
  return {
    virtualMachines: [],
    dataVolumes: [],
    claims: [],
    pods: [],
    secrets: [],
    configMaps: [],
    ...changes,
  };
}
const object = { name: 'web-01-disk-0', uid: 'u', deleting: false };

test('an import that owes nothing has nothing to unwind', () => {
  expect(unwindSteps.some((step) => step.applies(phaseContext()))).toBe(false);
});

test('the steps come in the order of the design', () => {
  expect(unwindSteps.map(({ name }) => name)).toEqual([
    'DeleteConversionPod',
    'StopCopies',
    'RestorePower',
    'RemoveSnapshots',
    'ClearAccess',
    'SettleTarget',
    'ProveTargetClear',
  ]);
});

describe('RestorePower', () => {
  const found = (power: PowerState): Partial<FactTable> => ({
    sourceVm: { state: 'present', model: vmModel({ power }) },
  });
  const restore = (power: PowerState, at = context()) => decide('RestorePower', found(power), at);

  test('powers on what is off, tells so while it is, and makes the copies old in the same save', () => {
    expect(restore('Off')).toMatchObject({
      kind: 'act',
      actions: [{ do: 'powerOn' }],
      disks: [{ dirty: true }],
      records: { power: { offSeenAt: t0 } },
      conditions: [{ type: 'SourceLeftOff' }],
    });
  });

  test('gives back the very state that was recorded', () => {
    const power = { before: 'On', restore: 'RerunOnFailure' } as const;
    expect(restore('Off', context({ power }))).toMatchObject({
      actions: [{ do: 'powerOn', restore: 'RerunOnFailure' }],
    });
  });

  test('is done once the source is on again after it was seen off', () => {
    const power = { before: 'On', offRequestedAt: t0, offSeenAt: t0 } as const;
    expect(restore('On', context({ power }))).toMatchObject({
      kind: 'done',
      ledger: [{ op: 'strike', key: 'SourcePower' }],
      records: { power: { restoredAt: t0 } },
    });
  });

  test('watches an hour for a guest that shuts down late, then lets go and says so', () => {
    const hour = 60 * 60;
    expect(restore('On')).toMatchObject({ kind: 'wait', lookAt: context().now + hour * 1000 });
    expect(restore('Off', later(context(), hour - 1)).kind).toBe('act');
    expect(restore('On', later(context(), hour))).toMatchObject({
      kind: 'done',
      ledger: [{ op: 'strike', key: 'SourcePower' }],
      events: [{ reason: 'SourcePowerLetGo' }],
    });
  });

  test('does not wait for a VM that is gone, and does not resume one that somebody suspended', () => {
    expect(decide('RestorePower', { sourceVm: { state: 'gone' } }, context()).kind).toBe('done');
    expect(restore('Suspended').kind).toBe('done');
    expect(restore('Unknown').kind).toBe('wait');
  });

  test('never applies past the commit point', () => {
    const step = unwindSteps.find(({ name }) => name === 'RestorePower')!;
    expect(step.applies(context({ committedAt: t0 }))).toBe(false);
  });
});

describe('claims that the plan wants kept', () => {
  const claim = (owner: NonNullable<VolumeFact['claim']>['owner']): NonNullable<VolumeFact['claim']> => ({
    uid: 'u',
    ours: true,
    deleting: false,
    phase: 'Bound',
    owner,
    describedAs: 'claim',
  });
  const volume = (changes: Partial<VolumeFact>): VolumeFact => ({
    diskKey: '2000',
    claimName: 'web-01-disk-0',
    ...changes,
  });
  const dataVolume = (phase: string): NonNullable<VolumeFact['dataVolume']> => ({
    uid: 'd',
    ours: true,
    deleting: false,
    phase,
    restartCount: 0,
    conditions: [],
  });
  const keep = context({}, false);

  test.each([
    ['Succeeded', true],
    ['ImportInProgress', false],
  ])('outlive a DataVolume that is %s: %j', (phase, orphanClaim) => {
    const facts = {
      targetObjects: objects({ dataVolumes: [object] }),
      liveVolumes: [
        volume({ dataVolume: dataVolume(phase), claim: claim({ kind: 'DataVolume', uid: 'd' }) }),
      ],
    };
    expect(decide('StopCopies', facts, keep)).toMatchObject({ actions: [{ orphanClaim }] });
    expect(decide('StopCopies', facts, context())).toMatchObject({ actions: [{ orphanClaim: false }] });
  });

  test('leave the VM before it is deleted', () => {
    const facts = {
      targetObjects: objects({
        virtualMachines: [{ ...object, name: 'web-01', uid: 'v' }],
        claims: [{ ...object, owner: 'VirtualMachine' as const }],
      }),
      liveVolumes: [volume({ claim: claim({ kind: 'VirtualMachine', uid: 'v' }) })],
    };
    expect(decide('SettleTarget', facts, keep)).toEqual({
      kind: 'act',
      actions: [
        { do: 'takeClaimFromVm', claim: 'web-01-disk-0', claimUid: 'u', vmUid: 'v' },
        { do: 'stripLabel', on: 'PersistentVolumeClaim', name: 'web-01-disk-0', uid: 'u' },
        { do: 'deleteVm', name: 'web-01', uid: 'v' },
      ],
    });
    expect(decide('SettleTarget', facts, context())).toEqual({
      kind: 'act',
      actions: [
        { do: 'deleteVm', name: 'web-01', uid: 'v' },
        { do: 'deleteClaim', name: 'web-01-disk-0', uid: 'u' },
      ],
    });
  });

  test('are not those that still name a DataVolume which is gone: nobody knows whether they are whole', () => {
    const facts = {
      targetObjects: objects({ claims: [{ ...object, owner: 'DataVolume' as const }] }),
      liveVolumes: [volume({ claim: claim({ kind: 'DataVolume', uid: 'd' }) })],
    };
    expect(decide('SettleTarget', facts, keep)).toMatchObject({ actions: [{ do: 'deleteClaim' }] });
  });

  test('are not judged while a DataVolume still stands', () => {
    const facts = { targetObjects: objects({ dataVolumes: [object] }), liveVolumes: [] };
    expect(decide('SettleTarget', facts, keep).kind).toBe('wait');
  });
});

describe('past the commit point', () => {
  const committed = context({ committedAt: t0 });

  test('VM and claims lose our label and nothing else', () => {
    const facts = {
      targetObjects: objects({
        virtualMachines: [object],
        claims: [{ ...object, owner: 'VirtualMachine' as const }],
        pods: [object],
      }),
      liveVolumes: [],
    };
    expect(decide('SettleTarget', facts, committed)).toMatchObject({
      actions: [
        { do: 'stripLabel', on: 'VirtualMachine' },
        { do: 'stripLabel', on: 'PersistentVolumeClaim' },
        { do: 'deletePod' },
      ],
    });
  });
});

test('the entry of a namespace is struck only when nothing of ours is in it', () => {
  for (const kind of Object.keys(objects()) as (keyof TargetObjects)[]) {
    const targetObjects = objects({ [kind]: [{ ...object, owner: 'none' }] });
    expect(decide('ProveTargetClear', { targetObjects }, context()).kind).toBe('wait');
  }
  expect(decide('ProveTargetClear', { targetObjects: objects() }, context())).toEqual({
    kind: 'done',
    ledger: [{ op: 'strike', key: 'TargetObjects/target' }],
  });
});
