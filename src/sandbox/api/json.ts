/** Plain JSON, as it is stored. Nothing that is stored is ever changed: a write makes a new value that shares what stayed the same. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** As Go prints a value: text as it is, nothing as "", anything deep as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

/** What would arrive over a wire: no `undefined`, no classes, nothing shared with the sender. */
export function received(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** A copy of something stored, for someone who may change it. */
export function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    const member = value[key];
    if (member !== undefined) setMember(copy, key, copyOf(member));
  }
  return copy as T;
}

/** "__proto__" is a key like any other, of a ConfigMap's data for one. */
function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Equal as JSON: the order of keys does not count, and shared parts are compared by identity first. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  const others = Object.keys(b).filter((key) => b[key] !== undefined);
  return keys.length === others.length && keys.every((key) => key in b && sameJson(a[key], b[key]));
}

/** The object with some members replaced, or dropped where the value is undefined; the same object when nothing changes. */
export function withMembers<T extends object>(object: T, changes: Readonly<Record<string, unknown>>): T {
  const current = object as Readonly<Record<string, unknown>>;
  if (Object.entries(changes).every(([key, value]) => current[key] === value)) return object;
  const next: Record<string, unknown> = { ...current };
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) Reflect.deleteProperty(next, key);
    else setMember(next, key, value);
  }
  return next as T;
}
