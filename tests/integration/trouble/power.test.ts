import { describe, expect, test } from '@jest/globals';
import { findCondition } from '../../../src/api/conditions.ts';
import { dataVolumes, persistentVolumeClaims, plans, virtualMachines } from '../../../src/api/kinds.ts';
import type { VirtualMachineImport } from '../../../src/api/virtual-machine-import.ts';
import type { VmHandle } from '../../../src/sandbox/vcenter/vm-handle.ts';
import { importFinalizer, powerOffPolicyAnnotation } from '../../../src/api/labels.ts';
import { sameBytes } from '../../support/bytes.ts';
import { planWith, untilClean } from '../../support/move.ts';
import { sandboxOnly } from '../../support/needs.ts';
import {
  eventsOf,
  importOf,
  nothingLeft,
  once,
  powerCalls,
  saysWhy,
  slowCopy,
  startRun,
  untilCopying,
  untilEnded,
  untilImport,
  web,
  type Run,
} from '../../support/trouble.ts';
import type { TestWorld } from '../../support/world.ts';

const minute = 60_000;
const owesPower = (run: Run): Promise<boolean> =>
  importOf(run.world).then((object) =>
    (object?.status?.ledger ?? []).some((entry) => entry.kind === 'SourcePower'),
  );

async function force(world: TestWorld): Promise<void> {
  const annotations = { [powerOffPolicyAnnotation]: 'force' };
  await world.client.mergePatch(
    plans,
    { namespace: world.planNamespace, name: 'plan' },
    { metadata: { annotations } },
  );
}

function ignoreShutdown(world: TestWorld): Promise<void> {
  world.faults.start('guest-ignores-shutdown', { subject: 'web-01' });
  return Promise.resolve();
}

const patience = sandboxOnly({ skipTime: 'the 15 min that a guest has' });

patience.describe('a guest that will not shut down', () => {
  test('fails the VM after 15 min with its source still on, and nothing is made', async () => {
    const run = await startRun(undefined, { prepare: ignoreShutdown });
    const { world, source } = run;
    await using _world = world;

    const asked = await untilImport(world, 'waits', ({ status }) => status?.phase === 'WaitForPowerOff');
    await untilImport(world, 'says so', ({ status }) => status?.waitingFor === 'GuestShutdown');
    expect((await importOf(world))?.status?.message).toMatch(/guest to shut down since .*, until /);
    const end = await untilEnded(world);
    saysWhy(end, 'PowerOffTimeout', 'web-01', '15 min', 'power-off policy');
    const took = Date.parse(end.object.status!.completed!) - Date.parse(asked.status!.phaseSince!);
    expect(took).toBeGreaterThanOrEqual(15 * minute);
    expect(took).toBeLessThan(16 * minute);
    expect(source.power).toBe('poweredOn');
    expect(new Set(powerCalls(world))).toEqual(new Set(['ShutdownGuest']));
    // It is on: what is owed is only to watch for a late shutdown.
    expect(await owesPower(run)).toBe(true);
    expect(findCondition((await importOf(world))?.status?.conditions, 'SourceLeftOff')).toBeUndefined();
    await untilClean(world);
    await nothingLeft(world);
  });

  test('and goes down after all within the hour is powered on again', async () => {
    const run = await startRun(undefined, { prepare: ignoreShutdown });
    const { world, source } = run;
    await using _world = world;
    await untilEnded(world);
    await world.letPass(20 * 60);
    source.powerOff();
    await world.until('on again', () => Promise.resolve(source.power === 'poweredOn' || undefined), 120);
    await untilClean(world);
    expect(await eventsOf(world, 'SourceRestored')).toHaveLength(1);
    expect(await owesPower(run)).toBe(false);
  });

  test('and goes down later than an hour stays off, as an event has said', async () => {
    const run = await startRun(undefined, { prepare: ignoreShutdown });
    const { world, source } = run;
    await using _world = world;
    await untilEnded(world);
    await untilClean(world);
    const [told] = await eventsOf(world, 'SourcePowerLetGo');
    expect(told?.message).toContain('web-01');
    expect(await owesPower(run)).toBe(false);
    source.powerOff();
    await world.letPass(10 * 60);
    expect(source.power).toBe('poweredOff');
  });

  test('is powered off hard where the plan says force, with an event', async () => {
    const { world, source } = await startRun(undefined, {
      async prepare(prepared) {
        await ignoreShutdown(prepared);
        await force(prepared);
      },
    });
    await using _world = world;
    await planWith(world, 'Succeeded');
    expect(powerCalls(world).filter((what) => what === 'PowerOffVM_Task')).toHaveLength(1);
    expect(await eventsOf(world, 'PowerOffForced')).toHaveLength(1);
    expect(source.power).toBe('poweredOff');
  });
});

