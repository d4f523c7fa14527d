import { describe, expect, test } from '@jest/globals';
import type { VirtualMachineImportStatus } from '../../src/api/virtual-machine-import.ts';
import { cold, itineraryFor, phaseByName, postHook, stepsOf } from '../../src/migration/itineraries.ts';
import { targetNames } from '../../src/migration/names.ts';
import type {
  Context,
  Decision,
  FactTable,
  Facts,
  FactName,
  PriorImport,
  SlotFact,
  VolumeFact,
} from '../../src/migration/phase.ts';
import { identitySlot, nameSlot } from '../../src/migration/slot-requests.ts';
import { importSpec, vmModel } from './import-spec.ts';
import { later, phaseContext } from './phase-context.ts';

function decide(phase: string, facts: Partial<FactTable>, context: Context): Decision {
  return phaseByName(phase)!.decide(facts as Facts<FactName>, context);
}

const minute = 60;
const emptyQueue: SlotFact = { held: new Set() };

describe('itineraries', () => {
  test('a cold plan shows three steps', () => {
    expect(stepsOf(cold)).toEqual(['Initialize', 'DiskTransfer', 'VirtualMachineCreation']);
  });

  test('name only phases that exist, and each once', () => {
    for (const { phases } of [cold, postHook]) {
      expect(phases.map((name) => phaseByName(name)?.name)).toEqual(phases);
      expect(new Set(phases).size).toBe(phases.length);
    }
  });

  test('a phase of a newer version is not known', () => {
    expect(phaseByName('TeleportDisks')).toBeUndefined();
    expect(stepsOf({ phases: ['Started', 'TeleportDisks'] })).toEqual(['Initialize']);
  });

  test('a VM whose earlier run has committed is not copied again', () => {
    expect(itineraryFor(importSpec())).toBe(cold);
    expect(itineraryFor(importSpec(), true)).toBe(postHook);
    const strategy = { type: 'postHook', path: 'vddk', conversion: 'none' } as const;
    expect(itineraryFor(importSpec({ strategy }))).toBe(postHook);
  });
});

