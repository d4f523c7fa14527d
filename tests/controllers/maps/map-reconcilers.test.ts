import { describe, expect, test } from '@jest/globals';
import type { Condition } from '../../../src/api/conditions.ts';
import { networkMaps, storageMaps } from '../../../src/api/kinds.ts';
import type { NetworkMap, NetworkMapSpec, NetworkPair } from '../../../src/api/network-map.ts';
import type { StorageMap, StoragePair } from '../../../src/api/storage-map.ts';
import { mapReconcilers } from '../../../src/controllers/maps/reconciler.ts';
import { ApiWith, noSignal } from '../api-with.ts';
import { forklift, PlanFixture, stored } from '../plan/plan-fixture.ts';

const provider: NetworkMapSpec['provider'] = {
  source: { namespace: 'mtv', name: 'vcenter' },
  destination: { namespace: 'mtv', name: 'host' },
};

/** Reconcilers over the world of a PlanFixture, and a server that holds the map. */
class Maps {
  readonly fixture = new PlanFixture();
  readonly networks = new ApiWith<NetworkMap>(networkMaps, this.fixture.networkMaps);
  readonly storage = new ApiWith<StorageMap>(storageMaps, this.fixture.storageMaps);
  readonly #world = {
    ...this.fixture.world,
    networkMaps: this.fixture.networkMaps,
    storageMaps: this.fixture.storageMaps,
  };

  async networkMap(map: readonly NetworkPair[], pair = provider): Promise<NetworkMap['status']> {
    const object = forklift<NetworkMap>('NetworkMap', 'm', { spec: { provider: pair, map } });
    this.networks.put({ ...object, metadata: { ...object.metadata, generation: 3 } });
    await this.reconcileNetworkMap();
    return this.networks.find(object).status;
  }

  async reconcileNetworkMap(): Promise<void> {
    const { client, clock } = this.networks;
    await mapReconcilers({ client, clock, world: this.#world }).networkMap('mtv/m', noSignal, {} as never);
  }

  async storageMap(map: readonly StoragePair[]): Promise<StorageMap['status']> {
    const { client, clock } = this.storage;
    const object = forklift<StorageMap>('StorageMap', 'm', { spec: { provider, map } });
    this.storage.put(object);
    await mapReconcilers({ client, clock, world: this.#world }).storageMap('mtv/m', noSignal, {} as never);
    return this.storage.find(object).status;
  }
}

function shown(conditions: readonly Condition[] | undefined): readonly string[] {
  return (conditions ?? []).map(({ type, category, reason }) =>
    [type, category, reason].filter(Boolean).join(' '),
  );
}

const pod = { type: 'pod' } as const;
const fast = { storageClass: 'fast' };

describe('a map in which all is well', () => {
  test('is Ready, tells what its sources are and of which generation it speaks', async () => {
    const status = await new Maps().networkMap([
      { source: { name: 'VM Network' }, destination: pod },
      { source: { id: 'network-1' }, destination: { type: 'ignored' } },
    ]);
    expect(status).toMatchObject({
      conditions: [{ type: 'Ready', status: 'True', category: 'Required' }],
      references: [{ id: 'network-1', name: 'VM Network' }],
      observedGeneration: 3,
    });
  });

  test('of storage is judged alike', async () => {
    const status = await new Maps().storageMap([{ source: { name: 'ds1' }, destination: fast }]);
    expect(shown(status?.conditions)).toEqual(['Ready Required']);
    expect(status?.references).toEqual([{ id: 'datastore-1', name: 'ds1' }]);
  });
});

describe('writing', () => {
  const entries = [{ source: { name: 'VM Network' }, destination: pod }];

  test('is done once: what holds already is not written again', async () => {
    const maps = new Maps();
    await maps.networkMap(entries);
    await maps.reconcileNetworkMap();
    expect(maps.networks.writes).toBe(1);
  });

  test('is refused where somebody has changed the map meanwhile', async () => {
    const maps = new Maps();
    const object = forklift<NetworkMap>('NetworkMap', 'm', { spec: { provider, map: entries } });
    maps.networks.put(object);
    maps.networks.put({ ...object, metadata: { ...object.metadata, labels: { a: 'b' } } }, { unseen: true });
    await expect(maps.reconcileNetworkMap()).rejects.toMatchObject({ code: 'Conflict' });
    expect(maps.networks.find(object).status).toBeUndefined();
  });

  test('goes on without a map that is gone', async () => {
    const maps = new Maps();
    await maps.reconcileNetworkMap();
    expect(maps.networks.api.requests).toEqual([]);
  });
});

describe('the sources of a map', () => {
  test('that are not there only warn: the map stays Ready', async () => {
    const status = await new Maps().networkMap([{ source: { name: 'Gone' }, destination: pod }]);
    expect(shown(status?.conditions)).toEqual(['SourceNetworkNotValid Warn NotFound', 'Ready Required']);
    expect(status?.conditions?.[0]?.items).toEqual(["name:'Gone'"]);
  });

  test('that are not named are Critical, by their place', async () => {
    const status = await new Maps().networkMap([
      { source: { name: 'VM Network' }, destination: pod },
      { source: {}, destination: pod },
    ]);
    expect(shown(status?.conditions)).toEqual(['SourceNetworkNotValid Critical NotSet']);
    expect(status?.conditions?.[0]?.items).toEqual(['entry 2']);
  });

  test('that bear the name of another are Critical, with the ids to choose from', async () => {
    const maps = new Maps();
    maps.fixture.inventory.upsert('networks', 'network-2', { _type: 'Network', name: 'VM Network' });
    const status = await maps.networkMap([{ source: { name: 'VM Network' }, destination: pod }]);
    expect(shown(status?.conditions)).toEqual(['SourceNetworkNotValid Critical Ambiguous']);
    expect(status?.conditions?.[0]?.items).toEqual(["name:'VM Network': id:network-1, id:network-2"]);
    const byId = await maps.networkMap([{ source: { id: 'network-2' }, destination: pod }]);
    expect(shown(byId?.conditions)).toEqual(['Ready Required']);
  });

  test('of which some are missing and some ambiguous are one condition, as bad as the worse', async () => {
    const maps = new Maps();
    maps.fixture.inventory.upsert('datastores', 'datastore-2', { _type: 'Datastore', name: 'ds1' });
    const status = await maps.storageMap([
      { source: { name: 'ds1' }, destination: fast },
      { source: { name: 'gone' }, destination: fast },
    ]);
    expect(shown(status?.conditions)).toEqual(['SourceStorageNotValid Critical Ambiguous']);
    expect(status?.conditions?.[0]?.items).toHaveLength(2);
  });

  test('keep what was known of them while the source cannot be looked into', async () => {
    const maps = new Maps();
    const entries = [{ source: { name: 'VM Network' }, destination: pod }];
    await maps.networkMap(entries);
    maps.fixture.provider('vcenter', { type: 'vsphere', url: 'u', secret: { name: 's' } }, []);
    await maps.reconcileNetworkMap();
    const object = forklift<NetworkMap>('NetworkMap', 'm', { spec: { provider, map: entries } });
    const { status } = maps.networks.find(object);
    expect(shown(status?.conditions)).toEqual(['SourceProviderNotReady Critical']);
    expect(status?.references).toEqual([{ id: 'network-1', name: 'VM Network' }]);
  });
});

describe('the destinations of a map', () => {
  const to = (namespace: string | undefined, name: string | undefined): readonly NetworkPair[] => [
    {
      source: { name: 'VM Network' },
      destination: {
        type: 'multus',
        ...(namespace !== undefined && { namespace }),
        ...(name !== undefined && { name }),
      },
    },
  ];

  test('that are NetworkAttachmentDefinitions must be there', async () => {
    const maps = new Maps();
    const missing = await maps.networkMap(to('target', 'vlan7'));
    expect(shown(missing?.conditions)).toEqual(['DestinationNetworkNotValid Critical NotFound']);
    maps.fixture.network('target', 'vlan7');
    expect(shown((await maps.networkMap(to('target', 'vlan7')))?.conditions)).toEqual(['Ready Required']);
  });

  test('that have no name are refused', async () => {
    const status = await new Maps().networkMap(to('target', undefined));
    expect(shown(status?.conditions)).toEqual(['DestinationNetworkNotValid Critical NotSet']);
  });

  test('without a namespace are left to the Plan, whose target is meant', async () => {
    const status = await new Maps().networkMap(to(undefined, 'vlan7'));
    expect(shown(status?.conditions)).toEqual(['Ready Required']);
  });

  test.each([
    ['gone', 'NotFound'],
    ['', 'NotSet'],
  ])('that are storage classes must be there: "%s"', async (storageClass, reason) => {
    const status = await new Maps().storageMap([{ source: { name: 'ds1' }, destination: { storageClass } }]);
    expect(shown(status?.conditions)).toEqual([`DestinationStorageNotValid Critical ${reason}`]);
  });

  test('are not looked for in a cluster that cannot be served', async () => {
    const maps = new Maps();
    maps.fixture.provider('host', { type: 'openshift', url: 'https://other:6443', secret: { name: 's' } });
    const status = await maps.networkMap(to('target', 'vlan7'));
    expect(shown(status?.conditions)).toEqual(['DestinationProviderNotValid Critical NotSupported']);
  });
});

describe('the Providers of a map', () => {
  test.each([
    ['', 'NotSet'],
    ['gone', 'NotFound'],
  ])('must be there: "%s"', async (name, reason) => {
    const status = await new Maps().networkMap([], { source: { name }, destination: { name } });
    expect(shown(status?.conditions)).toEqual([
      `SourceProviderNotValid Critical ${reason}`,
      `DestinationProviderNotValid Critical ${reason}`,
    ]);
  });

  test('must not be without an inventory', async () => {
    const maps = new Maps();
    const object = maps.fixture.providers.get({ namespace: 'mtv', name: 'vcenter' })!;
    const uid = 'new-uid';
    maps.fixture.providers.put(stored({ ...object, metadata: { ...object.metadata, uid } }, uid));
    const status = await maps.networkMap([]);
    expect(shown(status?.conditions)).toEqual(['SourceProviderNotReady Critical InventoryLoading']);
  });
});