describe('a guest without tools', () => {
  const deaf = { ...web, guest: { tools: 'absent' as const } };

  test('is told by the Plan, which does not begin', async () => {
    const { world } = await startRun([deaf]);
    await using _world = world;
    const plan = await planWith(world, 'GuestToolsIssue');
    expect(findCondition(plan.status?.conditions, 'GuestToolsIssue')?.category).toBe('Critical');
    await world.letPass(10 * 60);
    expect(await world.imports()).toEqual([]);
    expect(powerCalls(world)).toEqual([]);
  });

  const toolsStop = {
    atBoundary: (_world: TestWorld, vm: VmHandle) =>
      once('before', 'powerOff', () => vm.set('guest.toolsRunningStatus', 'guestToolsNotRunning')),
  };

  patience.test('is powered off hard after the deadline where the plan says force', async () => {
    const { world } = await startRun(undefined, { ...toolsStop, prepare: force });
    await using _world = world;
    await planWith(world, 'Succeeded');
    expect(powerCalls(world)).toEqual(['PowerOffVM_Task']);
  });

  test('fails the VM at once where they stop after the plan was judged', async () => {
    const settings = { latePowerOffSeconds: 15 };
    const { world, source } = await startRun(undefined, { ...toolsStop, settings });
    await using _world = world;
    const end = await untilEnded(world, 'web-01', 600);
    saysWhy(end, 'PowerOffRefused', 'web-01', 'VMware Tools', 'power-off policy');
    expect(source.power).toBe('poweredOn');
    await untilClean(world);
    await nothingLeft(world);
  });

  test('is powered off hard where the plan says force', async () => {
    const { world, source } = await startRun([deaf], { prepare: force });
    await using _world = world;
    await planWith(world, 'Succeeded');
    expect(powerCalls(world)).toEqual(['PowerOffVM_Task']);
    expect(source.power).toBe('poweredOff');
  });
});

describe('a source that somebody powers on', () => {
  async function wasUnwound({ world, source }: Run): Promise<void> {
    const end = await untilEnded(world);
    saysWhy(end, 'SourceRestarted', 'web-01', 'Start the plan again');
    await untilClean(world);
    expect(source.power).toBe('poweredOn');
    expect(await world.get(virtualMachines, world.targetNamespace, 'web-01')).toBeUndefined();
    await nothingLeft(world);
    expect(powerCalls(world).filter((what) => what.startsWith('PowerOnVM'))).toEqual([]);
  }

  test.each(['CreateDataVolumes createDataVolume', 'CreateVM createVm', 'ReleaseVolumes giveClaimToVm'])(
    'between power-off and start (%s) keeps it, and the target goes',
    async (boundary) => {
      const run = await startRun(undefined, {
        atBoundary: (_world, source) => once('after', boundary, () => source.powerOn()),
      });
      await using _world = run.world;
      await wasUnwound(run);
    },
  );

  test('in the middle of the copy ends the copy at once', async () => {
    const run = await startRun(undefined, slowCopy);
    await using _world = run.world;
    await untilCopying(run.world);
    run.source.powerOn();
    const hasFailed = ({ status }: VirtualMachineImport): boolean =>
      status?.error?.code === 'SourceRestarted';
    await untilImport(run.world, 'has failed', hasFailed, 'web-01', 10);
    await wasUnwound(run);
  });

  test('and off again while it was copied has written since: the copy is not started', async () => {
    const { world, source } = await startRun(undefined, slowCopy);
    await using _world = world;
    await untilCopying(world);
    source.powerOn();
    await world.letPass(5);
    source.powerOff();
    const end = await untilEnded(world);
    saysWhy(end, 'SourceRestarted', 'web-01');
    await untilClean(world);
    await nothingLeft(world);
    // Somebody wanted it so.
    expect(source.power).toBe('poweredOff');
  });

  test('after the commit point changes nothing: the target stays, the source stays on', async () => {
    const { world, source } = await startRun(undefined, {
      atBoundary: (_world, vm) => once('after', 'StartVM setRunStrategy', () => vm.powerOn()),
    });
    await using _world = world;
    await planWith(world, 'Succeeded');
    await untilClean(world);
    expect(source.power).toBe('poweredOn');
    expect((await world.get(virtualMachines, world.targetNamespace, 'web-01'))?.spec.runStrategy).toBe(
      'Always',
    );
    expect(powerCalls(world)).toEqual(['ShutdownGuest']);
    await world.until('it is told', async () => (await runsTwice(world)) || undefined);
  });

  test('while its target is there is told, as long as it is so', async () => {
    const { world, source } = await startRun();
    await using _world = world;
    await planWith(world, 'Succeeded');
    await untilClean(world);
    source.powerOn();
    await world.until('it is told', async () => (await runsTwice(world)) || undefined);
    const [event, ...others] = await eventsOf(world, 'SourceRunningToo');
    expect(event?.message).toContain(`${world.targetNamespace}/web-01`);
    expect(others).toEqual([]);
    source.powerOff();
    await world.until('it is over', async () => !(await runsTwice(world)) || undefined);
    await world.client.delete(virtualMachines, { namespace: world.targetNamespace, name: 'web-01' });
    source.powerOn();
    await world.letPass(10);
    expect(await runsTwice(world)).toBe(false);
    expect(findCondition((await importOf(world))?.status?.conditions, 'Succeeded')).toBeDefined();
    expect(powerCalls(world)).toEqual(['ShutdownGuest']);
  });

  async function runsTwice(world: TestWorld): Promise<boolean> {
    return findCondition((await importOf(world))?.status?.conditions, 'SourceRunningToo') !== undefined;
  }
});

