import type { ConditionDraft } from '../../api/conditions.ts';
import type { NetworkPair } from '../../api/network-map.ts';
import type { InventoryRef } from '../../api/references.ts';
import type { StoragePair } from '../../api/storage-map.ts';
import type { InventoryStore } from '../../inventory/store.ts';
import { matchingEntries } from '../../migration/freeze/mapping.ts';
import type { MapRef } from '../../model/vm.ts';
import type { NamedCollection } from '../../sources/source.ts';
import { oneOfEach } from '../one-of-each.ts';

/** What a map is judged by: pure data, gathered by the reconciler. */
export interface MapFacts<Pair> {
  readonly entries: readonly Pair[];
  /** What is wrong with the Providers; its sources are looked for only when the first is empty, its destinations when the second is. */
  readonly source: readonly ConditionDraft[];
  readonly destination: readonly ConditionDraft[];
  /** Things of the source that entries may name. */
  readonly things: readonly NamedThing[];
}
export interface NamedThing {
  readonly id: string;
  readonly ref: MapRef;
}

export interface MapVerdict {
  /** `Ready` last, where it holds. */
  readonly conditions: readonly ConditionDraft[];
  /** The sources that were found, once each; undefined: they could not be looked for, and what was known stays. */
  readonly references: readonly InventoryRef[] | undefined;
}

export function namedThings(inventory: InventoryStore, named: NamedCollection): readonly NamedThing[] {
  return inventory.list(named.collection).flatMap(({ id, raw }) => {
    const ref = named.refOf(id, raw);
    return ref === undefined ? [] : [{ id, ref }];
  });
}

/** @param hasNetwork whether the target cluster has this NetworkAttachmentDefinition. */
export function judgeNetworkMap(
  facts: MapFacts<NetworkPair>,
  hasNetwork: (namespace: string, name: string) => boolean,
): MapVerdict {
  const type = 'DestinationNetworkNotValid';
  return judge(facts, 'SourceNetworkNotValid', 'network', (entries) => {
    const attached = entries.filter(({ destination }) => destination.type === 'multus');
    const nameless = attached.filter(({ destination }) => !isGiven(destination.name));
    // One without a namespace means that of the Plan's VMs, so a Plan is told of it.
    const gone = attached.filter(({ destination: { namespace, name } }) => {
      return isGiven(name) && isGiven(namespace) && !hasNetwork(namespace, name);
    });
    return [
      ...about(
        nameless.map(({ source }) => shownSource(source)),
        type,
        'NotSet',
        'Entries of type multus name no NetworkAttachmentDefinition. Set destination.name.',
      ),
      ...about(
        gone.map(({ destination: { namespace = '', name = '' } }) => `${namespace}/${name}`),
        type,
        'NotFound',
        'The target cluster has no such NetworkAttachmentDefinition. Correct destination, or create it.',
      ),
    ];
  });
}

/** @param hasClass whether the target cluster has this storage class. */
export function judgeStorageMap(
  facts: MapFacts<StoragePair>,
  hasClass: (name: string) => boolean,
): MapVerdict {
  const type = 'DestinationStorageNotValid';
  return judge(facts, 'SourceStorageNotValid', 'storage', (entries) => {
    const classes = [...new Set(entries.map(({ destination }) => destination.storageClass))];
    return [
      ...about(
        entries
          .filter(({ destination }) => !isGiven(destination.storageClass))
          .map(({ source }) => shownSource(source)),
        type,
        'NotSet',
        'Entries name no storage class. Set destination.storageClass.',
      ),
      ...about(
        classes.filter((name) => isGiven(name) && !hasClass(name)),
        type,
        'NotFound',
        'The target cluster has no such storage class. Correct destination.storageClass, or create it.',
      ),
    ];
  });
}

function judge<Pair extends { readonly source: EntrySource }>(
  facts: MapFacts<Pair>,
  sourceType: string,
  what: string,
  judgeDestinations: (entries: readonly Pair[]) => readonly ConditionDraft[],
): MapVerdict {
  const { entries, source, destination } = facts;
  const found = source.length > 0 ? undefined : resolve(facts, sourceType, what);
  const conditions = oneOfEach([
    ...source,
    ...destination,
    ...(found?.conditions ?? []),
    ...(destination.length > 0 ? [] : judgeDestinations(entries)),
  ]);
  const blocked = conditions.some(({ category }) => category === 'Critical');
  return { conditions: blocked ? conditions : [...conditions, ready(what)], references: found?.references };
}

type EntrySource = InventoryRef & { readonly vlan?: string };

/** What is missing only warns: a map may speak of more than the source has today (fact: forklift-api 1.6). */
function resolve<Pair extends { readonly source: EntrySource }>(
  { entries, things }: MapFacts<Pair>,
  type: string,
  what: string,
): { readonly conditions: readonly ConditionDraft[]; readonly references: readonly InventoryRef[] } {
  const references = new Map<string, InventoryRef>();
  const unset: string[] = [];
  const unknown: string[] = [];
  const ambiguous: string[] = [];
  entries.forEach((entry, position) => {
    const { source } = entry;
    if (!isGiven(source.id) && !isGiven(source.name)) {
      unset.push(`entry ${position + 1}`);
      return;
    }
    const matching = things.filter(({ ref }) => matchingEntries([entry], ref).length > 0);
    const [first] = matching;
    if (first === undefined) unknown.push(shownSource(source));
    else if (matching.length > 1) {
      ambiguous.push(`${shownSource(source)}: ${matching.map(({ id }) => `id:${id}`).join(', ')}`);
    } else {
      const [name] = first.ref.names;
      references.set(first.id, { id: first.id, ...(name !== undefined && { name }) });
    }
  });
  return {
    references: [...references.values()],
    conditions: [
      ...about(unset, type, 'NotSet', 'Sources are named by neither id nor name. Give one of them.'),
      ...about(ambiguous, type, 'Ambiguous', `Several ${what} of the source bear one name. Give the id.`),
      ...about(
        unknown,
        type,
        'NotFound',
        `The source has no such ${what}. Correct the entries if VMs that are to be moved depend on them.`,
        'Warn',
      ),
    ],
  };
}

function about(
  items: readonly string[],
  type: string,
  reason: string,
  message: string,
  category: 'Critical' | 'Warn' = 'Critical',
): readonly ConditionDraft[] {
  return items.length === 0 ? [] : [{ type, category, reason, message, items }];
}

function shownSource({ id, name, vlan }: EntrySource): string {
  const parts = [
    ...(isGiven(id) ? [`id:${id}`] : []),
    ...(isGiven(name) ? [`name:'${name}'`] : []),
    ...(isGiven(vlan) ? [`vlan:${vlan}`] : []),
  ];
  return parts.join(' ');
}

function ready(what: string): ConditionDraft {
  return { type: 'Ready', category: 'Required', message: `The ${what} map is ready.` };
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
