import { expect } from '@jest/globals';
import { sandboxOnly } from '../../support/needs.ts';
import { eventsOf, importOf, once, untilImport, type Run } from '../../support/trouble.ts';
import {
  calls,
  cutoverNow,
  isMovedWarm,
  roundsOf,
  startWarm,
  tracked,
  untilCopied,
  untilPaused,
} from '../../support/warm.ts';
import { scribble } from '../../support/writing-guest.ts';

/** Large enough that what an importer leaves behind does not fit beside it a second time. */
const large = tracked({ disks: [{ sizeBytes: 8 << 20 }, { sizeBytes: 1 << 20 }] });

const crashes = sandboxOnly({ faults: 'importers that crash in the middle of a disk' });

async function crashOnce({ world }: Pick<Run, 'world'>): Promise<void> {
  const { claimName } = (await importOf(world))!.spec.disks[0]!;
  crashes.world(world).faults.start('importer-crash', { subject: claimName, times: 1 });
}

async function recopies(run: Run): Promise<readonly number[]> {
  const disks = (await importOf(run.world))!.status!.disks!;
  return disks.map(({ recopies = 0 }) => recopies);
}

async function endsWell(run: Run): Promise<void> {
  await isMovedWarm(run);
  expect(calls(run.world, 'CreateSnapshot_Task')).toBe(await roundsOf(run.world));
}

crashes.describe('an importer that crashes with much of a large disk copied', () => {
  crashes.test('in the first round: the disk is copied anew, from the snapshot of that round', async () => {
    const run = await startWarm(
      {
        atBoundary: (world) =>
          once('before', 'CreateInitialSnapshot createSnapshot', () => crashOnce({ world })),
      },
      [large],
    );
    await using _world = run.world;
    await untilPaused(run.world);
    expect(await roundsOf(run.world)).toBe(1);
    expect(await recopies(run)).toEqual([1, 0]);
    scribble(run.source, 2);
    await untilCopied(run.world, 2);
    await cutoverNow(run.world);
    await endsWell(run);
    expect(await eventsOf(run.world, 'DiskRecopied')).toHaveLength(1);
  });

  crashes.test('in a round that copies it whole once more: it is copied anew in that round', async () => {
    const run = await startWarm({}, [large]);
    await using _world = run.world;
    await untilPaused(run.world);
    run.source.loseChangeTracking(run.source.disks[0]!.key);
    scribble(run.source, 3);
    await crashOnce(run);
    await untilPaused(run.world, 2);
    expect(await roundsOf(run.world)).toBe(2);
    expect(await recopies(run)).toEqual([2, 0]);
    await cutoverNow(run.world);
    await endsWell(run);
  });

  crashes.test('in a cutover that copies it whole: it is copied anew in that cutover', async () => {
    const run = await startWarm(
      {
        atBoundary: (world, source) =>
          once('after', 'PowerOffSource powerOff', async () => {
            source.loseChangeTracking(source.disks[0]!.key);
            await crashOnce({ world });
          }),
      },
      [large],
    );
    await using _world = run.world;
    await untilPaused(run.world);
    scribble(run.source, 6);
    await cutoverNow(run.world);
    await endsWell(run);
    expect(await recopies(run)).toEqual([2, 0]);
  });

  crashes.test('in a round that copies what has changed: the next one goes on', async () => {
    const run = await startWarm({}, [large]);
    await using _world = run.world;
    await untilPaused(run.world);
    await crashOnce(run);
    scribble(run.source, 4);
    await untilPaused(run.world, 2);
    const [disk] = (await importOf(run.world))!.status!.disks!;
    expect(Object.values(disk!.restarts ?? {})).toContain(1);
    await cutoverNow(run.world);
    await endsWell(run);
    expect(await recopies(run)).toEqual([0, 0]);
  });
});

const outages = sandboxOnly({
  skipTime: 'minutes of an outage',
  faults: 'importers that crash in the middle of a disk',
});

outages.describe('an importer that crashes in the moment in which the vCenter goes', () => {
  outages.test('is tried again until it is back, and nothing of that counts against its disk', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    await crashOnce(run);
    scribble(run.source, 5);
    await untilImport(run.world, 'has counted', ({ status }) =>
      Object.values(status?.disks?.[0]?.restarts ?? {}).includes(1),
    );
    {
      using _down = run.world.faults.start('vcenter-down');
      await run.world.letPass(600);
    }
    await untilPaused(run.world, 2);
    await cutoverNow(run.world);
    await endsWell(run);
    expect(await recopies(run)).toEqual([0, 0]);
  });
});
