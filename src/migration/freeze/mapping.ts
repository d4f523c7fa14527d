import type { NetworkPair } from '../../api/network-map.ts';
import type { InventoryRef } from '../../api/references.ts';
import type { StoragePair } from '../../api/storage-map.ts';
import type { MapRef } from '../../model/vm.ts';

/** How the entries of a plan's maps find the networks and disks of a VM (forklift-api.md 1.5, 1.6). */

type MapSource = InventoryRef & { readonly vlan?: string };

/** The entries that mean this thing: by id where any does, else by name. A VLAN in an entry must be that of the thing. */
export function matchingEntries<T extends { readonly source: MapSource }>(
  entries: readonly T[],
  ref: MapRef,
): readonly T[] {
  const sameVlan = entries.filter(({ source }) => isUnset(source.vlan) || source.vlan === ref.vlan);
  const byId = sameVlan.filter(({ source }) => source.id !== undefined && ref.ids.includes(source.id));
  if (byId.length > 0) return byId;
  // An entry with an id means that id, whatever its name says.
  return sameVlan.filter(({ source }) => isUnset(source.id) && isNamed(source.name, ref.names));
}

function isUnset(value: string | undefined): boolean {
  return value === undefined || value === '';
}

/** A name, or the end of a path. */
function isNamed(name: string | undefined, names: readonly string[]): boolean {
  if (name === undefined || name === '') return false;
  return names.some((candidate) => candidate === name || candidate.endsWith(`/${name}`));
}

export type NetworkTarget =
  | { readonly action: 'pod' | 'ignored' }
  /** `nad` is "namespace/name". */
  | { readonly action: 'multus'; readonly nad: string };

/**
 * Where each network goes, in the order given; undefined where no entry fits. Several entries for one network are dealt out in turn, so
 * that NICs on one source network may go to networks of their own (fact: vsphere 3.3).
 *
 * @param namespace of a NetworkAttachmentDefinition that is named without one: the plan's target.
 */
export function mapNetworks(
  networks: readonly MapRef[],
  entries: readonly NetworkPair[],
  namespace: string,
): readonly (NetworkTarget | undefined)[] {
  const dealt = new Map<NetworkPair, number>();
  return networks.map((network) => {
    const matching = matchingEntries(entries, network);
    const [first] = matching;
    if (first === undefined) return undefined;
    const turn = dealt.get(first) ?? 0;
    dealt.set(first, turn + 1);
    return networkTarget(matching[turn % matching.length] ?? first, namespace);
  });
}

function networkTarget({ destination }: NetworkPair, namespace: string): NetworkTarget | undefined {
  if (destination.type !== 'multus') return { action: destination.type };
  const { name } = destination;
  if (name === undefined || name === '') return undefined;
  const own = destination.namespace;
  return { action: 'multus', nad: `${own === undefined || own === '' ? namespace : own}/${name}` };
}

/** The class, and the modes where the map asks for some, that a disk goes to; undefined where no entry fits. */
export function mapStorage(
  storage: MapRef,
  entries: readonly StoragePair[],
): StoragePair['destination'] | undefined {
  return matchingEntries(entries, storage)[0]?.destination;
}
