import { describe, expect, test } from '@jest/globals';
import { findCondition, isTrue } from '../../../src/api/conditions.ts';
import { persistentVolumeClaims, plans } from '../../../src/api/kinds.ts';
import type { Round } from '../../../src/api/virtual-machine-import.ts';
import { cutoverUntilAnnotation, precopyScheduleAnnotation } from '../../../src/api/labels.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { diskBytes, planWith } from '../../support/move.ts';
import {
  eventsOf,
  eventsSoFar,
  importOf,
  once,
  saysWhy,
  slowCopy,
  untilImport,
  type Run,
} from '../../support/trouble.ts';
import {
  calls,
  cutoverNow,
  inSeconds,
  isBare,
  isMovedWarm,
  isUnwoundWarm,
  lastRound,
  roundsOf,
  startWarm,
  tracked,
  untilCopied,
  untilPaused,
} from '../../support/warm.ts';
import { scribble } from '../../support/writing-guest.ts';

async function said(run: Run, type: string): Promise<void> {
  await untilImport(run.world, `says ${type}`, ({ status }) => isTrue(status?.conditions, type));
}

async function claimBytes(run: Run, index: number): Promise<number> {
  const { claimName } = (await importOf(run.world))!.spec.disks[index]!;
  const claim = await run.world.get(persistentVolumeClaims, run.world.targetNamespace, claimName);
  return (await run.world.contentOf(claim!)).sizeBytes;
}

/** Milliseconds that the copy of a round took. */
function took(round: Round | undefined): number {
  return Date.parse(round!.copiedAt!) - Date.parse(round!.readyAt!);
}

const intervals = sandboxOnly({ skipTime: 'the minutes between rounds' });
const atSource = sandboxOnly({
  numbers: 'what goes on at the source alone, which is simulated in both worlds',
});

const pace = sandboxOnly({ simulated: 'copies that take as long as their bytes and no longer' });

