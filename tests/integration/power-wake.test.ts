import { expect, test } from '@jest/globals';
import { plans, virtualMachineImports } from '../../src/api/kinds.ts';
import { isTrue } from '../../src/api/conditions.ts';
import { defaultSettings } from '../../src/migration/settings.ts';
import { mapObjects, migrationObject, planObject, providerObjects } from '../support/objects.ts';
import { startWorld } from '../support/start-world.ts';

test('a guest that has shut down is noticed at once, not when the request would be repeated', async () => {
  await using world = await startWorld();
  const source = world.vcenter.addVm({ name: 'web-01', power: 'on', disks: [{ sizeBytes: 65_536 }] });
  await world.namespace(world.planNamespace);
  world.startController();
  await world.apply(
    ...providerObjects(world),
    ...mapObjects(world),
    planObject(world, [{ id: source.id, name: 'web-01' }]),
  );
  await world.until('the plan is Ready', async () => {
    const plan = await world.get(plans, world.planNamespace, 'plan');
    return isTrue(plan?.status?.conditions, 'Ready') ? plan : undefined;
  });

  await world.apply(migrationObject(world));
  await world.until('the source is off', () => Promise.resolve(source.power === 'poweredOff' || undefined));
  const offAt = world.clock.now();
  await world.until('the copy has begun', async () => {
    const [object] = (await world.client.list(virtualMachineImports)).items;
    return object?.status?.phase === 'CopyDisks' || undefined;
  });

  expect(world.clock.now() - offAt).toBeLessThan((defaultSettings.powerOffRepeatSeconds * 1000) / 3);
});
