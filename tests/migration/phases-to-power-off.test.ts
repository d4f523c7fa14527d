import { describe, expect, test } from '@jest/globals';
import type { VirtualMachineImportStatus } from '../../src/api/virtual-machine-import.ts';
import { cold, warm, itineraryFor, phaseByName, postHook, stepsOf } from '../../src/migration/itineraries.ts';
import { targetNames } from '../../src/migration/names.ts';
import type { FactTable, Facts, FactName, PriorImport, SlotFact } from '../../src/migration/facts.ts';
import type { Context, Decision } from '../../src/migration/phase.ts';
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
    for (const { phases } of [cold, warm, postHook]) {
      expect(phases.map((name) => phaseByName(name)?.name)).toEqual(phases);
      expect(new Set(phases).size).toBe(phases.length);
    }
  });

  test('a phase of a newer version is not known', () => {
    expect(phaseByName('TeleportDisks')).toBeUndefined();
    expect(stepsOf({ id: 'cold', phases: ['Started', 'TeleportDisks'] })).toEqual(['Initialize']);
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