describe('Started', () => {
  const start = (context: Context, priorImports: readonly PriorImport[] = [], slots = emptyQueue) =>
    decide('Started', { priorImports, slots }, context);

  test('asks for source VM, name and host in one request, and records the name', () => {
    expect(start(phaseContext())).toMatchObject({
      kind: 'acquire',
      records: { targetName: 'web-01' },
      slots: [
        { resource: 'identity/vc-1/50-01', cost: 1, capacity: 1 },
        { resource: 'name/host-uid/target/web-01', cost: 1, capacity: 1 },
        { resource: 'host/provider-uid/host-1', cost: 1, capacity: 20 },
      ],
    });
  });

  test('lets a VM with more disks than the host may read take the whole host', () => {
    const decision = start(phaseContext({}, { maxVmInflight: 2 }, importSpec({}, 5)));
    expect(decision).toMatchObject({ kind: 'acquire' });
    expect(decision.kind === 'acquire' && decision.slots[2]).toMatchObject({ cost: 2, capacity: 2 });
  });

  test('goes on only when the saved status holds the slots', () => {
    const asked = start(phaseContext());
    const slots = asked.kind === 'acquire' ? asked.slots : [];
    const held = { held: new Set(slots.map(({ resource }) => resource)) };
    expect(start(phaseContext(), [], held).kind).toBe('acquire');
    const saved = slots.map(({ resource, cost }) => ({ resource, cost, grantedAt: '2026-01-01T00:00:00Z' }));
    expect(start(phaseContext({ slots: saved }), [], held).kind).toBe('advance');
  });

  test('takes another name where the made-up one is reserved, but keeps one that somebody chose', () => {
    const spec = importSpec({ vm: { id: 'vm-1', name: 'Web_01' } });
    const [first, second] = targetNames(spec);
    const queued: SlotFact = {
      held: new Set(),
      queue: { resource: nameSlot(spec, first).resource, position: 1, length: 1 },
    };
    expect(start(phaseContext({}, {}, spec), [], queued)).toMatchObject({ records: { targetName: second } });
    const own = importSpec();
    const ownQueued = { ...queued, queue: { ...queued.queue!, resource: nameSlot(own, 'web-01').resource } };
    expect(start(phaseContext({}, {}, own), [], ownQueued)).toMatchObject({
      records: { targetName: 'web-01' },
    });
  });

  test('says that another import has the same VM', () => {
    const spec = importSpec();
    const queue = { resource: identitySlot(spec).resource, position: 1, length: 1 };
    expect(start(phaseContext(), [], { held: new Set(), queue })).toMatchObject({
      for: 'another import of the same VM to end',
    });
  });

  test('waits while the plan is paused', () => {
    const paused = phaseContext({}, {}, importSpec({ control: { paused: true } }));
    expect(start(paused)).toMatchObject({ kind: 'wait', reason: 'Paused' });
  });

  test('waits for an earlier run to clean up, and names what it owes', () => {
    const prior = { name: 'plan-web-1', uid: 'u', owes: ["the source's power"] };
    expect(start(phaseContext(), [prior])).toMatchObject({
      kind: 'wait',
      reason: 'PriorCleanup',
      for: "an earlier run of this VM to clean up: plan-web-1 (the source's power)",
      until: phaseContext().now + 30 * minute * 1000,
    });
    expect(start(phaseContext(), [{ ...prior, owes: [] }]).kind).toBe('acquire');
  });

  test('after half an hour goes on without it, unless the two would meet at the source', () => {
    const prior = { name: 'plan-web-1', uid: 'u', owes: ['objects in namespace target'] };
    const late = later(phaseContext(), 30 * minute);
    expect(start(late, [{ ...prior, owesOnlyAtTarget: true }]).kind).toBe('acquire');
    expect(start(late, [prior]).kind).toBe('wait');
  });

  test('of a retry after the commit point goes by what stands', () => {
    const strategy = { type: 'postHook', path: 'vddk', conversion: 'none' } as const;
    const context = phaseContext({}, {}, importSpec({ strategy }));
    const prior = { name: 'p', uid: 'u', owes: [], committedTarget: 'target/other-name' };
    expect(start(context, [prior])).toMatchObject({
      kind: 'acquire',
      slots: [{ resource: 'identity/vc-1/50-01' }],
      records: { targetName: 'other-name' },
    });
    expect(start(context, [])).toMatchObject({ kind: 'fail', code: 'TargetGone' });
  });
});

