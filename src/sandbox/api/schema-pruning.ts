import type { Json, JsonObject } from './json.ts';
import { isList, isObject } from './json.ts';
import type { SchemaNode } from './schema-node.ts';

/** What pruning took away, as the API server names it: "spec.vms[0].nme". */
export type UnknownFields = string[];

/**
 * The value without members that the schema does not know, and without nulls where null is not allowed (fact: CRDs prune both before
 * defaults are set). Returns the same value when there is nothing to take away, so that unchanged parts stay shared.
 */
export function prune(node: SchemaNode, value: Json, path: string, unknown: UnknownFields): Json {
  if (isList(value)) {
    const { items } = node;
    return items === undefined
      ? value
      : mapList(value, (item, i) => prune(items, item, `${path}[${i}]`, unknown));
  }
  if (!isObject(value)) return value;
  return mapMembers(value, (name, member) => {
    const child = node.properties?.get(name) ?? node.additional;
    const at = path === '' ? name : `${path}.${name}`;
    if (child === undefined) {
      if (node.preservesUnknown || node.type === undefined) return member;
      unknown.push(at);
      return undefined;
    }
    if (member === null && !child.nullable && child.type !== undefined) return undefined;
    return prune(child, member, at, unknown);
  });
}

/** The value with the schema's defaults in it, at every depth that exists or that a default itself makes exist. */
export function withDefaults(node: SchemaNode, value: Json): Json {
  if (!node.hasDefaults) return value;
  if (isList(value)) {
    const { items } = node;
    return items === undefined ? value : mapList(value, (item) => withDefaults(items, item));
  }
  if (!isObject(value)) return value;
  let result = value;
  for (const [name, child] of node.properties ?? []) {
    if (child.defaultValue === undefined || (result[name] !== undefined && result[name] !== null)) continue;
    if (result === value) result = { ...value };
    (result as Record<string, Json>)[name] = child.defaultValue;
  }
  return mapMembers(result, (name, member) => {
    const child = node.properties?.get(name) ?? node.additional;
    return child === undefined ? member : withDefaults(child, member);
  });
}

function mapList(list: readonly Json[], change: (item: Json, index: number) => Json): readonly Json[] {
  let result: Json[] | undefined;
  for (const [index, item] of list.entries()) {
    const next = change(item, index);
    if (next !== item) result ??= [...list];
    if (result !== undefined) result[index] = next;
  }
  return result ?? list;
}

function mapMembers(
  object: JsonObject,
  change: (name: string, member: Json) => Json | undefined,
): JsonObject {
  let result: Record<string, Json | undefined> | undefined;
  for (const name of Object.keys(object)) {
    const member = object[name];
    if (member === undefined) continue;
    const next = change(name, member);
    if (next === member) continue;
    result ??= { ...object };
    if (next === undefined) Reflect.deleteProperty(result, name);
    else result[name] = next;
  }
  return result ?? object;
}
