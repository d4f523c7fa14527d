import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../model/vm.ts';
import { decodeName, guestObservedAt, type ManagedObject, type Properties } from './managed-object.ts';
import type { FindNetwork, NetworkKey, NetworkNames } from './model/nics.ts';
import type { ModelContext } from './model/vm-model.ts';
import { asText, member, type MoRef } from './soap/values.ts';
import type { ObjectChange } from './update-page.ts';

/** All managed objects that we have been told of, by their id, which is unique within one server. */
export class ObjectTree {
  readonly #objects = new Map<string, ManagedObject>();
  /** Distributed port groups and opaque networks are named by a key that need not be their id. */
  readonly #networkKeys = new Map<string, string>();

  find(id: string): ManagedObject | undefined {
    return this.#objects.get(id);
  }

  values(): Iterable<ManagedObject> {
    return this.#objects.values();
  }

  put(object: ManagedObject): void {
    this.#objects.set(object.ref.value, object);
    for (const key of networkKeysOf(object)) this.#networkKeys.set(key, object.ref.value);
  }

  remove(ref: MoRef): void {
    const object = this.#objects.get(ref.value);
    this.#objects.delete(ref.value);
    if (object !== undefined) for (const key of networkKeysOf(object)) this.#networkKeys.delete(key);
  }

  context(instance: string): ModelContext {
    return { instance, find: (id) => this.find(id), findNetwork: this.#findNetwork };
  }

  readonly #findNetwork: FindNetwork = (key): NetworkNames | undefined => {
    const id = key.by === 'id' ? key.value : (this.#networkKeys.get(textOf(key)) ?? key.value);
    const network = this.find(id);
    const name = asText(network?.properties['name']);
    return network === undefined || name === undefined ? undefined : { id, name: decodeName(name) };
  };
}

function networkKeysOf(object: ManagedObject): readonly string[] {
  const portgroup = asText(object.properties['key']);
  const opaque = asText(member(object.properties['summary'], 'opaqueNetworkId'));
  return [
    ...(portgroup === undefined ? [] : [textOf({ by: 'portgroupKey', value: portgroup })]),
    ...(opaque === undefined ? [] : [textOf({ by: 'opaqueId', value: opaque })]),
  ];
}

function textOf(key: NetworkKey): string {
  return `${key.by} ${key.value}`;
}

/** What the guest told while it ran and the platform forgets when it stops; static addresses need it (fact: vs 2.4). */
const toldByGuest = ['guest.net', 'guest.disk', 'guest.ipStack', 'guest.hostName'] as const;

/**
 * The object after a change. `before` is what is known of it, also from a load that is over: what the guest told is kept when the
 * platform now has nothing to say.
 *
 * @param now RFC 3339.
 */
export function applyChange(
  before: ManagedObject | undefined,
  change: Pick<ObjectChange, 'kind' | 'ref' | 'set' | 'unset'>,
  now: string,
): ManagedObject {
  const properties: Record<string, Json> = change.kind === 'enter' ? {} : { ...before?.properties };
  for (const [name, value] of change.set) properties[name] = value;
  const unset = new Set(change.unset);
  for (const name of unset) Reflect.deleteProperty(properties, name);
  const changed = { ref: change.ref, properties };
  return change.ref.type === 'VirtualMachine' ? keepGuest(before, changed, now) : changed;
}

/** The same for an object that was read whole. */
export function keepGuest(
  before: ManagedObject | undefined,
  after: ManagedObject,
  now: string,
): ManagedObject {
  const known: Properties = before?.properties ?? {};
  const properties: Record<string, Json> = { ...after.properties };
  for (const name of toldByGuest) {
    const old = known[name];
    if (isEmpty(properties[name]) && old !== undefined) properties[name] = old;
  }
  const observedAt = known[guestObservedAt];
  const told = !isEmpty(properties['guest.net']);
  if (told && observedAt !== undefined && isDeepStrictEqual(properties['guest.net'], known['guest.net'])) {
    properties[guestObservedAt] = observedAt;
  } else if (told) {
    properties[guestObservedAt] = now;
  }
  return { ref: after.ref, properties };
}

function isEmpty(value: Json | undefined): boolean {
  return (
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  );
}
