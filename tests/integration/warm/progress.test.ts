import { expect } from '@jest/globals';
import type { DiskStatus } from '../../../src/api/virtual-machine-import.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { untilImport } from '../../support/trouble.ts';
import { cutoverNow, isMovedWarm, startWarm, tracked, untilPaused } from '../../support/warm.ts';

const block = 64 * 1024;

const slowly = sandboxOnly({ skipTime: 'minutes of a copy whose speed is known' });

slowly.describe('the progress of a round', () => {
  slowly.test('is never more than what has been copied in it', async () => {
    const sizeBytes = 1 << 20;
    const run = await startWarm({ copy: { bytesPerSecond: 8192 } }, [tracked({ disks: [{ sizeBytes }] })]);
    await using _world = run.world;
    const seen: DiskStatus[] = [];
    await untilPaused(run.world);
    run.source.disks[0]!.disk.write(0, new Uint8Array(block).fill(9));
    await untilImport(run.world, 'has copied what was written', ({ status }) => {
      const round = status?.records?.rounds?.at(-1);
      seen.push(...(status?.disks ?? []).filter((disk) => disk.round === 2 && disk.state !== 'copied'));
      return round?.n === 2 && round.copiedAt !== undefined;
    });
    expect(seen.length).toBeGreaterThan(2);
    for (const { percent = 0, doneBytes } of seen) {
      expect(percent).toBeLessThanOrEqual((100 * block) / sizeBytes);
      expect(doneBytes).toBeLessThanOrEqual(block);
    }
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });
});
