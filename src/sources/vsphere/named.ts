import type { Json, MapRef } from '../../model/vm.ts';
import type { SourcePlatform } from '../source.ts';
import { decodeName } from './managed-object.ts';
import { clip } from './model/bounds.ts';
import { asText, member } from './soap/values.ts';

/** How maps and Hosts name things of a vCenter: as nicsOf and disksOf write it into models. */
export const vsphereNamed: SourcePlatform['named'] = {
  network: { collection: 'networks', refOf: networkRef },
  storage: { collection: 'datastores', refOf: nameRef },
  host: { collection: 'hosts', refOf: nameRef },
};

/** Distributed port groups and opaque networks are also known by a key of their own (fact: vs 3.3). No NIC is on a switch itself. */
function networkRef(id: string, raw: Json): MapRef | undefined {
  if ((asText(member(raw, '_type')) ?? '').endsWith('DistributedVirtualSwitch')) return undefined;
  const { ids, names } = nameRef(id, raw);
  const keys = [asText(member(raw, 'key')), asText(member(raw, 'summary', 'opaqueNetworkId'))];
  const known = [...ids, ...keys.filter((key) => key !== undefined)];
  return { ids: [...new Set(known)].map((key) => clip(key, 256)), names };
}

function nameRef(id: string, raw: Json): MapRef {
  const name = asText(member(raw, 'name'));
  return { ids: [clip(id, 256)], names: name === undefined ? [] : [clip(decodeName(name), 512)] };
}