sandboxOnly({ skipTime: 'three hours' }).describe('a source that does not come back on', () => {
  test('is told as left off and powered on as soon as it can be', async () => {
    const { world, source } = await startRun(undefined, slowCopy);
    await using _world = world;
    await untilCopying(world);
    using _fault = world.faults.start('vcenter-denied');
    await world.client.delete(dataVolumes, {
      namespace: world.targetNamespace,
      name: (await importOf(world))!.spec.disks[0]!.claimName,
    });
    await untilEnded(world);
    await world.letPass(3 * 60 * 60);
    const left = findCondition((await importOf(world))?.status?.conditions, 'SourceLeftOff');
    expect(left?.message).toContain('web-01');
    expect(source.power).toBe('poweredOff');
    expect((await importOf(world))?.metadata.finalizers).toContain(importFinalizer);
    _fault[Symbol.dispose]();
    await world.until('on again', () => Promise.resolve(source.power === 'poweredOn' || undefined), 600);
    await untilClean(world);
    expect(findCondition((await importOf(world))?.status?.conditions, 'SourceLeftOff')).toBeUndefined();
    await nothingLeft(world);
  });
});

describe('a source VM that is deleted', () => {
  sandboxOnly({ simulated: 'an importer that reads on from a VM that is gone' }).test(
    'in the middle of the copy fails its VM, and what is whole of it is kept',
    async () => {
      const { world, source } = await startRun(undefined, slowCopy);
      await using _world = world;
      await untilCopying(world);
      const before = source.disks[0]!.disk;
      source.remove();
      const end = await untilEnded(world);
      saysWhy(end, 'SourceVmGone', source.id);
      await untilClean(world);
      const { items } = await world.client.list(persistentVolumeClaims, { namespace: world.targetNamespace });
      expect(items).toHaveLength(1);
      expect(sameBytes(before, await world.contentOf(items[0]!))).toBe(true);
      await nothingLeft(world, items[0]!.metadata.name);
    },
  );
});

describe('a VM that is to stay off', () => {
  test.each([
    ['because the plan says so', 'on', 'off'],
    ['because its source was off', 'off', 'auto'],
  ] as const)('%s is committed and not started', async (_why, power, targetPowerState) => {
    const { world, source } = await startRun([{ name: 'web-01', power }], { plan: { targetPowerState } });
    await using _world = world;
    await planWith(world, 'Succeeded');
    await untilClean(world);
    const object = await importOf(world);
    expect(object?.status?.records?.committedAt).toBeDefined();
    expect((await world.get(virtualMachines, world.targetNamespace, 'web-01'))?.spec.runStrategy).toBe(
      'Halted',
    );
    expect(source.power).toBe('poweredOff');
  });
});
