import type { Json } from './json.ts';
import { isList, isObject, sameJson, withMembers } from './json.ts';
import { badRequest, patchNotApplicable } from './refusal.ts';

/** Both patches leave the old value as it was and share with the new one whatever they do not touch. */

/** RFC 7386. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const base = isObject(target) ? target : {};
  const changes = Object.entries(patch).flatMap(([name, value]): [string, Json | undefined][] => {
    if (value === undefined) return [];
    const old = Object.hasOwn(base, name) ? base[name] : undefined;
    const next = value === null ? undefined : mergePatch(old, value);
    return [[name, next !== undefined && sameJson(old, next) ? old : next]];
  });
  return withMembers(base, Object.fromEntries(changes));
}

/** RFC 6902, all or nothing. Throws Refusal 400 for a patch that is none, 422 for one that does not fit the object. */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!isList(patch)) {
    throw badRequest(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
  }
  return patch.reduce<Json>((value, operation) => applyOne(value, operation), target);
}

function applyOne(target: Json, operation: Json): Json {
  if (!isObject(operation)) throw badRequest('json: cannot unmarshal a patch operation');
  const path = pointer(operation['path']);
  const { op, value } = operation;
  switch (op) {
    case 'add':
      return set(target, path, defined(value), 'add');
    case 'replace':
      // fact: evanphx/json-patch: a member that is not there is no obstacle, an item that is not there is.
      if (path.length === 0) return defined(value);
      holderOf(target, path);
      return set(target, path, defined(value), 'replace');
    case 'remove':
      valueAt(target, path);
      return set(target, path, undefined, 'replace');
    case 'test':
      if (!sameJson(optionalAt(target, path) ?? null, value ?? null)) throw patchNotApplicable();
      return target;
    case 'move': {
      const from = pointer(operation['from']);
      const moved = valueAt(target, from);
      return set(set(target, from, undefined, 'replace'), path, moved, 'add');
    }
    case 'copy':
      return set(target, path, valueAt(target, pointer(operation['from'])), 'add');
    default:
      throw patchNotApplicable();
  }
}

function defined(value: Json | undefined): Json {
  return value ?? null;
}

function pointer(path: Json | undefined): readonly string[] {
  if (typeof path !== 'string') throw patchNotApplicable();
  // fact: evanphx/json-patch: what stands before the first slash is not looked at.
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function optionalAt(target: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = target;
  for (const token of path) {
    if (isList(value)) value = value[placeOf(token, value.length)];
    else if (isObject(value)) value = value[token];
    else return undefined;
  }
  return value;
}

/** Throws Refusal where the object or list that a path ends in is not there. */
function holderOf(target: Json, path: readonly string[]): void {
  const holder = optionalAt(target, path.slice(0, -1));
  if (!isList(holder) && !isObject(holder)) throw patchNotApplicable();
}

function valueAt(target: Json, path: readonly string[]): Json {
  const value = optionalAt(target, path);
  if (value === undefined) throw patchNotApplicable();
  return value;
}

type Mode = 'add' | 'replace';

/** `value` undefined removes. */
function set(target: Json, path: readonly string[], value: Json | undefined, mode: Mode): Json {
  const [token, ...rest] = path;
  if (token === undefined) {
    if (value === undefined) throw patchNotApplicable();
    return value;
  }
  if (isList(target)) return setItem(target, token, rest, value, mode);
  if (!isObject(target)) throw patchNotApplicable();
  if (rest.length === 0) {
    const old = target[token];
    return withMembers(target, { [token]: value !== undefined && sameJson(old, value) ? old : value });
  }
  const child = target[token];
  if (child === undefined) throw patchNotApplicable();
  return withMembers(target, { [token]: set(child, rest, value, mode) });
}

/** fact: evanphx/json-patch counts negative places from the end. NaN for what is no place. */
function placeOf(token: string, length: number): number {
  const place = Number(/^-?(0|[1-9]\d*)$/.exec(token)?.[0] ?? NaN);
  return place < 0 ? length + place : place;
}

function setItem(
  target: readonly Json[],
  token: string,
  rest: readonly string[],
  value: Json | undefined,
  mode: Mode,
): Json {
  const inserts = mode === 'add' && rest.length === 0;
  const index = token === '-' && inserts ? target.length : placeOf(token, target.length);
  if (!(index >= 0 && index < target.length + (inserts ? 1 : 0))) throw patchNotApplicable();
  const next = [...target];
  if (rest.length > 0) next[index] = set(target[index] ?? null, rest, value, mode);
  else if (value === undefined) next.splice(index, 1);
  else next.splice(index, inserts ? 0 : 1, value);
  return next;
}
