import { describe, expect, test } from '@jest/globals';
import { migrations, persistentVolumeClaims, virtualMachines } from '../../../src/api/kinds.ts';
import type { Disk } from '../../../src/sandbox/disk-store.ts';
import { seededRandom } from '../../../src/sandbox/random.ts';
import type { VmInput } from '../../../src/sandbox/vcenter/vm-spec.ts';
import { sameBytes } from '../../support/bytes.ts';
import { planWith, untilClean } from '../../support/move.ts';
import { nothingWithOurLabel } from '../../support/moved.ts';
import { startRun, untilImport } from '../../support/trouble.ts';
import type { TestWorld } from '../../support/world.ts';

const block = 64 * 1024;
const settings = { precopySeconds: 4, precopyFloorSeconds: 1 };

function writing(disks: number): VmInput {
  const sizes = Array.from({ length: disks }, (_, index) => ({ sizeBytes: (index + 1) * 1024 * 1024 }));
  return { name: 'web-01', power: 'on', changeTracking: true, disks: sizes };
}

/** A guest that has gone on: some blocks are new, one is zeros again. */
function scribble(disk: Disk, seed: number): void {
  const random = seededRandom(seed);
  const blocks = Math.floor(disk.sizeBytes / block);
  for (let n = 0; n < 3; n += 1) {
    const bytes = Uint8Array.from({ length: block }, () => Math.floor(random() * 256));
    disk.write(Math.floor(random() * blocks) * block, bytes);
  }
  disk.write(Math.floor(random() * blocks) * block, new Uint8Array(block));
}

async function cutover(world: TestWorld): Promise<void> {
  const at = { namespace: world.planNamespace, name: 'run' };
  const cutoverAt = new Date(world.clock.now()).toISOString();
  await world.client.mergePatch(migrations, at, { spec: { cutover: cutoverAt } });
}

describe('a warm migration', () => {
  test.each([1, 3])('of %p disks brings over what a guest wrote until it went off', async (disks) => {
    const run = await startRun([writing(disks)], { plan: { type: 'warm', warm: true }, settings });
    await using world = run.world;
    const { source } = run;
    for (let round = 1; round <= 3; round += 1) {
      await untilImport(world, `has copied round ${round}`, ({ status }) => {
        const copied = status?.records?.rounds?.filter(({ copiedAt }) => copiedAt !== undefined) ?? [];
        return copied.some(({ n }) => n >= round);
      });
      source.disks.forEach(({ disk }, index) => scribble(disk, 10 * round + index));
    }
    expect(source.power).toBe('poweredOn');
    await cutover(world);
    await planWith(world, 'Succeeded');
    await untilClean(world);

    expect(source.power).toBe('poweredOff');
    expect(source.snapshots).toEqual([]);
    const { items } = await world.client.list(persistentVolumeClaims, { namespace: world.targetNamespace });
    expect(items).toHaveLength(disks);
    const contents = await Promise.all(items.map((claim) => world.contentOf(claim)));
    for (const { disk } of source.disks)
      expect(contents.some((content) => sameBytes(disk, content))).toBe(true);
    const vm = await world.get(virtualMachines, world.targetNamespace, 'web-01');
    expect(vm?.status?.printableStatus).toBe('Running');
    await nothingWithOurLabel(world);
  });
});
