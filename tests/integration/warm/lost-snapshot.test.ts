import { describe, expect, test } from '@jest/globals';
import type { VmHandle } from '../../../src/sandbox/vcenter/vm-handle.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { eventsOf, importOf, once, saysWhy, untilImport } from '../../support/trouble.ts';
import {
  cutoverNow,
  isMovedWarm,
  isUnwoundWarm,
  startWarm,
  tracked,
  untilPaused,
} from '../../support/warm.ts';
import { scribble } from '../../support/writing-guest.ts';

/** As somebody would by hand. */
function removeAll(source: VmHandle): void {
  for (const { id } of source.snapshots) source.removeSnapshot(id);
}

const crashes = sandboxOnly({ faults: 'importers that crash at the end of a disk' });
const again = sandboxOnly({ numbers: 'the third of three losses that are alike' });

describe('a snapshot of ours', () => {
  test.each([
    ['the first round', 'CreateDataVolumes createDataVolume'],
    ['a later one', 'AddCheckpoint appendCheckpoint'],
  ])('that somebody removes under the copy of %s costs a whole copy', async (_which, boundary) => {
    const run = await startWarm({
      atBoundary: (_world, source) => once('after', boundary, () => removeAll(source)),
    });
    await using _world = run.world;
    await untilPaused(run.world);
    scribble(run.source, 9);
    await untilPaused(run.world, 3);
    const object = await importOf(run.world);
    expect(object?.status?.disks?.map((disk) => disk.recopies)).toEqual([1, 1]);
    expect(await eventsOf(run.world, 'SnapshotLost')).toHaveLength(1);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  crashes.test(
    'that somebody removes when one of two disks is copied costs a whole copy of the other',
    async () => {
      const disks = [{ sizeBytes: 256 << 10 }, { sizeBytes: 4 << 20 }];
      const run = await startWarm(
        { copy: { bytesPerSecond: 256 << 10 }, sandbox: { cdi: { faultAtPercent: 90 } } },
        [tracked({ disks })],
      );
      await using _world = run.world;
      await untilImport(
        run.world,
        'has copied one disk',
        ({ status }) => status?.disks?.[0]?.state === 'copied' && status.disks[1]?.state === 'copying',
      );
      removeAll(run.source);
      const { claimName: subject } = (await importOf(run.world))!.spec.disks[1]!;
      crashes.world(run.world).faults.start('importer-crash', { subject, times: 1 });
      scribble(run.source, 4);
      await untilPaused(run.world, 2);
      const object = await importOf(run.world);
      expect(object?.status?.disks?.map((disk) => disk.recopies)).toEqual([undefined, 1]);
      await cutoverNow(run.world);
      await isMovedWarm(run);
    },
  );

  again.test(
    'that somebody removes again and again under the copy ends the run, the source in service',
    async () => {
      const run = await startWarm({
        atBoundary: (_world, source) => (boundary) => {
          const isGiven = boundary.what === 'act' && boundary.when === 'after';
          if (isGiven && /AddCheckpoint (append|create)/.test(boundary.name)) removeAll(source);
          return undefined;
        },
      });
      await using _world = run.world;
      saysWhy(await isUnwoundWarm(run), 'TrackingUnreliable', 'again and again');
    },
  );

  test('that somebody removes in the cutover ends the run, the source back in service', async () => {
    const run = await startWarm({
      atBoundary: (_world, source) =>
        once('after', 'AddFinalCheckpoint appendCheckpoint', () => removeAll(source)),
    });
    await using _world = run.world;
    await untilPaused(run.world);
    scribble(run.source, 7);
    await cutoverNow(run.world);
    saysWhy(await isUnwoundWarm(run), 'SnapshotLost', 'removed by somebody');
  });
});
