import { describe, expect, test } from '@jest/globals';
import { findCondition, isTrue } from '../../../src/api/conditions.ts';
import { plans, virtualMachines } from '../../../src/api/kinds.ts';
import {
  cutoverUntilAnnotation,
  pausedAnnotation,
  powerOffPolicyAnnotation,
} from '../../../src/api/labels.ts';
import { firstOnTestbed, sandboxOnly } from '../../support/needs.ts';
import { planWith } from '../../support/move.ts';
import {
  entryOf,
  eventsOf,
  importOf,
  once,
  powerCalls,
  saysWhy,
  untilImport,
} from '../../support/trouble.ts';
import {
  calls,
  cutoverNow,
  inSeconds,
  isBare,
  isMovedWarm,
  isUnwoundWarm,
  patchMigration,
  roundsOf,
  startWarm,
  tracked,
  untilCopied,
  untilPaused,
  untilPhase,
} from '../../support/warm.ts';
import type { TestWorld } from '../../support/world.ts';
import { scribble } from '../../support/writing-guest.ts';

async function annotatePlan(world: TestWorld, annotations: Record<string, string | null>): Promise<void> {
  await world.client.mergePatch(
    plans,
    { namespace: world.planNamespace, name: 'plan' },
    { metadata: { annotations } },
  );
}

/** Who copies has no part in it: nothing of it is another on real programs. */
const wishes = sandboxOnly({ numbers: 'the ways of wishing for a cutover, of which the testbed tries one' });
const minutes = sandboxOnly({ skipTime: 'the minutes that must pass without one' });

describe('a cutover', () => {
  wishes.test('in the past when the run begins comes after one whole copy', async () => {
    const run = await startWarm({ migration: { cutover: '2025-12-31T00:00:00Z' } });
    await using _world = run.world;
    await isMovedWarm(run);
    expect(await roundsOf(run.world)).toBe(2);
  });

  wishes.test('that is set while the guest writes brings over the last of it', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world, 2);
    isBare(run);
    scribble(run.source, 7);
    await cutoverNow(run.world);
    await isMovedWarm(run);
    expect(calls(run.world, 'CreateSnapshot_Task')).toBe(await roundsOf(run.world));
  });

  wishes.test('of one VM goes before that of the run', async () => {
    const run = await startWarm({ migration: {} }, [tracked(), tracked({ name: 'web-02' })]);
    await using _world = run.world;
    await untilPaused(run.world, 1, 'web-02');
    await patchMigration(run.world, {
      cutover: inSeconds(run.world, 864_000),
      vmCutover: [{ id: run.source.id, cutover: inSeconds(run.world, 0) }],
    });
    await untilImport(run.world, 'has ended', ({ status }) => status?.outcome === 'Succeeded');
    const other = await importOf(run.world, 'web-02');
    expect(other?.status?.outcome).toBeUndefined();
    expect(run.sources[1]!.power).toBe('poweredOn');
  });

  test('that falls due in the middle of a copy waits for its end, and no round comes between', async () => {
    const run = await startWarm({ copy: { secondsPerDisk: 60 } });
    await using _world = run.world;
    await untilImport(
      run.world,
      'copies round 2',
      ({ status }) => status?.phase === 'CopyDisks' && status.records?.roundsTotal === 2,
    );
    await cutoverNow(run.world);
    expect(run.source.power).toBe('poweredOn');
    await untilCopied(run.world, 2);
    await isMovedWarm(run);
    expect(await roundsOf(run.world)).toBe(3);
  });

  minutes.test(
    'that is taken back before it begins does not come, and one that is moved comes later',
    async () => {
      const run = await startWarm();
      await using _world = run.world;
      await untilPaused(run.world);
      await patchMigration(run.world, { cutover: inSeconds(run.world, 30) });
      await untilImport(run.world, 'waits for it', ({ status }) => status?.waitingFor === 'Cutover');
      await patchMigration(run.world, { cutover: null });
      await run.world.letPass(60);
      expect(run.source.power).toBe('poweredOn');
      await patchMigration(run.world, { cutover: inSeconds(run.world, 600) });
      await patchMigration(run.world, { cutover: inSeconds(run.world, 30) });
      await isMovedWarm(run);
    },
  );

  wishes.test('that is taken back after it has begun comes all the same, and an event says so', async () => {
    const run = await startWarm({
      atBoundary: (world) =>
        once('after', 'PowerOffSource powerOff', () => patchMigration(world, { cutover: null })),
    });
    await using _world = run.world;
    await untilPaused(run.world);
    await cutoverNow(run.world);
    await isMovedWarm(run);
    const [told] = await eventsOf(run.world, 'CutoverEditIgnored');
    expect(told?.message).toContain('taken back');
  });

  wishes.test('none begins after the end that was set for them', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await annotatePlan(run.world, { [cutoverUntilAnnotation]: inSeconds(run.world, 1) });
    await untilPaused(run.world);
    await cutoverNow(run.world);
    await untilImport(
      run.world,
      'says so',
      ({ status }) => status?.message?.includes('none begins after') === true,
    );
    await untilCopied(run.world, 3);
    expect(run.source.power).toBe('poweredOn');
    await annotatePlan(run.world, { [cutoverUntilAnnotation]: null });
    await isMovedWarm(run);
  });

  minutes.test('does not come while the plan is paused, nor does a round', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    await annotatePlan(run.world, { [pausedAnnotation]: 'true' });
    await untilImport(run.world, 'is paused', ({ status }) => isTrue(status?.conditions, 'Paused'));
    await cutoverNow(run.world);
    const before = await roundsOf(run.world);
    await run.world.letPass(120);
    expect(await roundsOf(run.world)).toBe(before);
    expect(run.source.power).toBe('poweredOn');
    isBare(run);
    await annotatePlan(run.world, { [pausedAnnotation]: null });
    await isMovedWarm(run);
  });
});

