import { describe, expect, test } from '@jest/globals';
import { migrations, networkMaps, plans, providers, storageMaps } from '../../../src/api/kinds.ts';
import type { PlanSpec } from '../../../src/api/plan.ts';
import { plannedWorld } from '../../support/move.ts';
import { firstOnTestbed } from '../../support/needs.ts';
import { mapObjects, migrationObject, planObject, providerObjects } from '../../support/objects.ts';
import { startWorld } from '../../support/start-world.ts';
import {
  edit,
  isUntouched,
  movesAfterAll,
  planSays,
  soonSeconds,
  typesOf,
  untilCondition,
  ends,
} from './looking.ts';

const web = { name: 'web-01', power: 'on' } as const;

interface Bad {
  readonly plan: (id: string, namespace: string) => Partial<PlanSpec>;
  readonly type: string;
  readonly reason: string;
  readonly says: RegExp;
}

const badPlans: Readonly<Record<string, Bad>> = {
  'a VM that is not at the source': {
    plan: () => ({ vms: [{ id: 'vm-9999', name: 'gone' }] }),
    type: 'VMNotFound',
    reason: 'NotFound',
    says: /no such VM\. Correct its id or name/,
  },
  'a VM by a name that nobody bears': {
    plan: () => ({ vms: [{ name: 'no-such-vm' }] }),
    type: 'VMNotFound',
    reason: 'NotFound',
    says: /no such VM/,
  },
  'a VM by neither id nor name': {
    plan: () => ({ vms: [{}] }),
    type: 'VMRefNotValid',
    reason: 'NotSet',
    says: /neither id nor name/,
  },
  'a VM twice, by its id': {
    plan: (id) => ({ vms: [{ id }, { id }] }),
    type: 'DuplicateVM',
    reason: 'NotUnique',
    says: /more than once\. Keep one entry/,
  },
  'a VM twice, once by its id and once by its name': {
    plan: (id) => ({ vms: [{ id }, { name: 'web-01' }] }),
    type: 'DuplicateVM',
    reason: 'NotUnique',
    says: /more than once/,
  },
  'no VMs at all': {
    plan: () => ({ vms: [] }),
    type: 'VMRefNotValid',
    reason: 'NotSet',
    says: /names no VMs/,
  },
  'a source Provider that is not there': {
    plan: (_id, namespace) => ({
      provider: { source: { name: 'nowhere' }, destination: { name: 'host', namespace } },
    }),
    type: 'SourceProviderNotValid',
    reason: 'NotFound',
    says: /Provider [^ ]+\/nowhere was not found\. Correct spec\.provider\.source/,
  },
  'a destination Provider that is not there': {
    plan: (_id, namespace) => ({
      provider: { source: { name: 'vcenter', namespace }, destination: { name: 'nowhere' } },
    }),
    type: 'DestinationProviderNotValid',
    reason: 'NotFound',
    says: /Provider [^ ]+\/nowhere was not found/,
  },
  'source and destination the wrong way round': {
    plan: (_id, namespace) => ({
      provider: {
        source: { name: 'host', namespace },
        destination: { name: 'vcenter', namespace },
      },
    }),
    type: 'SourceProviderNotValid',
    reason: 'TypeNotValid',
    says: /of type "openshift"/,
  },
  'a network map that is not there': {
    plan: () => ({ map: { network: { name: 'nowhere' }, storage: { name: 'storage' } } }),
    type: 'NetworkMapRefNotValid',
    reason: 'NotFound',
    says: /NetworkMap [^ ]+\/nowhere was not found\. Correct spec\.map\.network/,
  },
  'a storage map that is not there': {
    plan: () => ({ map: { network: { name: 'networks' }, storage: { name: 'nowhere' } } }),
    type: 'StorageRefNotValid',
    reason: 'NotFound',
    says: /StorageMap [^ ]+\/nowhere was not found/,
  },
  'no map': {
    plan: () => ({ map: { network: { name: '' }, storage: { name: '' } } }),
    type: 'StorageRefNotValid',
    reason: 'NotSet',
    says: /names no StorageMap\. Set spec\.map\.storage/,
  },
};

