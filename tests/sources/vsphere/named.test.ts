import { describe, expect, test } from '@jest/globals';
import { rawOf, type ManagedObject } from '../../../src/sources/vsphere/managed-object.ts';
import { nicsOf } from '../../../src/sources/vsphere/model/nics.ts';
import { vsphereNamed } from '../../../src/sources/vsphere/named.ts';
import { ObjectTree } from '../../../src/sources/vsphere/object-tree.ts';

const portgroup: ManagedObject = {
  ref: { type: 'DistributedVirtualPortgroup', value: 'dvportgroup-7' },
  properties: { name: 'Prod%2fWeb', key: 'key-7' },
};
const opaque: ManagedObject = {
  ref: { type: 'OpaqueNetwork', value: 'network-o9' },
  properties: { name: 'Segment', summary: { _type: 'OpaqueNetworkSummary', opaqueNetworkId: 'nsx-9' } },
};
const standard: ManagedObject = {
  ref: { type: 'Network', value: 'network-1' },
  properties: { name: 'VM Network' },
};

function card(backing: object): object {
  return { _type: 'VirtualVmxnet3', key: 4000, backing };
}

describe('what maps name in a vCenter', () => {
  test.each([
    ['a port group', portgroup, { port: { portgroupKey: 'key-7' } }],
    ['an opaque network', opaque, { opaqueNetworkId: 'nsx-9' }],
    ['a standard network', standard, { network: { type: 'Network', value: 'network-1' } }],
  ])('%s is named as the NICs on it are', (_kind, network, backing) => {
    const tree = new ObjectTree();
    tree.put(network);
    const { findNetwork } = tree.context('instance');
    const [nic] = nicsOf({ 'config.hardware.device': [card(backing)] as never }, findNetwork);
    const ref = vsphereNamed.network.refOf(network.ref.value, rawOf(network));
    expect(ref?.names).toEqual(nic?.network.names);
    expect(ref?.ids).toEqual(expect.arrayContaining([...(nic?.network.ids ?? ['none'])]));
    expect(nic?.network.names).toHaveLength(1);
  });

  test('a distributed switch stands among the networks, but no NIC is ever on it', () => {
    const raw = { _type: 'VmwareDistributedVirtualSwitch', _id: 'dvs-1', name: 'dvs' };
    expect(vsphereNamed.network.refOf('dvs-1', raw)).toBeUndefined();
  });

  test('a datastore is named by id and by its unescaped name', () => {
    const raw = { _type: 'Datastore', _id: 'datastore-3', name: 'fast%2fone' };
    expect(vsphereNamed.storage.refOf('datastore-3', raw)).toEqual({
      ids: ['datastore-3'],
      names: ['fast/one'],
    });
  });
});
