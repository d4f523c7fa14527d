import type { ResourceKind } from '../../api/meta.ts';
import type { Json, JsonObject } from './json.ts';
import { isList, isObject } from './json.ts';
import type { StoredObject } from './stored-object.ts';

/** What a namespace that is to go still holds. */
export interface Remaining {
  readonly kind: ResourceKind;
  readonly objects: readonly StoredObject[];
}

/** Type, then reason and message when all is well. */
const whenWell = [
  ['NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'],
  [
    'NamespaceDeletionGroupVersionParsingFailure',
    'ParsedGroupVersions',
    'All legacy kube types successfully parsed',
  ],
  [
    'NamespaceDeletionContentFailure',
    'ContentDeleted',
    'All content successfully deleted, may be waiting on finalization',
  ],
  ['NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'],
  ['NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
] as const;

/**
 * Conditions of a namespace that is to go: what keeps it (fact: pkg/controller/namespace/deletion/status_condition_utils.go; all five from
 * the first pass on, a time moves when the words do). `at`: RFC 3339.
 */
export function namespaceConditions(
  before: Json | undefined,
  remaining: readonly Remaining[],
  at: string,
): readonly JsonObject[] {
  const known = isList(before) ? before.filter(isObject) : [];
  const troubles = new Map([
    ['NamespaceContentRemaining', contentRemaining(remaining)],
    ['NamespaceFinalizersRemaining', finalizersRemaining(remaining)],
  ]);
  return whenWell.map(([type, okReason, okMessage]) => {
    const trouble = troubles.get(type);
    const [status, reason, message] =
      trouble === undefined ? ['False', okReason, okMessage] : ['True', ...trouble];
    const old = known.find((condition) => condition['type'] === type);
    if (old?.['status'] === status && old['message'] === message) return old;
    return { type, status, lastTransitionTime: at, reason, message };
  });
}

function contentRemaining(remaining: readonly Remaining[]): readonly [string, string] | undefined {
  if (remaining.length === 0) return undefined;
  // A core kind ends in a dot, as the original has it.
  const counted = remaining.map(({ kind, objects }) =>
    counts(`${kind.plural}.${kind.group} has`, objects.length),
  );
  return ['SomeResourcesRemain', `Some resources are remaining: ${counted.sort().join(', ')}`];
}

function finalizersRemaining(remaining: readonly Remaining[]): readonly [string, string] | undefined {
  const finalizers = remaining.flatMap(({ objects }) =>
    objects.flatMap(({ metadata }) => metadata.finalizers ?? []),
  );
  if (finalizers.length === 0) return undefined;
  const counted = [...new Set(finalizers)].map((one) =>
    counts(`${one} in`, finalizers.filter((other) => other === one).length),
  );
  const what = counted.sort().join(', ');
  return ['SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${what}`];
}

function counts(what: string, count: number): string {
  return `${what} ${count} resource instances`;
}