describe('rounds', () => {
  intervals.test('come by the interval, never closer than the floor', async () => {
    const run = await startWarm({ settings: { precopySeconds: 1, precopyFloorSeconds: 30 } });
    await using _world = run.world;
    await untilPaused(run.world, 3);
    const rounds = (await importOf(run.world))!.status!.records!.rounds!;
    const gaps = rounds
      .slice(1)
      .map(({ startedAt }, index) => Date.parse(startedAt) - Date.parse(rounds[index]!.copiedAt!));
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(30_000);
  });

  intervals.test('come by the schedule of the plan', async () => {
    const run = await startWarm({
      async prepare(world) {
        const annotations = { [precopyScheduleAnnotation]: '*/10 * * * *' };
        const at = { namespace: world.planNamespace, name: 'plan' };
        await world.client.mergePatch(plans, at, { metadata: { annotations } });
      },
    });
    await using _world = run.world;
    await untilPaused(run.world, 3);
    const rounds = (await importOf(run.world))!.status!.records!.rounds!;
    for (const { startedAt } of rounds.slice(1)) expect(new Date(startedAt).getUTCMinutes() % 10).toBe(0);
  });

  intervals.test('end at the cap: then only a cutover comes', async () => {
    const run = await startWarm({ settings: { mostRounds: 2 } });
    await using _world = run.world;
    await said(run, 'RoundsExhausted');
    await run.world.letPass(300);
    expect(await roundsOf(run.world)).toBe(2);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  pace.test(
    'of a guest that writes nothing take no time, and of one that writes that of what it wrote',
    async () => {
      const run = await startWarm({ copy: { bytesPerSecond: 4096 } }, [
        tracked({ disks: [{ sizeBytes: diskBytes }] }),
      ]);
      await using _world = run.world;
      const whole = took(lastRound(await untilPaused(run.world, 1)));
      const nothing = took(lastRound(await untilPaused(run.world, 2)));
      run.source.disks[0]!.disk.write(0, new Uint8Array(64 * 1024).fill(7));
      const block = took(lastRound(await untilPaused(run.world, 3)));
      expect(nothing).toBeLessThan(block);
      expect(block).toBeLessThan(whole);
      await cutoverNow(run.world);
      await isMovedWarm(run);
    },
  );
});

atSource.describe("somebody else's snapshot", () => {
  test('at the start ends the run before anything is made', async () => {
    const run = await startWarm({
      atBoundary: (_world, source) =>
        once('after', 'Preflight createNamespace', () => void source.takeSnapshot('backup')),
    });
    await using _world = run.world;
    const end = await isUnwoundWarm(run);
    saysWhy(end, 'ForeignSnapshot', 'backup', 'Remove them');
    expect(run.source.snapshots.map(({ name }) => name)).toEqual(['backup']);
    expect(calls(run.world, 'CreateSnapshot_Task')).toBe(0);
  });

  test('in mid-run is waited for, and the rounds go on when it is gone', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    const id = run.source.takeSnapshot('backup');
    await said(run, 'ForeignSnapshot');
    const rounds = await roundsOf(run.world);
    await run.world.letPass(600);
    expect(await roundsOf(run.world)).toBe(rounds);
    expect(run.source.snapshots).toHaveLength(1);
    scribble(run.source, 4);
    run.source.removeSnapshot(id);
    await untilCopied(run.world, rounds + 1);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  test('holds a cutover up before the power-off', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    const id = run.source.takeSnapshot('backup');
    await cutoverNow(run.world);
    await said(run, 'ForeignSnapshot');
    await run.world.letPass(300);
    expect(run.source.power).toBe('poweredOn');
    run.source.removeSnapshot(id);
    await isMovedWarm(run);
  });
});

const late = sandboxOnly({ skipTime: 'a copy that outlasts the time for cutovers' });
const anew = sandboxOnly({ numbers: 'ways in which a disk comes to be copied anew' });

describe('a disk', () => {
  test('that has grown is copied anew into a larger volume, the other is not', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    const other = (await importOf(run.world))!.status!.disks![1]!.dataVolumeUID;
    run.source.growDisk(run.source.disks[0]!.key, 4 * 1024 * 1024);
    scribble(run.source, 5);
    await untilPaused(run.world, 3);
    await cutoverNow(run.world);
    await isMovedWarm(run);
    expect(await claimBytes(run, 0)).toBeGreaterThanOrEqual(4 * 1024 * 1024);
    expect(await eventsOf(run.world, 'DiskRecopied')).toHaveLength(1);
    expect((await importOf(run.world))!.status!.disks![1]!.dataVolumeUID).toBe(other);
  });

  atSource.test('that was added ends the run with its reason, the source in service', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    run.source.addDisk({ sizeBytes: diskBytes });
    saysWhy(await isUnwoundWarm(run), 'DiskSetChanged', 'other disks', 'Start the plan again');
  });

  anew.test('whose changes were lost track of is copied anew', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    run.source.loseChangeTracking(run.source.disks[1]!.key);
    scribble(run.source, 6);
    await untilPaused(run.world, 2);
    const disks = (await importOf(run.world))!.status!.disks!;
    expect(disks.map(({ recopies }) => recopies ?? 0)).toEqual([0, 1]);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  test('that is copied whole once more right before the cutover is so in a round before it', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    scribble(run.source, 8);
    run.source.loseChangeTracking(run.source.disks[0]!.key);
    run.source.growDisk(run.source.disks[1]!.key, 4 * 1024 * 1024);
    await cutoverNow(run.world);
    await said(run, 'CutoverDelayed');
    expect(run.source.power).toBe('poweredOn');
    await isMovedWarm(run);
    const rounds = (await importOf(run.world))!.status!.records!.rounds!.slice(-2);
    expect(
      rounds.map(({ kind, disks }) => [kind, Object.values(disks).map(({ recopy }) => recopy === true)]),
    ).toEqual([
      ['next', [true, true]],
      ['final', [false, false]],
    ]);
    expect(await eventsOf(run.world, 'CutoverDelayed')).toHaveLength(1);
  });

  late.test(
    'that is copied whole once more keeps the source in service when no cutover may begin then',
    async () => {
      const run = await startWarm({ ...slowCopy, settings: { precopySeconds: 120 } });
      await using _world = run.world;
      await untilPaused(run.world);
      run.source.loseChangeTracking();
      const cutoverUntil = { [cutoverUntilAnnotation]: inSeconds(run.world, 30) };
      const at = { namespace: run.world.planNamespace, name: 'plan' };
      await run.world.client.mergePatch(plans, at, { metadata: { annotations: cutoverUntil } });
      await cutoverNow(run.world);
      await untilPaused(run.world, 2);
      await run.world.letPass(60);
      expect(run.source.power).toBe('poweredOn');
      await run.world.client.mergePatch(plans, at, {
        metadata: { annotations: { [cutoverUntilAnnotation]: null } },
      });
      await isMovedWarm(run);
    },
  );

  test('whose changes are lost track of in the cutover itself is copied whole in it', async () => {
    const run = await startWarm({
      atBoundary: (_world, source) =>
        once('after', 'PowerOffSource powerOff', () => source.loseChangeTracking()),
    });
    await using _world = run.world;
    await untilPaused(run.world);
    scribble(run.source, 8);
    await cutoverNow(run.world);
    await isMovedWarm(run);
    const last = lastRound(await importOf(run.world))!;
    expect(Object.values(last.disks).map(({ recopy }) => recopy)).toEqual([true, true]);
  });

  anew.test('whose changes are lost track of again and again ends the run', async () => {
    const run = await startWarm();
    await using _world = run.world;
    run.world.faults.start('change-tracking-lost', { subject: 'web-01' });
    saysWhy(await isUnwoundWarm(run), 'TrackingUnreliable', 'cold');
  });

  test('that is moved to another datastore is read from there', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    run.source.moveDisk(run.source.disks[0]!.key, 'datastore2');
    scribble(run.source, 2);
    await untilPaused(run.world, 3);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  atSource.test('of a VM that is moved to another host is copied on', async () => {
    const run = await startWarm({}, [tracked({ host: 'esx1.example' })]);
    await using _world = run.world;
    await untilPaused(run.world);
    run.source.moveHost('esx2.example');
    scribble(run.source, 2);
    await untilPaused(run.world, 2);
    await cutoverNow(run.world);
    await isMovedWarm(run);
    expect(await eventsSoFar(run.world, 'DiskRecopied')).toEqual([]);
  });
});

atSource.describe('change tracking that is off', () => {
  test('is told by the plan, which does not begin', async () => {
    const run = await startWarm({}, [tracked({ changeTracking: false })]);
    await using _world = run.world;
    await planWith(run.world, 'VMMissingChangedBlockTracking');
    await run.world.letPass(300);
    expect(await run.world.imports()).toEqual([]);
  });

  test('from now on ends the run between two rounds, the source in service', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    run.source.setChangeTracking(false);
    saysWhy(await isUnwoundWarm(run), 'ChangeTrackingOff', 'not tracked');
    isBare(run);
  });
});

