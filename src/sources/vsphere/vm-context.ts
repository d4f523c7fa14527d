import { canonicalJson } from '../../model/digest.ts';
import type { ManagedObject } from './managed-object.ts';
import { asList, asMoRef, type MoRef } from './soap/values.ts';

/** Properties of other objects that stand in the model of a VM. */
const facts = [
  'name',
  'parent',
  'key',
  'summary.runtime.inMaintenanceMode',
  'config.dateTimeInfo.timeZone.name',
] as const;

/** One text for all that a VM's model takes from this object: a host's load is not among it. */
export function contextFactsOf(object: ManagedObject | undefined): string {
  return canonicalJson(facts.map((name) => object?.properties[name]));
}

/** Whether `object` may stand in the model of `vm`. Folders stand in the path of everything below them, so they always may. */
export function refersTo(vm: ManagedObject, object: MoRef): boolean {
  if (object.type === 'HostSystem') return asMoRef(vm.properties['runtime.host'])?.value === object.value;
  if (object.type === 'Datastore' || object.type.includes('Network') || object.type.includes('Portgroup')) {
    return referencesOf(vm).some((ref) => ref.value === object.value);
  }
  return object.type === 'Folder' || object.type === 'Datacenter';
}

/** Everything that must be known for a model of `vm`, but for the folders above its own. */
export function referencesOf(vm: ManagedObject): readonly MoRef[] {
  const lists = [vm.properties['datastore'], vm.properties['network']].flatMap((list) => asList(list));
  return [...lists, vm.properties['runtime.host'], vm.properties['parent']]
    .map((value) => asMoRef(value))
    .filter((ref) => ref !== undefined);
}