sandboxOnly({ skipTime: 'two hours' }).test(
  'a cutover in 60 days is waited for with rounds, and no busy loop',
  async () => {
    const run = await startWarm({ settings: { precopySeconds: 1200, mostRounds: 4 } });
    await using _world = run.world;
    await untilPaused(run.world);
    await patchMigration(run.world, { cutover: inSeconds(run.world, 60 * 86_400) });
    await run.world.letPass(7200);
    expect(await roundsOf(run.world)).toBe(4);
    const object = await importOf(run.world);
    expect(findCondition(object?.status?.conditions, 'RoundsExhausted')).toBeDefined();
    expect(object?.status?.message).toContain('Waiting for the cutover at 2026-03-0');
    expect((await entryOf(run.world))?.phase).toBe('CopyingPaused');
    const entered = run.world.log.lines.filter(({ message }) => message === 'phase entered').length;
    expect(entered).toBeLessThan(60);
    const { requests } = run.controller;
    const before = requests.length;
    await run.world.letPass(1800);
    expect(requests.slice(before).filter((request) => request.startsWith('patch'))).toEqual([]);
  },
);

const patience = sandboxOnly({ skipTime: 'the 15 min that a guest has' });

patience.describe('a guest that will not shut down for its cutover', () => {
  async function stubborn(): Promise<Awaited<ReturnType<typeof startWarm>>> {
    const run = await startWarm({ settings: { precopySeconds: 900 } });
    await untilPaused(run.world);
    run.world.faults.start('guest-ignores-shutdown', { subject: 'web-01', times: 100 });
    await cutoverNow(run.world);
    await untilPhase(run.world, 'WaitForPowerOff');
    await untilPaused(run.world);
    return run;
  }

  test('stays in service, and the rounds go on', async () => {
    const run = await stubborn();
    await using _world = run.world;
    expect(run.source.power).toBe('poweredOn');
    isBare(run);
    expect(new Set(powerCalls(run.world))).toEqual(new Set(['ShutdownGuest']));
    const rounds = await roundsOf(run.world);
    await untilCopied(run.world, rounds + 2);
    const object = await importOf(run.world);
    const condition = findCondition(object?.status?.conditions, 'CutoverBlocked');
    expect(condition).toMatchObject({ reason: 'PowerOffTimeout' });
    expect(condition?.message).toContain('set the cutover anew');
    const entry = await entryOf(run.world);
    expect(entry?.pipeline.find(({ name }) => name === 'Cutover')).toMatchObject({ phase: 'Pending' });
    expect(entry?.pipeline.find(({ name }) => name === 'DiskTransfer')).toMatchObject({ phase: 'Running' });
    expect(await eventsOf(run.world, 'CutoverBlocked')).toHaveLength(1);
  });

  test('and goes down late is powered on again, in the middle of a round or not', async () => {
    const run = await stubborn();
    await using _world = run.world;
    await run.world.letPass(20 * 60);
    run.source.powerOff();
    await run.world.until(
      'on again',
      () => Promise.resolve(run.source.power === 'poweredOn' || undefined),
      60,
    );
    await run.world.until('told', async () =>
      (await eventsOf(run.world, 'SourceRestored')).length > 0 ? true : undefined,
    );
    const rounds = await roundsOf(run.world);
    await untilCopied(run.world, rounds + 1);
  });

  test('and goes down after an hour stays off, as an event has said', async () => {
    const run = await stubborn();
    await using _world = run.world;
    await run.world.letPass(65 * 60);
    expect(await eventsOf(run.world, 'SourcePowerLetGo')).toHaveLength(1);
    run.source.powerOff();
    await run.world.letPass(10 * 60);
    expect(run.source.power).toBe('poweredOff');
  });

  test('follows a new wish', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    {
      using _deaf = run.world.faults.start('guest-ignores-shutdown', { subject: 'web-01' });
      await cutoverNow(run.world);
      await untilPhase(run.world, 'WaitForPowerOff');
      await untilPaused(run.world);
    }
    await run.world.letPass(30);
    scribble(run.source, 9);
    await cutoverNow(run.world);
    await isMovedWarm(run);
    const object = await importOf(run.world);
    expect(findCondition(object?.status?.conditions, 'CutoverBlocked')).toBeUndefined();
  });

  test('can be cancelled afterwards', async () => {
    const run = await stubborn();
    await using _world = run.world;
    await patchMigration(run.world, { cancel: [{ id: run.source.id }] });
    const end = await isUnwoundWarm(run);
    expect(end.object.status?.outcome).toBe('Canceled');
  });

  test('is powered off hard where the plan says force', async () => {
    const run = await startWarm({
      async prepare(world) {
        world.faults.start('guest-ignores-shutdown', { subject: 'web-01' });
        await annotatePlan(world, { [powerOffPolicyAnnotation]: 'force' });
      },
      migration: { cutover: '2025-12-31T00:00:00Z' },
    });
    await using _world = run.world;
    await isMovedWarm(run);
    expect(await eventsOf(run.world, 'PowerOffForced')).toHaveLength(1);
  });
});

