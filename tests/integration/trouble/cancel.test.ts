import { describe, expect, test } from '@jest/globals';
import { findCondition, isTrue } from '../../../src/api/conditions.ts';
import { migrations, persistentVolumeClaims, plans, virtualMachines } from '../../../src/api/kinds.ts';
import { planWith, untilClean } from '../../support/move.ts';
import { migrationObject } from '../../support/objects.ts';
import {
  entryOf,
  namesOf,
  nothingLeft,
  once,
  powerCalls,
  saysWhy,
  slowCopy,
  startRun,
  untilCopying,
  untilEnded,
  untilImport,
  untilOneCopies,
  web,
  type Run,
} from '../../support/trouble.ts';
import type { TestWorld } from '../../support/world.ts';

type Reference = { readonly id?: string; readonly name?: string };

function cancel(world: TestWorld, ...references: readonly Reference[]): Promise<unknown> {
  const at = { namespace: world.planNamespace, name: 'run' };
  return world.client.mergePatch(migrations, at, { spec: { cancel: references } });
}

async function isCanceled({ world, source }: Run, power: 'poweredOn' | 'poweredOff'): Promise<void> {
  const end = await untilEnded(world);
  expect(end.object.status?.outcome).toBe('Canceled');
  expect(findCondition(end.entry.conditions, 'Canceled')).toMatchObject({ reason: 'UserRequested' });
  await untilClean(world);
  expect(source.power).toBe(power);
  await nothingLeft(world);
}

describe('a cancel', () => {
  test('in the middle of the copy leaves nothing within two minutes, and the source runs again', async () => {
    const run = await startRun(undefined, slowCopy);
    await using world = run.world;
    await untilCopying(world);
    await cancel(world, { id: run.source.id });
    const since = world.clock.now();
    await untilClean(world);
    expect(world.clock.now() - since).toBeLessThan(120_000);
    await isCanceled(run, 'poweredOn');
  });

  test('said twice, and taken back, is one cancel', async () => {
    const run = await startRun(undefined, slowCopy);
    await using world = run.world;
    await untilCopying(world);
    await cancel(world, { id: run.source.id });
    await cancel(world, { id: run.source.id }, { name: 'web-01' });
    await untilImport(world, 'was told', ({ spec }) => spec.control?.cancel === true);
    await cancel(world);
    await isCanceled(run, 'poweredOn');
    expect(powerCalls(world).filter((what) => what === 'PowerOnVM_Task')).toHaveLength(1);
  });

  test('leaves a source off that was off', async () => {
    const run = await startRun([{ name: 'web-01', power: 'off' }], slowCopy);
    await using world = run.world;
    await untilCopying(world);
    await cancel(world, { name: 'web-01' });
    await isCanceled(run, 'poweredOff');
    expect(powerCalls(world)).toEqual([]);
  });

  test('after the commit point comes too late: the VM is moved', async () => {
    const { world, source } = await startRun(undefined, {
      atBoundary: (at, vm) =>
        once('after', 'StartVM setRunStrategy', async () => {
          await cancel(at, { id: vm.id });
        }),
    });
    await using _world = world;
    await untilEnded(world);
    await untilClean(world);
    expect((await world.get(virtualMachines, world.targetNamespace, 'web-01'))?.spec.runStrategy).toBe(
      'Always',
    );
    expect(source.power).toBe('poweredOff');
  });

  test('by a name that two VMs bear cancels none, and says so', async () => {
    const twins = [
      { ...web, folder: 'a' },
      { ...web, folder: 'b' },
    ];
    const { world, sources } = await startRun(twins, {
      ...slowCopy,
      async prepare(prepared, [first, second]) {
        const vms = [
          { id: first!.id, targetName: 'one' },
          { id: second!.id, targetName: 'two' },
        ];
        await prepared.client.mergePatch(
          plans,
          { namespace: prepared.planNamespace, name: 'plan' },
          { spec: { vms } },
        );
      },
    });
    await using _world = world;
    await world.until('imports', async () => ((await world.imports()).length === 2 ? true : undefined));
    await cancel(world, { name: 'web-01' });
    await world.until('VMNotUnique', async () => {
      const migration = await world.get(migrations, world.planNamespace, 'run');
      return isTrue(migration?.status?.conditions, 'VMNotUnique') ? true : undefined;
    });
    expect((await world.imports()).map(({ spec }) => spec.control?.cancel)).toEqual([undefined, undefined]);
    await cancel(world, { id: sources[1]!.id });
    await world.until('one is canceled', async () => {
      const ends = (await world.imports()).map(({ spec, status }) => [spec.vm.id, status?.outcome]);
      return ends.some(([id, outcome]) => id === sources[1]!.id && outcome === 'Canceled') ? true : undefined;
    });
  });

  test('ends a queued VM at once, which never held a place on the host', async () => {
    const vms = [1, 2].map((n) => ({ name: `web-0${n}`, power: 'on' as const, host: 'esx1.example' }));
    const { world, sources } = await startRun(vms, { ...slowCopy, settings: { maxVmInflight: 1 } });
    await using _world = world;
    const first = (await untilOneCopies(world)).spec.vm.name;
    const queued = sources.find(({ name }) => name !== first)!;
    await untilImport(world, 'waits', ({ status }) => status?.waitingFor === 'Queued', queued.name);
    await cancel(world, { id: queued.id });
    const since = world.clock.now();
    const { object, entry } = await untilEnded(world, queued.name);
    // The first would hold the place for a minute.
    expect(world.clock.now() - since).toBeLessThan(30_000);
    expect(object.status?.outcome).toBe('Canceled');
    expect(object.status?.slots ?? []).toEqual([]);
    expect(entry.started ?? object.status?.started).toBeUndefined();
    expect(powerCalls(world, queued.name)).toEqual([]);
    expect((await untilEnded(world, first)).object.status?.outcome).toBe('Succeeded');
  });
});

