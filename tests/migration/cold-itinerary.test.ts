import { describe, expect, test } from '@jest/globals';
import { cold } from '../../src/migration/itineraries.ts';
import type { Action } from '../../src/migration/phase.ts';
import { importSpec } from './import-spec.ts';
import { ModelRunner, type Accident } from './model-runner.ts';
import { ModelWorld, type WorldOptions } from './model-world.ts';

const name = 'web-01';

function migrate(
  accident?: Accident,
  options: WorldOptions = {},
  changes: Parameters<typeof importSpec>[0] = {},
): ModelRunner {
  const runner = new ModelRunner(new ModelWorld(importSpec(changes, 2), options), accident && [accident]);
  runner.run();
  return runner;
}

/** One accident at a time at every boundary that a run without accidents passes. */
function everyBoundary(what: Accident['what'], options: WorldOptions = {}): readonly Accident[] {
  const { boundaries } = migrate(undefined, options);
  return Array.from({ length: boundaries }, (_, at) => ({ at, what }));
}

function kinds(runner: ModelRunner): readonly Action['do'][] {
  return runner.deeds.map(({ action }) => action.do);
}

function expectHandedOver({ world, status }: ModelRunner): void {
  expect(status.outcome).toBe('Succeeded');
  expect(status.ledger).toEqual([]);
  expect(status.slots).toEqual([]);
  const vm = world.vms.get(name)!;
  expect(vm).toMatchObject({ ours: false, runStrategy: 'Always' });
  expect(world.vmsMade).toBe(1);
  for (const claim of world.claims.values()) {
    expect(claim).toMatchObject({ ours: false, whole: true, owner: { kind: 'VirtualMachine', uid: vm.uid } });
  }
  expect(world.claims.size).toBe(2);
  expect([world.dataVolumes.size, world.importers.size, world.secrets.size]).toEqual([0, 0, 0]);
  expect(world.power).toBe('Off');
}

function expectTakenBack({ world, status }: ModelRunner): void {
  expect(status.ledger).toEqual([]);
  expect([...world.vms.values()]).toEqual([]);
  expect([...world.claims.values()]).toEqual([]);
  expect([world.dataVolumes.size, world.importers.size, world.secrets.size]).toEqual([0, 0, 0]);
  expect(world.power).toBe('On');
}

function expectLaws(runner: ModelRunner): void {
  for (const { action, committed, powerOwed } of runner.deeds) {
    if (committed) expect(['powerOn', 'deleteVm', 'deleteClaim', 'takeClaimFromVm']).not.toContain(action.do);
    if (action.do === 'powerOff') expect(powerOwed).toBe(true);
    if (action.do === 'setRunStrategy') expect(committed).toBe(true);
  }
}

describe('a cold migration', () => {
  test('goes through its phases in order and leaves nothing of its own behind', () => {
    const runner = migrate();
    expectHandedOver(runner);
    expectLaws(runner);
    expect(runner.seen).toEqual(cold.phases);
  });

  test('ends the same wherever the process dies', () => {
    for (const accident of everyBoundary('crash')) {
      const runner = migrate(accident);
      expectHandedOver(runner);
      expectLaws(runner);
    }
  });

  test('cancelled before the commit point takes everything back, after it hands everything over', () => {
    let taken = 0;
    for (const accident of everyBoundary('cancel')) {
      const runner = migrate(accident);
      expectLaws(runner);
      if (runner.status.records?.committedAt === undefined) {
        taken += 1;
        expectTakenBack(runner);
      } else {
        expect(runner.status.ledger).toEqual([]);
        expect(runner.world.vms.get(name)).toMatchObject({ ours: false });
        expect(runner.world.power).toBe('Off');
      }
    }
    expect(taken).toBeGreaterThan(10);
  });

  test('an action that is refused for good never leaves half a migration behind', () => {
    for (const accident of everyBoundary('refuse')) {
      const runner = migrate(accident);
      expectLaws(runner);
      expect(runner.status.ledger).toEqual([]);
      if (runner.status.records?.committedAt === undefined) expectTakenBack(runner);
      else expect(runner.world.power).toBe('Off');
    }
  });

  test('of a VM that was off makes no promise about its power and leaves it off', () => {
    for (const what of ['crash', 'cancel'] as const) {
      for (const accident of everyBoundary(what, { power: 'Off' })) {
        const runner = migrate(accident, { power: 'Off' });
        expect(kinds(runner)).not.toContain('powerOff');
        expect(kinds(runner)).not.toContain('powerOn');
        expect(runner.world.power).toBe('Off');
        expect(runner.status.ledger).toEqual([]);
      }
    }
  });

  test('of a VM that was off leaves the target halted, and commits all the same', () => {
    const runner = migrate(undefined, { power: 'Off' });
    expect(runner.world.vms.get(name)).toMatchObject({ ours: false, runStrategy: 'Halted' });
    expect(runner.status.records?.committedAt).toBeDefined();
  });

  test('makes the target namespace where it is missing', () => {
    const runner = migrate(undefined, { namespaceExists: false });
    expect(kinds(runner)[0]).toBe('createNamespace');
    expectHandedOver(runner);
  });
});