atSource.describe('a snapshot', () => {
  test('that the guest cannot be quiesced for is taken as it is, and that is told', async () => {
    const run = await startWarm();
    await using _world = run.world;
    run.world.faults.start('snapshot-quiesce-fails', { subject: 'web-01' });
    const begun = run.world.clock.now();
    const object = await untilPaused(run.world);
    expect(run.world.clock.now() - begun).toBeLessThan(120_000);
    expect(lastRound(object)?.crashConsistent).toBe(true);
    expect(await eventsOf(run.world, 'NotQuiesced')).toHaveLength(1);
    await cutoverNow(run.world);
    await isMovedWarm(run);
    expect(lastRound(await importOf(run.world))?.crashConsistent).toBeUndefined();
  });

  test('is not made while a datastore is nearly full; a cutover comes all the same', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    // No datastore is as empty as that.
    run.controller.kill();
    run.world.startController({ settings: { datastoreFreePercent: 101 } });
    await said(run, 'DatastoreSpaceLow');
    const rounds = await roundsOf(run.world);
    await run.world.letPass(600);
    expect(await roundsOf(run.world)).toBe(rounds);
    scribble(run.source, 3);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  test('that does not fit is tried on between two rounds, with pauses', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    {
      using _full = run.world.faults.start('datastore-full', { subject: 'web-01' });
      await said(run, 'SnapshotFailing');
      const before = calls(run.world, 'CreateSnapshot_Task');
      await run.world.letPass(1800);
      expect(calls(run.world, 'CreateSnapshot_Task') - before).toBeLessThan(10);
    }
    await untilCopied(run.world, 2);
  });

  test('that never fits at the start ends the run', async () => {
    const run = await startWarm();
    await using _world = run.world;
    run.world.faults.start('datastore-full', { subject: 'web-01' });
    saysWhy(await isUnwoundWarm(run), 'NoDiskSpace', 'tries');
  });

  test('waits for another task that holds the VM, however long', async () => {
    const run = await startWarm();
    await using _world = run.world;
    {
      using _held = run.world.faults.start('snapshot-busy', { subject: 'web-01' });
      await untilImport(run.world, 'waits', ({ status }) => status?.waitingFor === 'SourceBusy');
      await run.world.letPass(1200);
    }
    await untilPaused(run.world);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  test('whose tasks are forgotten as soon as they have ended is found in the tree', async () => {
    const run = await startWarm();
    await using _world = run.world;
    run.world.faults.start('task-vanished', { subject: 'web-01' });
    await untilPaused(run.world, 2);
    await cutoverNow(run.world);
    await isMovedWarm(run);
    expect(calls(run.world, 'CreateSnapshot_Task')).toBe(3);
  });
});

const hours = sandboxOnly({ skipTime: 'the hours that a merge takes' });

hours.describe('a merge', () => {
  test('that takes hours is waited for and told, and no round comes meanwhile', async () => {
    const run = await startWarm({ settings: { consolidationSlowSeconds: 120 } });
    await using _world = run.world;
    run.world.faults.start('consolidation-slow', { subject: 'web-01', times: 1 });
    await said(run, 'ConsolidationSlow');
    const object = await importOf(run.world);
    expect(object?.status?.phase).toBe('WaitForPreviousSnapshotRemoval');
    expect(await roundsOf(run.world)).toBe(1);
    expect(findCondition(object?.status?.conditions, 'ConsolidationSlow')?.message).toContain('merged for');
    await untilPaused(run.world, 2);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  test('that fails is asked for again, with pauses', async () => {
    const run = await startWarm();
    await using _world = run.world;
    run.world.faults.start('consolidation-fails', { subject: 'web-01', times: 3 });
    await untilPaused(run.world);
    isBare(run);
    expect(calls(run.world, 'ConsolidateVMDisks_Task')).toBe(3);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  test('of the last snapshot is left to the background: the target runs before', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    run.world.faults.start('consolidation-slow', { subject: 'web-01', times: 1 });
    await cutoverNow(run.world);
    await planWith(run.world, 'Succeeded');
    const object = (await importOf(run.world))!;
    expect((object.status?.ledger ?? []).map(({ kind }) => kind)).toEqual(['Snapshot']);
    await isMovedWarm(run);
  });
});
