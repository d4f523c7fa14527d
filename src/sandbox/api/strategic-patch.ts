import type { Json, JsonObject } from './json.ts';
import { isList, isObject, sameJson, textOf, withMembers } from './json.ts';
import { badRequest, Refusal } from './refusal.ts';
import { mergePatch } from './patch.ts';

/**
 * The strategic merge patch of Kubernetes' own kinds (fact: apimachinery pkg/util/strategicpatch). A merge patch, but for lists whose items
 * have a name: those are merged item by item. The names are of the fields that the kinds served here have; every other list is replaced.
 */
const mergeKeys: Readonly<Record<string, string>> = {
  ownerReferences: 'uid',
  conditions: 'type',
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  ports: 'containerPort',
  imagePullSecrets: 'name',
};
const mergedTexts = new Set(['finalizers']);

const directive = '$patch';
const deletion = '$deleteFromPrimitiveList/';
const order = '$setElementOrder/';

/** Throws Refusal 400 for a patch that is no object, 500 for an item without the key of its list. */
export function strategicPatch(target: Json, patch: Json): Json {
  if (isObject(patch)) return mergedObject(isObject(target) ? target : {}, patch) ?? {};
  const type = isList(patch) ? 'array' : typeof patch;
  throw badRequest(`json: cannot unmarshal ${type} into Go value of type map[string]interface {}`);
}

/** Undefined: the patch deletes it. */
function mergedObject(target: JsonObject, patch: JsonObject): JsonObject | undefined {
  const { [directive]: what, ...rest } = patch;
  if (what === 'delete') return undefined;
  if (what === 'replace') return mergePatch({}, rest) as JsonObject;
  if (what !== undefined && what !== 'merge') throw unknownDirective(patch);
  const changes: Record<string, Json | undefined> = {};
  const orders: (readonly [string, readonly Json[]])[] = [];
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    if (name.startsWith(order)) orders.push([name.slice(order.length), isList(value) ? value : []]);
    else if (name.startsWith(deletion)) {
      const field = name.slice(deletion.length);
      changes[field] = without(changes[field] ?? target[field], isList(value) ? value : []);
    } else changes[name] = mergedMember(name, changes[name] ?? target[name], value);
  }
  for (const [name, wanted] of orders) {
    const list = name in changes ? changes[name] : target[name];
    if (isList(list)) changes[name] = ordered(list, wanted, mergeKeys[name]);
  }
  return withMembers(target, changes);
}

function mergedMember(name: string, old: Json | undefined, value: Json): Json | undefined {
  if (value === null) return undefined;
  if (isObject(value)) {
    // A directive for what is not there is passed over, known or not.
    if (isObject(old)) return kept(old, mergedObject(old, value));
    const { [directive]: _, ...rest } = value;
    return mergedObject({}, rest);
  }
  if (!isList(value)) return value;
  const before = isList(old) ? old : [];
  if (mergedTexts.has(name)) {
    // What is new comes first.
    return kept(old, [...value.filter((item) => !before.includes(item)), ...before]);
  }
  const key = mergeKeys[name];
  return key === undefined ? kept(old, value) : kept(old, mergedList(before, value, key));
}

function kept(old: Json | undefined, value: Json | undefined): Json | undefined {
  return old !== undefined && sameJson(old, value) ? old : value;
}

function mergedList(before: readonly Json[], patch: readonly Json[], key: string): readonly Json[] {
  const items = patch.map((item) => (isObject(item) ? item : {}));
  const isReplacing = items.some((item) => item[directive] === 'replace');
  let result = isReplacing ? [] : [...before];
  const added: Json[] = [];
  for (const item of items) {
    const { [directive]: what, ...rest } = item;
    if (what === 'replace' && Object.keys(rest).length === 0) continue;
    const name = rest[key];
    if (name === undefined) throw withoutKey(rest, key);
    const place = result.findIndex((one) => isObject(one) && sameJson(one[key], name));
    const found = result[place];
    if (what === 'delete') result = result.filter((_, index) => index !== place);
    else if (isObject(found)) result[place] = mergedObject(found, rest) ?? {};
    else added.push(mergePatch({}, rest));
  }
  // What is new comes first.
  return [...added, ...result];
}

function without(list: Json | undefined, gone: readonly Json[]): Json | undefined {
  return isList(list) ? list.filter((item) => !gone.includes(item)) : list;
}

/** The order that is asked for; what it does not name keeps its place behind what stood before it. */
function ordered(list: readonly Json[], wanted: readonly Json[], key: string | undefined): readonly Json[] {
  const nameOf = (item: Json): string =>
    key === undefined ? textOf(item) : textOf(isObject(item) ? item[key] : undefined);
  const places = new Map(wanted.map((item, index) => [nameOf(item), index]));
  const named = list
    .filter((item) => places.has(nameOf(item)))
    .sort((a, b) => (places.get(nameOf(a)) ?? 0) - (places.get(nameOf(b)) ?? 0));
  const others = list.filter((item) => !places.has(nameOf(item)));
  return [...others, ...named];
}

/** As Go prints a map. */
function goMap(object: JsonObject): string {
  const members = Object.keys(object)
    .sort()
    .map((name) => `${name}:${textOf(object[name])}`);
  return `map[${members.join(' ')}]`;
}

function withoutKey(item: JsonObject, key: string): Refusal {
  return new Refusal(500, '', `map: ${goMap(item)} does not contain declared merge key: ${key}`);
}

function unknownDirective(patch: JsonObject): Refusal {
  return new Refusal(500, '', `unknown patch type: ${textOf(patch[directive])}`);
}
