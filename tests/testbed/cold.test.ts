import { describe, test } from '@jest/globals';
import { planWith, plannedWorld, untilClean } from '../support/move.ts';
import { disksAreMoved } from '../support/moved.ts';
import { migrationObject } from '../support/objects.ts';
import { useClass } from '../support/storage.ts';

/** Ways of making a volume that only a real cluster has. */
describe('a cold migration into a storage class', () => {
  test.each([
    ['whose volumes CDI fills by a populator', 'csi'],
    ['whose volumes are made when somebody uses them', 'standard-wffc'],
  ])('%s moves the VM, bytes equal', async (_what, storageClass) => {
    const disks = [{ sizeBytes: 1_500_000 }, { sizeBytes: 300 * 1024 }];
    const { world, sources } = await plannedWorld([{ name: 'web-01', power: 'on', disks }]);
    await using _world = world;
    await useClass(world, { storageClass, accessMode: 'ReadWriteOnce' });
    world.startController();
    await world.apply(migrationObject(world));
    await planWith(world, 'Succeeded');
    const [object] = await world.imports();
    await disksAreMoved(
      world,
      sources[0]!,
      object!.spec.disks.map(({ claimName }) => claimName),
    );
    await untilClean(world);
  });
});