describe('a guest that does not shut down', () => {
  test('fails the import after the deadline, and is not powered off hard', () => {
    const runner = migrate(undefined, { shutdownSeconds: 'never' });
    expect(runner.failures.map(({ code }) => code)).toEqual(['PowerOffTimeout']);
    expect(runner.deeds.every(({ action }) => action.do !== 'powerOff' || action.how === 'guest')).toBe(true);
    expect(runner.world.power).toBe('On');
    expect(runner.status.ledger).toEqual([]);
  });

  test('and shuts down late is powered on again', () => {
    const runner = migrate(undefined, { shutdownSeconds: 30 * 60 });
    expect(runner.status.records?.ending?.outcome).toBe('Failed');
    expect(kinds(runner).filter((kind) => kind === 'powerOn')).toHaveLength(1);
    expect(runner.world.power).toBe('On');
    expect(runner.status.records?.power?.restoredAt).toBeDefined();
  });

  test('is powered off hard where the policy says so', () => {
    const policies = { powerOff: 'force', powerOffSeconds: 0, onConversionFailure: 'restore' } as const;
    const runner = migrate(undefined, { shutdownSeconds: 'never' }, { policies });
    expectHandedOver(runner);
    expect(runner.deeds.some(({ action }) => action.do === 'powerOff' && action.how === 'hard')).toBe(true);
  });
});

describe('what the plan wants kept', () => {
  const options = { ...importSpec().options, deleteOnFail: false };

  test('whole claims stay without our label and outlive the VM, half-copied ones go', () => {
    const { boundaries } = migrate();
    for (let at = 0; at < boundaries; at += 1) {
      const runner = migrate({ at, what: 'cancel' }, {}, { options });
      if (runner.status.records?.committedAt !== undefined) continue;
      expect(runner.status.ledger).toEqual([]);
      expect(runner.world.vms.size).toBe(0);
      if (runner.status.records?.copyCompleteAt !== undefined) expect(runner.world.claims.size).toBe(2);
      for (const claim of runner.world.claims.values()) {
        expect(claim).toMatchObject({ whole: true, ours: false, owner: { kind: 'none' } });
      }
      expect(runner.world.power).toBe('On');
    }
  });

  test('copies are told to be old once the source runs again', () => {
    const { boundaries } = migrate();
    const dirty = Array.from({ length: boundaries }, (_, at) => migrate({ at, what: 'cancel' }))
      .filter(({ status }) => status.records?.copyCompleteAt !== undefined)
      .filter(({ status }) => status.records?.committedAt === undefined)
      .map(({ status }) => status.disks?.every((disk) => disk.dirty === true));
    expect(dirty.length).toBeGreaterThan(0);
    expect(dirty).not.toContain(false);
  });
});