describe('Preflight', () => {
  const status = (name = 'web-01', spec = importSpec()): VirtualMachineImportStatus => ({
    records: { targetName: name },
    slots: [{ resource: nameSlot(spec, name).resource, cost: 1, grantedAt: '2026-01-01T00:00:00Z' }],
  });
  const check = (preflight: FactTable['preflight'], context = phaseContext(status())) =>
    decide('Preflight', { sourceVm: { state: 'present', model: vmModel() }, preflight }, context);

  test('goes on when the source is as planned and the target would take the VM', () => {
    expect(check({ state: 'accepted' })).toEqual({ kind: 'advance' });
  });

  test('of a VM that is gone ends the import as cancelled', () => {
    const facts = { sourceVm: { state: 'gone' }, preflight: { state: 'accepted' } } as const;
    expect(decide('Preflight', facts, phaseContext(status()))).toMatchObject({
      kind: 'fail',
      outcome: 'Canceled',
      outcomeReason: 'NotFound',
    });
  });

  test('of a VM that was changed asks to be made again, three times at most', () => {
    const sourceVm = { state: 'present', model: vmModel({ digest: 'another' }) } as const;
    const facts = { sourceVm, preflight: { state: 'accepted' } } as const;
    expect(decide('Preflight', facts, phaseContext(status()))).toMatchObject({
      kind: 'wait',
      reason: 'ModelStale',
      conditions: [{ type: 'ModelStale' }],
    });
    const spec = importSpec({ run: { ...importSpec().run, remade: 3 } });
    expect(decide('Preflight', facts, phaseContext(status(), {}, spec))).toMatchObject({
      kind: 'fail',
      code: 'ModelUnstable',
    });
  });

  test('makes a namespace that is missing', () => {
    expect(check({ state: 'namespaceMissing' })).toMatchObject({
      kind: 'act',
      actions: [{ do: 'createNamespace' }],
    });
  });

  test('a name that the VM has at its source and somebody else in the target is a failure that names him', () => {
    const taken = { state: 'nameTaken', ours: false, uid: 'u', by: 'made by somebody' } as const;
    const decision = check(taken);
    expect(decision).toMatchObject({ kind: 'fail', class: 'terminal', code: 'NameTaken' });
    expect(decision.kind === 'fail' && decision.message).toContain('made by somebody');
  });

  test('a name that was made up is made up otherwise, and reserved before it is tried', () => {
    const spec = importSpec({ vm: { id: 'vm-1', name: 'Web_01' } });
    const [first, second] = targetNames(spec);
    const taken = { state: 'nameTaken', ours: false, uid: 'u', by: 'somebody' } as const;
    const renamed = check(taken, phaseContext(status(first, spec), {}, spec));
    expect(renamed).toMatchObject({ kind: 'act', actions: [], records: { targetName: second } });
    expect(renamed.free).toEqual([nameSlot(spec, first).resource]);
    const unreserved = phaseContext({ records: { targetName: second! } }, {}, spec);
    expect(check({ state: 'accepted' }, unreserved)).toMatchObject({
      kind: 'acquire',
      slots: [nameSlot(spec, second!)],
    });
    const again = check(taken, phaseContext(status(second, spec), {}, spec));
    expect(again).toMatchObject({ kind: 'fail', code: 'NameTaken' });
  });

  test.each<[FactTable['preflight'], string]>([
    [{ state: 'refused', code: 'Invalid', text: 'no' }, 'TargetRefused'],
    [{ state: 'classMissing', classes: ['gold'] }, 'StorageClassMissing'],
    [{ state: 'networkMissing', networks: ['a/b'] }, 'NetworkMissing'],
    [{ state: 'spaceShort', text: 'quota' }, 'SpaceShort'],
    [{ state: 'namespaceTerminating' }, 'NamespaceTerminating'],
  ])('%j is a failure before anything was touched, here and right before power-off', (preflight, code) => {
    const expected = { kind: 'fail', class: 'terminal', code, hint: expect.any(String) };
    expect(check(preflight)).toMatchObject(expected);
    const facts = { sourcePower: { state: 'On' }, preflight } as const;
    expect(decide('PowerOffSource', facts, phaseContext(status()))).toMatchObject(expected);
  });
});

