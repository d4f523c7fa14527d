import { describe, expect, test } from '@jest/globals';
import {
  configMaps,
  dataVolumes,
  migrations,
  persistentVolumeClaims,
  plans,
  pods,
  secrets,
  virtualMachines,
} from '../../src/api/kinds.ts';
import { importLabel } from '../../src/api/labels.ts';
import { isTrue } from '../../src/api/conditions.ts';
import { plannedWorld, planWith, untilClean } from '../support/move.ts';
import { disksAreMoved } from '../support/moved.ts';
import { startWorld } from '../support/start-world.ts';
import { useClass } from '../support/storage.ts';
import { mapObjects, migrationObject, planObject, providerObjects } from '../support/objects.ts';
import { sameBytes, fill } from '../support/bytes.ts';

const size = 256 * 1024;

describe('a cold migration', () => {
  test('moves a running VM: bytes equal, source off, target running, nothing left behind', async () => {
    await using world = await startWorld();
    const source = world.vcenter.addVm({ name: 'web-01', power: 'on', disks: [{ sizeBytes: size }] });
    fill(source.disks[0]!.disk, 7);
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
    const plan = await world.until('the plan has Succeeded', async () => {
      const found = await world.get(plans, world.planNamespace, 'plan');
      return isTrue(found?.status?.conditions, 'Succeeded') ? found : undefined;
    });

    expect(plan.status?.migration?.vms?.map((vm) => [vm.name, vm.phase, vm.error])).toEqual([
      ['web-01', 'Completed', undefined],
    ]);
    const vm = await world.get(virtualMachines, world.targetNamespace, 'web-01');
    expect(vm?.spec.runStrategy).toBe('Always');
    expect(vm?.status?.printableStatus).toBe('Running');
    expect(source.power).toBe('poweredOff');
    expect(source.snapshots).toEqual([]);
    const claims = (await world.client.list(persistentVolumeClaims, { namespace: world.targetNamespace }))
      .items;
    expect(claims).toHaveLength(1);
    expect(sameBytes(source.disks[0]!.disk, await world.contentOf(claims[0]!))).toBe(true);
    expect(claims[0]?.metadata.ownerReferences?.map((owner) => owner.kind)).toEqual(['VirtualMachine']);

    await world.until('everything of the import is gone', async () => {
      const imports = await world.imports();
      return imports.every((object) => (object.metadata.finalizers ?? []).length === 0) ? true : undefined;
    });
    for (const kind of [dataVolumes, pods, secrets, configMaps, virtualMachines, persistentVolumeClaims]) {
      const { items } = await world.client.list(kind, {
        namespace: world.targetNamespace,
        labelSelector: importLabel,
      });
      expect([kind.plural, items.map((item) => item.metadata.name)]).toEqual([kind.plural, []]);
    }
    const migration = await world.get(migrations, world.planNamespace, 'run');
    expect(isTrue(migration?.status?.conditions, 'Succeeded')).toBe(true);
    expect(migration?.metadata.ownerReferences?.[0]?.kind).toBe('Plan');
  });

  test.each([
    ['Filesystem', 2],
    ['Filesystem', 4],
    ['Block', 1],
    ['Block', 3],
  ] as const)('copies into claims of mode %s, %i disks of odd sizes', async (volumeMode, count) => {
    const disks = Array.from({ length: count }, (_, index) => ({
      sizeBytes: (index + 1) * 700 * 1024 + 512,
    }));
    const { world, sources } = await plannedWorld([{ name: 'web-01', power: 'on', disks }]);
    await using _world = world;
    await useClass(world, { storageClass: 'standard', accessMode: 'ReadWriteOnce', volumeMode });
    world.startController();
    await world.apply(migrationObject(world));
    await planWith(world, 'Succeeded');
    const [object] = await world.imports();
    const claims = object!.spec.disks.map(({ claimName }) => claimName);
    await disksAreMoved(world, sources[0]!, claims);
    const modes = claims.map(async (name) => {
      const claim = await world.get(persistentVolumeClaims, world.targetNamespace, name);
      return claim?.spec.volumeMode;
    });
    expect(await Promise.all(modes)).toEqual(claims.map(() => volumeMode));
    await untilClean(world);
  });
});
