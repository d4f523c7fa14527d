import { describe, expect, test } from '@jest/globals';
import type { NetworkPair } from '../../src/api/network-map.ts';
import { mapNetworks, mapStorage } from '../../src/migration/freeze/mapping.ts';

const multus = (source: NetworkPair['source'], name: string): NetworkPair => ({
  source,
  destination: { type: 'multus', namespace: 'nets', name },
});
const network = { ids: ['network-7', 'key-7'], names: ['VM Network', '/DC0/network/VM Network'] };

describe('where a network goes', () => {
  test('is found by id, key, name or the end of a path', () => {
    for (const source of [
      { id: 'network-7' },
      { id: 'key-7' },
      { name: 'VM Network' },
      { name: 'network/VM Network' },
    ]) {
      expect(mapNetworks([network], [multus(source, 'a')], 'target')).toEqual([
        { action: 'multus', nad: 'nets/a' },
      ]);
    }
    expect(mapNetworks([network], [multus({ name: 'Network' }, 'a')], 'target')).toEqual([undefined]);
  });

  test('goes by ids before names, and an entry’s id before its name', () => {
    const byName = multus({ name: 'VM Network' }, 'by-name');
    const byId = multus({ id: 'network-7' }, 'by-id');
    expect(mapNetworks([network], [byName, byId], 't')).toEqual([{ action: 'multus', nad: 'nets/by-id' }]);
    const other = multus({ id: 'network-8', name: 'VM Network' }, 'other');
    expect(mapNetworks([network], [other], 't')).toEqual([undefined]);
  });

  test('is dealt out in turn where a network has several entries', () => {
    const pairs = [multus({ id: 'network-7' }, 'a'), multus({ id: 'network-7' }, 'b')];
    const nads = mapNetworks([network, network, network], pairs, 't').map((to) =>
      to?.action === 'multus' ? to.nad : '',
    );
    expect(nads).toEqual(['nets/a', 'nets/b', 'nets/a']);
  });

  test('tells networks of one name apart by VLAN', () => {
    const pairs = [multus({ name: 'VM Network', vlan: '10' }, 'ten'), multus({ name: 'VM Network' }, 'any')];
    expect(mapNetworks([{ ...network, vlan: '10' }], pairs, 't')).toEqual([
      { action: 'multus', nad: 'nets/ten' },
    ]);
    expect(mapNetworks([{ ...network, vlan: '20' }], pairs, 't')).toEqual([
      { action: 'multus', nad: 'nets/any' },
    ]);
  });

  test('is the namespace of the plan where the map names none, and nowhere without a name', () => {
    const destination = { type: 'multus' as const, name: 'a' };
    expect(mapNetworks([network], [{ source: { id: 'network-7' }, destination }], 'target')).toEqual([
      { action: 'multus', nad: 'target/a' },
    ]);
    expect(
      mapNetworks([network], [{ source: { id: 'network-7' }, destination: { type: 'multus' } }], 't'),
    ).toEqual([undefined]);
  });

  test('may be the pod network or none', () => {
    for (const type of ['pod', 'ignored'] as const) {
      expect(mapNetworks([network], [{ source: { id: 'network-7' }, destination: { type } }], 't')).toEqual([
        { action: type },
      ]);
    }
  });
});

describe('where a disk goes', () => {
  test('is the class and the modes of the first entry that fits, or nowhere', () => {
    const pairs = [
      { source: { id: 'datastore-1' }, destination: { storageClass: 'fast', volumeMode: 'Block' as const } },
      { source: { id: 'datastore-1' }, destination: { storageClass: 'slow' } },
    ];
    expect(mapStorage({ ids: ['datastore-1'], names: [] }, pairs)).toEqual({
      storageClass: 'fast',
      volumeMode: 'Block',
    });
    expect(mapStorage({ ids: ['datastore-2'], names: ['ds'] }, pairs)).toBeUndefined();
  });
});
