import type { Json } from '../../model/vm.ts';
import { asFlag, asList, asMoRef, asText, member, type MoRef } from './soap/values.ts';

export interface ObjectChange {
  readonly kind: 'enter' | 'modify' | 'leave';
  readonly ref: MoRef;
  readonly set: readonly (readonly [string, Json])[];
  readonly unset: readonly string[];
}
export interface UpdatePage {
  readonly version: string;
  /** More of the same set of changes is waiting: the inventory is consistent only after a page that is not truncated. */
  readonly truncated: boolean;
  readonly changes: readonly ObjectChange[];
}

/** undefined: the wait was over and nothing had changed (fact: vs 1.4). */
export function updatePageOf(returnval: Json | undefined): UpdatePage | undefined {
  const version = asText(member(returnval, 'version'));
  if (version === undefined) return undefined;
  return {
    version,
    truncated: asFlag(member(returnval, 'truncated')) ?? false,
    changes: asList(member(returnval, 'filterSet'))
      .flatMap((filter) => asList(member(filter, 'objectSet')))
      .flatMap((update) => changeOf(update)),
  };
}

function changeOf(update: Json): readonly ObjectChange[] {
  const ref = asMoRef(member(update, 'obj'));
  const kind = asText(member(update, 'kind'));
  if (ref === undefined || (kind !== 'enter' && kind !== 'modify' && kind !== 'leave')) return [];
  const set: [string, Json][] = [];
  const unset: string[] = [];
  for (const change of asList(member(update, 'changeSet'))) {
    const name = asText(member(change, 'name'));
    const op = asText(member(change, 'op'));
    const value = member(change, 'val');
    if (name === undefined) continue;
    // An assignment of nothing is how a property becomes unset.
    if (value === undefined || op === 'remove' || op === 'indirectRemove') unset.push(name);
    else set.push([name, value]);
  }
  return [{ kind, ref, set, unset }];
}
