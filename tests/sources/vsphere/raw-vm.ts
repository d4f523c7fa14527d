import type { Json, VmModel } from '../../../src/model/vm.ts';
import type { ManagedObject, Properties } from '../../../src/sources/vsphere/managed-object.ts';
import { vmModelOf } from '../../../src/sources/vsphere/model/vm-model.ts';
import { ObjectTree } from '../../../src/sources/vsphere/object-tree.ts';
import { asList, asMoRef, asText, member } from '../../../src/sources/vsphere/soap/values.ts';
import { decodeEnvelope } from '../../../src/sources/vsphere/soap/xml-decode.ts';
import { golden } from './xml-text.ts';

export const instance = '5a3bd7f2-2f9b-4b5d-9d0c-1c1f6c0e8a11';

/** The objects of a RetrievePropertiesEx answer. */
export function objectsIn(name: string): readonly ManagedObject[] {
  const body = decodeEnvelope(golden(name));
  if (body.kind !== 'answer') throw new Error(`${name} is a fault`);
  return asList(member(body.returnval, 'objects')).map((content) => ({
    ref: asMoRef(member(content, 'obj')) ?? { type: '', value: '' },
    properties: Object.fromEntries(
      asList(member(content, 'propSet')).map((property) => [
        asText(member(property, 'name')) ?? '',
        member(property, 'val') ?? null,
      ]),
    ),
  }));
}

export function goldenVm(): ManagedObject {
  const [vm] = objectsIn('vm-properties.response');
  if (vm === undefined) throw new Error('no VM in the golden answer');
  return vm;
}

/** What surrounds the golden VM. */
export function goldenTree(): ObjectTree {
  const tree = new ObjectTree();
  const put = (type: string, id: string, properties: Properties): void =>
    tree.put({ ref: { type, value: id }, properties });
  put('Folder', 'group-d1', { name: 'Datacenters' });
  put('Datacenter', 'datacenter-2', { name: 'DC%2f0', parent: { type: 'Folder', value: 'group-d1' } });
  put('Folder', 'group-v3', { name: 'vm', parent: { type: 'Datacenter', value: 'datacenter-2' } });
  put('Datastore', 'datastore-21', { name: 'datastore1' });
  put('Network', 'network-31', { name: 'VM Network' });
  put('DistributedVirtualPortgroup', 'dvportgroup-33', { name: 'web', key: 'dvportgroup-33' });
  put('HostSystem', 'host-11', {
    name: 'esx1.example',
    'config.dateTimeInfo.timeZone.name': 'Europe/Berlin',
    'summary.runtime.inMaintenanceMode': false,
  });
  return tree;
}

/** The golden VM's model, with some of its properties changed; null takes one away. */
export function modelWith(changes: Readonly<Record<string, Json>> = {}, tree = goldenTree()): VmModel {
  const vm = goldenVm();
  const properties = Object.fromEntries(
    Object.entries({ ...vm.properties, ...changes }).filter(([, value]) => value !== null),
  );
  return vmModelOf({ ref: vm.ref, properties }, tree.context(instance));
}
