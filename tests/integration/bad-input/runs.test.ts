import { describe, expect, test } from '@jest/globals';
import { isTrue } from '../../../src/api/conditions.ts';
import {
  migrations,
  networkMaps,
  plans,
  persistentVolumeClaims,
  storageMaps,
  virtualMachines,
} from '../../../src/api/kinds.ts';
import type { KubeObject } from '../../../src/api/meta.ts';
import { plannedWorld, untilClean } from '../../support/move.ts';
import { nothingWithOurLabel } from '../../support/moved.ts';
import { migrationObject } from '../../support/objects.ts';
import type { TestWorld } from '../../support/world.ts';
import {
  conditionsOf,
  edit,
  ends,
  planNow,
  planSays,
  powerRequests,
  soonSeconds,
  typesOf,
  untilCondition,
  untilMidCopy,
  vmStatusOf,
} from './looking.ts';

const slow = { copy: { secondsPerDisk: 60 } } as const;
const web = { name: 'web-01', power: 'on' } as const;
const two = [web, { name: 'web-02', power: 'on' }] as const;

function vmOfSomebody({ targetNamespace: namespace }: TestWorld, name: string): KubeObject {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name, namespace },
    spec: { runStrategy: 'Halted', template: { spec: { domain: { devices: {} } } } },
  } as KubeObject;
}

async function targetNames(world: TestWorld): Promise<readonly string[]> {
  const { items } = await world.client.list(virtualMachines, { namespace: world.targetNamespace });
  return items.map(({ metadata }) => metadata.name).sort();
}

describe('two Migrations of one Plan', () => {
  test('the second waits and says so, and then has only the VMs that have not succeeded', async () => {
    const { world, sources } = await plannedWorld(two, slow);
    await using _world = world;
    world.startController();
    await world.apply(migrationObject(world));
    await untilMidCopy(world);
    await world.letPass(1);
    await world.apply(migrationObject(world, {}, 'second'));
    const condition = await untilCondition(world, migrations, 'second', 'Waiting');
    expect(condition).toMatchObject({ category: 'Advisory', reason: 'PlanExecuting' });
    await edit(world, migrations, 'run', { spec: { cancel: [{ id: sources[1]!.id }] } });
    await ends(world, 'Succeeded', 'run');
    const first = await vmStatusOf(world, 'web-01');
    await ends(world, 'Succeeded', 'second');
    expect(await vmStatusOf(world, 'web-01')).toEqual(first);
    expect(await typesOf(world, migrations, 'second')).not.toContain('Waiting');
    expect(await targetNames(world)).toEqual(['web-01', 'web-02']);
    const imports = await world.imports();
    expect(imports.map(({ spec }) => `${spec.run.migration.name} ${spec.vm.name}`).sort()).toEqual([
      'run web-01',
      'run web-02',
      'second web-02',
    ]);
  });

  test('one for a Plan whose VMs have all been moved ends at once and touches nothing', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    world.startController();
    await world.apply(migrationObject(world));
    await ends(world, 'Succeeded');
    const requests = powerRequests(world);
    await world.apply(migrationObject(world, {}, 'second'));
    await ends(world, 'Succeeded', 'second');
    expect(powerRequests(world)).toEqual(requests);
    expect(await world.imports()).toHaveLength(1);
  });
});

describe('a retry', () => {
  test('moves only what has failed; what has succeeded stays in the status byte for byte', async () => {
    const { world, sources } = await plannedWorld(two);
    await using _world = world;
    await world.namespace(world.targetNamespace);
    await world.client.create(virtualMachines, vmOfSomebody(world, 'web-02') as never);
    const vms = sources.map(({ id, name }) => ({ id, name, targetName: name }));
    await edit(world, plans, 'plan', { spec: { vms } });
    world.startController();
    await world.apply(migrationObject(world));
    await ends(world, 'Failed');
    await untilClean(world);
    const succeeded = JSON.stringify(await vmStatusOf(world, 'web-01'));
    expect(await vmStatusOf(world, 'web-02')).toMatchObject({ error: { phase: 'Started' } });

    await world.client.delete(virtualMachines, { namespace: world.targetNamespace, name: 'web-02' });
    await world.apply(migrationObject(world, {}, 'again'));
    await ends(world, 'Succeeded', 'again');
    expect(JSON.stringify(await vmStatusOf(world, 'web-01'))).toBe(succeeded);
    expect((await vmStatusOf(world, 'web-02'))?.error).toBeUndefined();
    const again = (await world.imports()).filter(({ spec }) => spec.run.migration.name === 'again');
    expect(again.map(({ spec }) => spec.vm.name)).toEqual(['web-02']);
  });
});

