import { structType, type FieldType } from './vim-schema.ts';
import { isList, isVimObject, type VimObject, type VimValue } from './vim-value.ts';

/** `config.hardware.device[4000].backing`: names, and in brackets the key of one element of a list (fact: vs 1.4). */
export interface PathStep {
  readonly field: string;
  readonly key?: number;
}

export function parsePath(path: string): readonly PathStep[] {
  return path.split('.').map((part) => {
    const match = /^([^[\]]+)\[(\d+)\]$/.exec(part);
    return match === null ? { field: part } : { field: match[1] ?? part, key: Number(match[2]) };
  });
}

/**
 * The field that a path ends in; undefined when there is no such property. By the declared types; where `root` is given, by the types of
 * what really stands there, which may be subclasses with more fields.
 */
export function declaredAt(type: string, path: string, root?: VimObject): FieldType | undefined {
  let struct = structType(type);
  let value: VimValue | undefined = root;
  let found: FieldType | undefined;
  for (const step of parsePath(path)) {
    const declared = struct?.byName.get(step.field);
    if (declared === undefined || (step.key !== undefined && !declared.many)) return undefined;
    found = step.key === undefined ? declared : { ...declared, many: false };
    value = isVimObject(value) ? valueAt(value, [step]) : undefined;
    const actual = isVimObject(value) ? value.$type : declared.type;
    struct = declared.kind === 'data' ? structType(actual) : undefined;
  }
  return found;
}

export function valueAt(root: VimObject, steps: readonly PathStep[]): VimValue | undefined {
  let value: VimValue | undefined = root;
  for (const step of steps) {
    if (!isVimObject(value)) return undefined;
    value = value[step.field];
    if (step.key !== undefined) value = elementOf(value, step.key);
  }
  return value;
}

/** A copy of `root` with the value at the path replaced, unset (undefined), or, for an element of a list, added or taken out. */
export function withValueAt(
  root: VimObject,
  steps: readonly PathStep[],
  value: VimValue | undefined,
): VimObject {
  const [step, ...rest] = steps;
  if (step === undefined) throw new Error('an empty property path');
  const current = root[step.field];
  const inner = (before: VimValue | undefined): VimValue | undefined => {
    if (rest.length === 0) return value;
    if (!isVimObject(before)) throw new Error(`nothing at ${step.field} to change`);
    return withValueAt(before, rest, value);
  };
  if (step.key === undefined) return { ...root, [step.field]: inner(current) };
  const list = isList(current) ? current : [];
  const at = list.findIndex((item) => keyOf(item) === step.key);
  const changed = inner(at < 0 ? undefined : list[at]);
  const others = list.filter((_, index) => index !== at);
  const next = changed === undefined ? others : at < 0 ? [...list, changed] : list.with(at, changed);
  return { ...root, [step.field]: next };
}

function elementOf(list: VimValue | undefined, key: number): VimValue | undefined {
  return isList(list) ? list.find((item) => keyOf(item) === key) : undefined;
}

function keyOf(item: VimValue): VimValue | undefined {
  return isVimObject(item) ? item['key'] : undefined;
}

/** `a.b` lies within `a`; `a[1]` and `a[1].b` lie within `a`. A path lies within itself. */
export function liesWithin(path: string, outer: string): boolean {
  return (
    path === outer || (path.startsWith(outer) && (path[outer.length] === '.' || path[outer.length] === '['))
  );
}