describe('power', () => {
  const accepted = { state: 'accepted' } as const;
  const requested = phaseContext({
    records: { power: { before: 'On', offRequestedAt: '2026-01-01T00:00:00Z' } },
    ledger: [
      {
        key: 'SourcePower',
        kind: 'SourcePower',
        marker: 'power',
        disposition: 'remove',
        attempts: 0,
        intentAt: '2026-01-01T00:00:00Z',
      },
    ],
  });

  test('before is written once', () => {
    const before = phaseContext({ records: { power: { before: 'On' } } });
    expect(decide('StorePowerState', { sourcePower: { state: 'Off' } }, before)).toEqual({ kind: 'advance' });
    const facts = { sourcePower: { state: 'On', restore: 'Always' } } as const;
    expect(decide('StorePowerState', facts, phaseContext())).toEqual({
      kind: 'advance',
      records: { power: { before: 'On', restore: 'Always' } },
    });
  });

  test.each(['StorePowerState', 'PowerOffSource'])('%s gives an unclear state 15 minutes', (phase) => {
    for (const state of ['Suspended', 'Unknown'] as const) {
      const facts = { sourcePower: { state }, preflight: accepted };
      expect(decide(phase, facts, phaseContext()).kind).toBe('wait');
      expect(decide(phase, facts, later(phaseContext(), 15 * minute))).toMatchObject({
        kind: 'fail',
        code: state === 'Suspended' ? 'SourceSuspended' : 'SourcePowerUnknown',
      });
    }
  });

  test('off asks nobody and owes nothing', () => {
    const facts = { sourcePower: { state: 'Off' }, preflight: accepted } as const;
    expect(decide('PowerOffSource', facts, phaseContext())).toEqual({ kind: 'advance' });
  });

  test('is not touched while paused, unless it is already going off', () => {
    const facts = { sourcePower: { state: 'On' }, preflight: accepted } as const;
    const spec = importSpec({ control: { paused: true } });
    expect(decide('PowerOffSource', facts, phaseContext({}, {}, spec)).kind).toBe('wait');
    expect(decide('PowerOffSource', facts, { ...requested, spec }).kind).toBe('advance');
  });

  test('a request is made again after a while, and a refusal of that is no failure', () => {
    const facts = { sourcePower: { state: 'On' } } as const;
    expect(decide('WaitForPowerOff', facts, requested)).toMatchObject({
      kind: 'wait',
      until: requested.now + 180_000,
    });
    const after = later(requested, 180);
    expect(decide('WaitForPowerOff', facts, after)).toMatchObject({
      kind: 'act',
      actions: [{ do: 'powerOff', how: 'guest' }],
    });
    const action = { do: 'powerOff', how: 'guest' } as const;
    const refusal = { action, code: 'ToolsUnavailable', text: 'tools are not running' };
    expect(phaseByName('WaitForPowerOff')!.refused!(refusal, after)).toMatchObject({ kind: 'wait' });
  });

  test('is taken hard at the deadline where the policy says so, once a while, and told', () => {
    const policies = { powerOff: 'force', powerOffSeconds: 200, onConversionFailure: 'restore' } as const;
    const power = { before: 'On', offRequestedAt: '2026-01-01T00:03:00Z' } as const;
    const context = { ...requested, spec: importSpec({ policies }), records: { power } };
    const facts = { sourcePower: { state: 'On' } } as const;
    expect(decide('WaitForPowerOff', facts, later(context, 200))).toMatchObject({
      kind: 'act',
      actions: [{ do: 'powerOff', how: 'hard' }],
      events: [{ reason: 'PowerOffForced' }],
      records: { power: { offRequestedAt: '2026-01-01T00:03:20Z' } },
    });
    const forced = { ...context, records: { power: { ...power, offRequestedAt: '2026-01-01T00:03:20Z' } } };
    expect(decide('WaitForPowerOff', facts, later(forced, 201))).toMatchObject({ kind: 'wait' });
    expect(decide('WaitForPowerOff', facts, later(forced, 400))).toMatchObject({ code: 'PowerOffTimeout' });
  });

  test('has the time that the plan gives it', () => {
    const policies = { powerOff: 'fail', powerOffSeconds: 60, onConversionFailure: 'restore' } as const;
    const context = { ...requested, spec: importSpec({ policies }) };
    const facts = { sourcePower: { state: 'On' } } as const;
    expect(decide('WaitForPowerOff', facts, later(context, 59)).kind).toBe('wait');
    expect(decide('WaitForPowerOff', facts, later(context, 60))).toMatchObject({ code: 'PowerOffTimeout' });
  });
});

// ---- volumes and the target VM --------------------------------------------------------------------------------------------------

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
  const make = (volume: VolumeFact) => decide('CreateDataVolumes', { liveVolumes: [volume] }, phaseContext());

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

  test('nothing is made over a claim that lost its DataVolume', () => {
    expect(make(bareVolume({ claim }))).toMatchObject({ kind: 'fail', code: 'DataVolumeDeleted' });
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
  const context = phaseContext({ records: { targetUid: 'v' } });
  const release = (volume: VolumeFact, at = context) =>
    decide('ReleaseVolumes', { liveVolumes: [volume] }, at);

  test('gives the claim before it deletes the DataVolume, which leaves the claim alone', () => {
    expect(release(bareVolume({ claim, dataVolume }))).toEqual({
      kind: 'act',
      actions: [
        { do: 'giveClaimToVm', claim: 'web-01-disk-0', claimUid: 'c', dataVolumeUid: 'd', vmUid: 'v' },
        { do: 'deleteDataVolume', name: 'web-01-disk-0', uid: 'd', orphanClaim: true },
      ],
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
