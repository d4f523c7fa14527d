import type { JsonPatch } from '../../api/meta.ts';
import { pointerToken } from '../../api/meta.ts';
import { isEqualJson } from '../../kube/merge-patch.ts';

type Members = Readonly<Record<string, unknown>>;
interface Entry {
  readonly id?: string;
}

/**
 * The JSON patch that makes the status of a Plan or a Migration what it is to be, in one request for any number of VMs (review.md F49):
 * an entry of a `vms` list is replaced by its place, and tested by its id, so that a patch made for another order of the list is refused
 * and not applied to the wrong VM. Empty: nothing to write. `before` undefined: there is no status yet.
 */
export function statusPatch(before: object | undefined, after: object): JsonPatch {
  if (before === undefined) return [{ op: 'add', path: '/status', value: after }];
  return memberPatch('/status', before as Members, after as Members);
}

function memberPatch(path: string, before: Members, after: Members): JsonPatch {
  const removed = Object.keys(before).filter((key) => before[key] !== undefined && after[key] === undefined);
  const kept = Object.entries(after).filter(([, value]) => value !== undefined);
  return [
    ...removed.map((key) => ({ op: 'remove' as const, path: `${path}/${pointerToken(key)}` })),
    ...kept.flatMap(([key, value]) => valuePatch(`${path}/${pointerToken(key)}`, key, before[key], value)),
  ];
}

function valuePatch(path: string, key: string, before: unknown, after: unknown): JsonPatch {
  if (isEqualJson(before, after)) return [];
  if (before === undefined) return [{ op: 'add', path, value: after }];
  if (key === 'vms' && isSameOrder(before, after))
    return entriesPatch(path, before as readonly Entry[], after as readonly Entry[]);
  if (key === 'migration' && isMembers(before) && isMembers(after)) return memberPatch(path, before, after);
  return [{ op: 'replace', path, value: after }];
}

function entriesPatch(path: string, before: readonly Entry[], after: readonly Entry[]): JsonPatch {
  return after.flatMap((entry, index) =>
    isEqualJson(before[index], entry)
      ? []
      : [
          { op: 'test' as const, path: `${path}/${index}/id`, value: entry.id },
          { op: 'replace' as const, path: `${path}/${index}`, value: entry },
        ],
  );
}

/** The same VMs at the same places, each with an id to test. */
function isSameOrder(before: unknown, after: unknown): boolean {
  if (!Array.isArray(before) || !Array.isArray(after) || before.length !== after.length) return false;
  return after.every((entry: Entry, index) => {
    const old = before[index] as Entry | undefined;
    return entry.id !== undefined && entry.id === old?.id;
  });
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