describe('a failure that leaves disks to the user', () => {
  const keep = { deleteVmOnFailMigration: false };

  test('keeps what is whole, without our label, and removes what is half copied', async () => {
    const vm = { ...web, disks: [{ sizeBytes: 256 * 1024 }, { sizeBytes: 4096 * 1024 }] };
    const run = await startRun([vm], { plan: keep, copy: { bytesPerSecond: 64 * 1024 } });
    await using world = run.world;
    const object = await untilImport(
      world,
      'has one disk',
      ({ status }) => status?.disks?.[0]?.state === 'done' && status.disks[1]?.state === 'copying',
    );
    await cancel(world, { id: run.source.id });
    await untilEnded(world);
    await untilClean(world);
    expect(run.source.power).toBe('poweredOn');
    const whole = object.spec.disks[0]!.claimName;
    expect(await namesOf(world, persistentVolumeClaims)).toEqual([whole]);
    await nothingLeft(world, whole);
    const claim = await world.get(persistentVolumeClaims, world.targetNamespace, whole);
    expect(claim?.metadata.ownerReferences ?? []).toEqual([]);
  });

  test('right before the commit point keeps the claims and removes the VM', async () => {
    const run = await startRun(undefined, {
      plan: keep,
      atBoundary: (_world, source) =>
        once('after', 'ReleaseVolumes deleteDataVolume', () => source.powerOn()),
    });
    await using world = run.world;
    const end = await untilEnded(world);
    saysWhy(end, 'SourceRestarted');
    await untilClean(world);
    const { claimName } = end.object.spec.disks[0]!;
    expect(await namesOf(world, virtualMachines)).toEqual([]);
    await nothingLeft(world, claimName);
    const claim = await world.get(persistentVolumeClaims, world.targetNamespace, claimName);
    expect(claim?.metadata.deletionTimestamp).toBeUndefined();
    expect(claim?.metadata.ownerReferences ?? []).toEqual([]);
  });
});

describe('a second Migration after a partial failure', () => {
  test('moves only what failed, waits for what the first still owes, and leaves the rest as it is', async () => {
    const vms = [
      { name: 'web-01', power: 'on' as const },
      { name: 'web-02', power: 'on' as const },
    ];
    const { world, sources } = await startRun(vms, {
      prepare(prepared) {
        prepared.faults.start('guest-ignores-shutdown', { subject: 'web-02', times: 1000 });
        return Promise.resolve();
      },
      settings: { powerOffDeadlineSeconds: 30, powerOffRepeatSeconds: 10 },
    });
    await using _world = world;
    await planWith(world, 'Failed');
    const moved = await entryOf(world, 'web-01');
    const target = await world.get(virtualMachines, world.targetNamespace, 'web-01');
    expect(findCondition(moved?.conditions, 'Succeeded')).toBeDefined();

    await world.apply(migrationObject(world, {}, 'again'));
    const waiting = await world.until('the second waits', async () =>
      (await world.imports()).find(
        ({ spec, status }) => spec.run.migration.name === 'again' && status?.waitingFor === 'PriorCleanup',
      ),
    );
    const first = (await world.imports()).find(
      ({ spec }) => spec.vm.name === 'web-02' && spec.run.migration.name === 'run',
    );
    expect(waiting.status?.message).toContain(first?.metadata.name);
    expect((await world.imports()).filter(({ spec }) => spec.run.migration.name === 'again')).toHaveLength(1);
    // It went down in the end, and so it is powered on again; now nothing is owed, and the second may ask for itself.
    sources[1]!.powerOff();
    await world.until('a new run goes on', async () => {
      const second = (await world.imports()).find(({ spec }) => spec.run.migration.name === 'again');
      return second?.status?.phase !== 'Started' ? true : undefined;
    });
    expect(await entryOf(world, 'web-01')).toEqual(moved);
    expect((await world.get(virtualMachines, world.targetNamespace, 'web-01'))?.metadata.uid).toBe(
      target?.metadata.uid,
    );
  });
});
