import { describe, expect, test } from '@jest/globals';
import { isTrue } from '../../../src/api/conditions.ts';
import { migrations, plans, virtualMachines } from '../../../src/api/kinds.ts';
import { plannedWorld, untilClean } from '../../support/move.ts';
import { nothingWithOurLabel } from '../../support/moved.ts';
import { migrationObject } from '../../support/objects.ts';
import { edit, ends, planNow, planSays, untilCondition, untilMidCopy } from './looking.ts';

const slow = { copy: { secondsPerDisk: 60 } } as const;
const two = [
  { name: 'web-01', power: 'on' },
  { name: 'web-02', power: 'on' },
] as const;

async function copying() {
  const { world, sources } = await plannedWorld(two, slow);
  world.startController();
  await world.apply(migrationObject(world));
  await untilMidCopy(world);
  return { world, sources };
}

async function outcomes(
  world: Awaited<ReturnType<typeof copying>>['world'],
): Promise<Record<string, string>> {
  const vms = (await planNow(world)).status?.migration?.vms ?? [];
  return Object.fromEntries(
    vms.map((vm) => [
      vm.id ?? '',
      ['Succeeded', 'Failed', 'Canceled'].find((type) => isTrue(vm.conditions, type)) ?? '-',
    ]),
  );
}

describe('a cancel', () => {
  test('by name takes that VM back, and leaves the others alone', async () => {
    const { world, sources } = await copying();
    await using _world = world;
    await edit(world, migrations, 'run', { spec: { cancel: [{ name: 'web-01' }] } });
    await ends(world, 'Succeeded');
    await untilClean(world);
    await nothingWithOurLabel(world);
    expect(await outcomes(world)).toEqual({ [sources[0]!.id]: 'Canceled', [sources[1]!.id]: 'Succeeded' });
    expect(sources.map(({ power }) => power)).toEqual(['poweredOn', 'poweredOff']);
    expect(await world.get(virtualMachines, world.targetNamespace, 'web-01')).toBeUndefined();
    // Taken off the list again: nothing comes back to life.
    await edit(world, migrations, 'run', { spec: { cancel: [] } });
    await world.letPass(60);
    expect((await world.imports()).map(({ status }) => status?.outcome).sort()).toEqual([
      'Canceled',
      'Succeeded',
    ]);
  });

  test('by a name that two VMs bear cancels neither, says so, and takes the id', async () => {
    const vms = ['blue', 'green'].map((folder) => ({ name: 'twin', power: 'on', folder }) as const);
    const { world, sources } = await plannedWorld(vms, slow);
    await using _world = world;
    const entries = sources.map(({ id }, index) => ({ id, name: 'twin', targetName: `twin-${index}` }));
    await edit(world, plans, 'plan', { spec: { vms: entries } });
    world.startController();
    await world.apply(migrationObject(world));
    await untilMidCopy(world);
    await edit(world, migrations, 'run', { spec: { cancel: [{ name: 'twin' }] } });
    const condition = await untilCondition(world, migrations, 'run', 'VMNotUnique');
    expect(condition).toMatchObject({ category: 'Warn', reason: 'Ambiguous', items: ['twin'] });
    expect(condition.message).toMatch(/none of them is cancelled\. Give the id/);
    await world.letPass(5);
    expect((await world.imports()).map(({ spec }) => spec.control?.cancel)).toEqual([undefined, undefined]);
    await edit(world, migrations, 'run', { spec: { cancel: [{ id: sources[1]!.id }] } });
    await ends(world, 'Succeeded');
    expect(await outcomes(world)).toEqual({ [sources[0]!.id]: 'Succeeded', [sources[1]!.id]: 'Canceled' });
    expect(sources.map(({ power }) => power)).toEqual(['poweredOff', 'poweredOn']);
  });

  test('of a VM that is not in the run is told, and changes nothing', async () => {
    const { world } = await copying();
    await using _world = world;
    const cancel = [{ id: 'vm-9999' }, { name: 'nobody' }];
    await edit(world, migrations, 'run', { spec: { cancel } });
    const condition = await untilCondition(world, migrations, 'run', 'VMNotFound');
    expect(condition).toMatchObject({ category: 'Warn', items: ['vm-9999', 'nobody'] });
    await ends(world, 'Succeeded');
  });

  test('of an entry with neither id nor name changes nothing', async () => {
    const { world } = await copying();
    await using _world = world;
    await edit(world, migrations, 'run', { spec: { cancel: [{}] } });
    const condition = await untilCondition(world, migrations, 'run', 'VMNotFound');
    expect(condition.items).toEqual(['(empty)']);
    await ends(world, 'Succeeded');
  });

  test('of all VMs ends the run as Canceled, and the Plan is Ready for another', async () => {
    const { world, sources } = await copying();
    await using _world = world;
    await edit(world, migrations, 'run', { spec: { cancel: sources.map(({ id }) => ({ id })) } });
    await ends(world, 'Canceled');
    await untilClean(world);
    await nothingWithOurLabel(world);
    expect(sources.map(({ power }) => power)).toEqual(['poweredOn', 'poweredOn']);
    // Guests that were powered on again take a moment until their tools are heard.
    await planSays(world, 'Ready', 300);
    await planSays(world, 'Canceled');
    await world.apply(migrationObject(world, {}, 'again'));
    await ends(world, 'Succeeded', 'again');
  });
});