describe('a Plan that names', () => {
  firstOnTestbed(2, Object.entries(badPlans))(
    '%s says so, waits, and runs after the correction',
    async (_name, bad) => {
      const { world, sources } = await plannedWorld([web]);
      await using _world = world;
      const source = sources[0]!;
      const good = (await world.get(plans, world.planNamespace, 'plan'))!.spec;
      await edit(world, plans, 'plan', { spec: bad.plan(source.id, world.planNamespace) });
      await world.apply(migrationObject(world));
      world.startController();
      const condition = await planSays(world, bad.type);
      expect(condition).toMatchObject({ category: 'Critical', reason: bad.reason });
      expect(condition.message).toMatch(bad.says);
      expect(await typesOf(world, plans, 'plan')).not.toContain('Ready');
      await untilCondition(world, migrations, 'run', 'PlanNotReady');
      await world.letPass(60);
      expect(await world.imports()).toEqual([]);
      isUntouched(world, source);

      await edit(world, plans, 'plan', { spec: good });
      await planSays(world, 'Executing', soonSeconds);
      await ends(world, 'Succeeded');
    },
  );

  test('a VM by a name that two of them bear lists both, and takes the id', async () => {
    const { world, sources } = await plannedWorld([
      { name: 'twin', power: 'on', folder: 'blue' },
      { name: 'twin', power: 'on', folder: 'green' },
    ]);
    await using _world = world;
    await edit(world, plans, 'plan', { spec: { vms: [{ name: 'twin' }] } });
    world.startController();
    const condition = await planSays(world, 'VMRefNotValid');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'Ambiguous' });
    const items = (condition.items ?? []).join('\n');
    for (const { id } of sources) expect(items).toContain(id);
    await edit(world, plans, 'plan', { spec: { vms: [{ id: sources[1]!.id }] } });
    await movesAfterAll(world);
    expect(sources[0]!.power).toBe('poweredOn');
    expect(sources[1]!.power).toBe('poweredOff');
  });

  test('a VM by its path finds that one', async () => {
    const { world, sources } = await plannedWorld([
      { name: 'twin', folder: 'blue' },
      { name: 'twin', folder: 'green' },
    ]);
    await using _world = world;
    world.startController();
    await planSays(world, 'DuplicateVM');
    await edit(world, plans, 'plan', { spec: { vms: [{ id: sources[0]!.id }] } });
    await planSays(world, 'Ready', soonSeconds);
  });

  test('two VMs of one target name says which, and a targetName for one of them is enough', async () => {
    const { world, sources } = await plannedWorld([
      { name: 'web-01', folder: 'blue' },
      { name: 'web-01', folder: 'green' },
    ]);
    await using _world = world;
    world.startController();
    const condition = await planSays(world, 'DuplicateVM');
    expect(condition.message).toMatch(/same name in the target namespace\. Give each but one a targetName/);
    const vms = [{ id: sources[0]!.id }, { id: sources[1]!.id, targetName: 'web-02' }];
    await edit(world, plans, 'plan', { spec: { vms } });
    await movesAfterAll(world);
  });

  test('a VM that appears later goes on when it does', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    await edit(world, plans, 'plan', { spec: { vms: [{ name: 'not-yet' }] } });
    world.startController();
    await planSays(world, 'VMNotFound');
    world.vcenter.addVm({ name: 'not-yet' });
    await planSays(world, 'Ready', soonSeconds);
  });
});

describe('a map that lacks an entry', () => {
  test('for a network: the Plan names VM and network, and is Ready when the entry is there', async () => {
    const { world, sources } = await plannedWorld([{ ...web, nics: [{ network: 'Storage Net' }] }]);
    await using _world = world;
    world.startController();
    const condition = await planSays(world, 'VMNetworksNotMapped');
    expect(condition).toMatchObject({ category: 'Critical' });
    expect(condition.items?.join()).toContain('web-01');
    expect(condition.items?.join()).toContain('Storage Net');
    const map = [{ source: { name: 'Storage Net' }, destination: { type: 'pod' } }];
    await edit(world, networkMaps, 'networks', { spec: { map } });
    isUntouched(world, sources[0]!);
    await movesAfterAll(world);
  });

  test('for a datastore: the Plan names VM and datastore, and is Ready when the entry is there', async () => {
    const { world, sources } = await plannedWorld([
      { ...web, disks: [{ sizeBytes: 65_536, datastore: 'datastore2' }] },
    ]);
    await using _world = world;
    world.startController();
    const condition = await planSays(world, 'VMStorageNotMapped');
    expect(condition).toMatchObject({ category: 'Critical' });
    expect(condition.items?.join()).toContain('web-01');
    expect(condition.items?.join()).toContain('datastore2');
    isUntouched(world, sources[0]!);
    const map = [{ source: { name: 'datastore2' }, destination: { storageClass: 'standard' } }];
    await edit(world, storageMaps, 'storage', { spec: { map } });
    await movesAfterAll(world);
  });

  test('for a NetworkAttachmentDefinition that is not there: map and Plan name it', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    const destination = { type: 'multus', namespace: world.targetNamespace, name: 'blue' };
    const map = [{ source: { name: 'VM Network' }, destination }];
    await edit(world, networkMaps, 'networks', { spec: { map } });
    world.startController();
    const condition = await untilCondition(world, networkMaps, 'networks', 'DestinationNetworkNotValid');
    const items = [`${world.targetNamespace}/blue`];
    expect(condition).toMatchObject({ category: 'Critical', reason: 'NotFound', items });
    await planSays(world, 'NetworkMapNotReady');
    await edit(world, networkMaps, 'networks', {
      spec: { map: [{ source: { name: 'VM Network' }, destination: { type: 'pod' } }] },
    });
    await planSays(world, 'Ready', soonSeconds);
  });
});

describe('objects that come in any order', () => {
  const orders = [
    'migration, plan, maps, providers',
    'plan, providers, migration, maps',
    'maps, migration, providers, plan',
  ];

  firstOnTestbed(
    1,
    orders.map((order) => [order] as const),
  )('%s: the Migration runs when the last is there', async (order) => {
    await using world = await startWorld();
    const source = world.vcenter.addVm({ ...web, disks: [{ sizeBytes: 65_536 }] });
    await world.namespace(world.planNamespace);
    world.startController();
    const parts = {
      migration: [migrationObject(world)],
      plan: [planObject(world, [{ id: source.id }])],
      maps: mapObjects(world),
      providers: providerObjects(world),
    };
    for (const part of order.split(', ') as (keyof typeof parts)[]) {
      await world.apply(...parts[part]);
      await world.letPass(5);
      if (part === 'migration' && (await world.get(plans, world.planNamespace, 'plan')) === undefined) {
        const condition = await untilCondition(world, migrations, 'run', 'PlanNotValid', soonSeconds);
        expect(condition).toMatchObject({ category: 'Critical', reason: 'NotFound' });
        expect(condition.message).toMatch(/Plan [^ ]+\/plan was not found\. It may be applied later/);
      }
    }
    await ends(world, 'Succeeded');
    expect(await typesOf(world, migrations, 'run')).not.toContain('PlanNotValid');
    expect(await typesOf(world, providers, 'vcenter')).toContain('Ready');
  });
});