describe('five VMs of which one cannot be moved', () => {
  test('four succeed, the fifth says why, and its source runs as before', async () => {
    const names = ['a', 'b', 'impossible', 'd', 'e'];
    const { world, sources } = await plannedWorld(names.map((name) => ({ name, power: 'on' })));
    await using _world = world;
    await world.namespace(world.targetNamespace);
    await world.client.create(virtualMachines, vmOfSomebody(world, 'taken') as never);
    const vms = sources.map(({ id, name }) =>
      name === 'impossible' ? { id, name, targetName: 'taken' } : { id, name },
    );
    await edit(world, plans, 'plan', { spec: { vms } });
    world.startController();
    await world.apply(migrationObject(world));
    await ends(world, 'Failed');
    await untilClean(world);
    await nothingWithOurLabel(world);
    expect(await targetNames(world)).toEqual(['a', 'b', 'd', 'e', 'taken']);
    expect(sources.map(({ power }) => power)).toEqual([
      'poweredOff',
      'poweredOff',
      'poweredOn',
      'poweredOff',
      'poweredOff',
    ]);
    const failed = await vmStatusOf(world, 'impossible');
    expect(failed?.error?.reasons.join(' ')).toContain(
      `VirtualMachine ${world.targetNamespace}/taken exists already`,
    );
    const others = (await planNow(world)).status?.migration?.vms?.filter(({ name }) => name !== 'impossible');
    expect(others?.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('a VM that goes away', () => {
  test('between Plan and start is left out and told; the others move', async () => {
    const { world, sources } = await plannedWorld(two);
    await using _world = world;
    let isGone = false;
    world.startController({
      atWrite: () => (when, what) => {
        if (isGone || when !== 'after' || !/^POST .*\/virtualmachineimports$/.test(what)) return;
        isGone = true;
        sources[1]!.remove();
      },
    });
    await world.apply(migrationObject(world));
    await ends(world, 'Succeeded');
    await untilClean(world);
    const [object] = (await world.imports()).filter(({ spec }) => spec.vm.name === 'web-02');
    expect(object?.status).toMatchObject({ outcome: 'Canceled', error: { code: 'SourceVmGone' } });
    expect(await targetNames(world)).toEqual(['web-01']);
    await planSays(world, 'VMNotFound', soonSeconds);
  });
});

describe('a Plan that is edited while it runs', () => {
  test('goes on as it was: what the run needs was frozen at its start', async () => {
    const { world, sources } = await plannedWorld(two, slow);
    await using _world = world;
    const third = world.vcenter.addVm({ name: 'web-03', power: 'on' });
    world.startController();
    await world.apply(migrationObject(world));
    await untilMidCopy(world);
    const elsewhere = `${world.targetNamespace}-too`;
    const vms = [{ id: sources[0]!.id }, { id: third.id }];
    await edit(world, plans, 'plan', { spec: { vms, targetNamespace: elsewhere } });
    await edit(world, storageMaps, 'storage', { spec: { map: [] } });
    await edit(world, networkMaps, 'networks', { spec: { map: [] } });
    await world.letPass(soonSeconds);
    // No Critical condition while it runs: clients would say that it cannot start.
    const running = await conditionsOf(world, plans, 'plan');
    expect(isTrue(running, 'Executing')).toBe(true);
    expect(running.filter(({ category }) => category === 'Critical')).toEqual([]);
    await ends(world, 'Succeeded');
    expect(await targetNames(world)).toEqual(['web-01', 'web-02']);
    const claimsIn = async (namespace: string): Promise<number> =>
      (await world.client.list(persistentVolumeClaims, { namespace })).items.length;
    expect([await claimsIn(world.targetNamespace), await claimsIn(elsewhere)]).toEqual([2, 0]);
    expect(third.power).toBe('poweredOn');
    // Now it is judged as it stands.
    await planSays(world, 'VMStorageNotMapped', soonSeconds);
    const map = [{ source: { name: 'datastore1' }, destination: { storageClass: 'standard' } }];
    await edit(world, storageMaps, 'storage', { spec: { map } });
    const networks = [{ source: { name: 'VM Network' }, destination: { type: 'pod' } }];
    await edit(world, networkMaps, 'networks', { spec: { map: networks } });
    await planSays(world, 'Ready', soonSeconds);
    await world.apply(migrationObject(world, {}, 'again'));
    await ends(world, 'Succeeded', 'again');
    expect((await world.client.list(virtualMachines, { namespace: elsewhere })).items).toHaveLength(1);
    expect(await targetNames(world)).toEqual(['web-01', 'web-02']);
  });

  test('to have its maps deleted finishes all the same', async () => {
    const { world } = await plannedWorld([web], slow);
    await using _world = world;
    world.startController();
    await world.apply(migrationObject(world));
    await untilMidCopy(world);
    await world.client.delete(storageMaps, { namespace: world.planNamespace, name: 'storage' });
    await world.client.delete(networkMaps, { namespace: world.planNamespace, name: 'networks' });
    await ends(world, 'Succeeded');
    await planSays(world, 'StorageRefNotValid', soonSeconds);
  });
});

describe('a Plan that goes away while it runs', () => {
  test('by deletion takes back what has not committed, and leaves what has', async () => {
    const { world, sources } = await plannedWorld([web], slow);
    await using _world = world;
    world.startController();
    await world.apply(migrationObject(world));
    await untilMidCopy(world);
    await world.client.delete(plans, { namespace: world.planNamespace, name: 'plan' });
    await world.until('the imports are gone', async () =>
      (await world.imports()).length === 0 ? true : undefined,
    );
    await nothingWithOurLabel(world);
    expect(await targetNames(world)).toEqual([]);
    const { items: claims } = await world.client.list(persistentVolumeClaims, {
      namespace: world.targetNamespace,
    });
    expect(claims).toEqual([]);
    expect(sources[0]!.power).toBe('poweredOn');
    expect(await world.get(migrations, world.planNamespace, 'run')).toBeUndefined();
  });

  test('by deletion after a VM was moved leaves that VM running', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    world.startController();
    await world.apply(migrationObject(world));
    await ends(world, 'Succeeded');
    await untilClean(world);
    await world.client.delete(plans, { namespace: world.planNamespace, name: 'plan' });
    await world.until('the imports are gone', async () =>
      (await world.imports()).length === 0 ? true : undefined,
    );
    const vm = await world.get(virtualMachines, world.targetNamespace, 'web-01');
    expect(vm?.status?.printableStatus).toBe('Running');
  });

  test('by being archived ends the run as Canceled, and never runs again', async () => {
    const { world, sources } = await plannedWorld([web], slow);
    await using _world = world;
    world.startController();
    await world.apply(migrationObject(world));
    await untilMidCopy(world);
    await edit(world, plans, 'plan', { spec: { archived: true } });
    await ends(world, 'Canceled');
    await untilClean(world);
    await nothingWithOurLabel(world);
    expect(sources[0]!.power).toBe('poweredOn');
    await planSays(world, 'Archived', soonSeconds);
    expect(await typesOf(world, plans, 'plan')).not.toContain('Ready');
    await world.apply(migrationObject(world, {}, 'again'));
    const condition = await untilCondition(world, migrations, 'again', 'PlanNotReady');
    expect(condition.message).toMatch(/archived/);
    await world.letPass(60);
    expect(sources[0]!.power).toBe('poweredOn');
  });

  test('by the deletion of its Migration takes back what was made', async () => {
    const { world, sources } = await plannedWorld([web], slow);
    await using _world = world;
    world.startController();
    await world.apply(migrationObject(world));
    await untilMidCopy(world);
    await world.client.delete(migrations, { namespace: world.planNamespace, name: 'run' });
    await world.until('the imports are gone', async () =>
      (await world.imports()).length === 0 ? true : undefined,
    );
    await nothingWithOurLabel(world);
    expect(sources[0]!.power).toBe('poweredOn');
    await planSays(world, 'Canceled', soonSeconds);
    await world.apply(migrationObject(world, {}, 'again'));
    await ends(world, 'Succeeded', 'again');
  });
});
