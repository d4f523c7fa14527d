import type { Json } from '../../model/vm.ts';
import type { MoRef } from './soap/values.ts';

/**
 * One managed object as the property collector gives it: reference and properties by their path. This is also what the inventory keeps
 * as `raw` (see `rawOf`), because the REST API's shapes are made from these properties.
 */
export interface ManagedObject {
  readonly ref: MoRef;
  readonly properties: Properties;
}
export type Properties = Readonly<Record<string, Json>>;

/** `{ _type: "VirtualMachine", _id: "vm-101", name, "config.uuid", ... }` */
export function rawOf(object: ManagedObject): Json {
  return { _type: object.ref.type, _id: object.ref.value, ...object.properties };
}

/** Names on the wire are escaped for these three characters and only for them (fact: vs 1.2). */
export function decodeName(name: string): string {
  return name.replace(/%(2f|5c|25)/gi, (escaped) => characters[escaped.toLowerCase()] ?? escaped);
}
const characters: Readonly<Record<string, string>> = { '%2f': '/', '%5c': '\\', '%25': '%' };

/** Beside the platform's own properties: when the guest last told its addresses (RFC 3339). */
export const guestObservedAt = 'gantry.guestObservedAt';