const atSource = sandboxOnly({
  numbers: 'what goes on at the source alone, which is simulated in both worlds',
});

const lastSteps: readonly (readonly [string])[] = [
  ['AddFinalCheckpoint appendCheckpoint'],
  ['CreateFinalSnapshot createSnapshot'],
];

describe('a source that somebody powers on in its cutover', () => {
  firstOnTestbed(1, lastSteps)(
    'when its last snapshot is asked for (%s) fails the VM: the source wins',
    async (boundary) => {
      const run = await startWarm({
        atBoundary: (_world, source) => once('after', boundary, () => source.powerOn()),
      });
      await using _world = run.world;
      await untilPaused(run.world);
      await cutoverNow(run.world);
      saysWhy(await isUnwoundWarm(run), 'SourceRestarted', 'web-01');
    },
  );

  atSource.test(
    'after the power-off and before the last snapshot goes back to the rounds, and may try anew',
    async () => {
      const run = await startWarm({ settings: { precopySeconds: 3600 } });
      await using _world = run.world;
      await untilPaused(run.world);
      run.world.faults.start('snapshot-busy', { subject: 'web-01', times: 2 });
      await cutoverNow(run.world);
      await untilImport(
        run.world,
        'waits for its snapshot',
        ({ status }) => status?.waitingFor === 'SourceBusy',
      );
      expect(run.source.power).toBe('poweredOff');
      run.source.powerOn();
      await untilPaused(run.world);
      const object = await importOf(run.world);
      expect(findCondition(object?.status?.conditions, 'CutoverBlocked')?.reason).toBe('SourceRestarted');
      expect(run.source.power).toBe('poweredOn');
      scribble(run.source, 3);
      // Its tools come up with the guest.
      await run.world.letPass(120);
      await cutoverNow(run.world);
      await isMovedWarm(run);
    },
  );
});

describe('a target that refuses the VM at the cutover', () => {
  test('is found out before the power-off: the rounds go on', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    const foreign = {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: { name: 'web-01', namespace: run.world.targetNamespace },
      spec: {
        runStrategy: 'Halted',
        template: { spec: { domain: { devices: {}, memory: { guest: '64Mi' } } } },
      },
    };
    await run.world.client.create(virtualMachines, foreign as never);
    await cutoverNow(run.world);
    await untilImport(run.world, 'says so', ({ status }) => isTrue(status?.conditions, 'CutoverBlocked'));
    expect(powerCalls(run.world)).toEqual([]);
    const rounds = await roundsOf(run.world);
    await untilCopied(run.world, rounds + 1);
    await run.world.client.delete(virtualMachines, { namespace: run.world.targetNamespace, name: 'web-01' });
    await cutoverNow(run.world);
    await planWith(run.world, 'Succeeded');
  });
});

describe('two VMs on one host', () => {
  atSource.test('take turns, and the cutover of one goes before the rounds of the other', async () => {
    const vms = [tracked({ host: 'esx1.example' }), tracked({ name: 'web-02', host: 'esx1.example' })];
    const run = await startWarm(
      { settings: { maxVmInflight: 2, snapshotsInflight: 1 }, copy: { secondsPerDisk: 30 } },
      vms,
    );
    await using _world = run.world;
    await untilCopied(run.world, 1, 'web-02');
    let most = 0;
    const stop = new AbortController();
    const watch = (async () => {
      while (!stop.signal.aborted) {
        most = Math.max(most, run.sources.filter(({ snapshots }) => snapshots.length > 0).length);
        await run.world.clock.sleep(500);
      }
    })();
    await cutoverNow(run.world);
    await planWith(run.world, 'Succeeded');
    stop.abort(new Error('seen'));
    await watch;
    expect(most).toBe(1);
  });
});
