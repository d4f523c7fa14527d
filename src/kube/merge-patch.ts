/** A JSON value as it stands in an object: an absent member is undefined, never null (a merge patch says "remove" by null). */
type Json = unknown;

/** The document that results when `patch` is applied to `target` (RFC 7386). Neither is changed. */
export function applyMerge(target: Json, patch: Json): Json {
  if (!isRecord(patch)) return patch;
  const result: Record<string, Json> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else if (value !== undefined) define(result, key, applyMerge(ownValue(result, key), value));
  }
  return result;
}

/**
 * The smallest merge patch that makes `after` of `before`; undefined when they are equal already, so that nothing needs to be sent.
 * Arrays are replaced whole. Members that are null or undefined in `after` count as absent, since a merge patch cannot set null.
 */
export function diffMerge(before: object, after: object): object | undefined {
  const patch = diffRecords(
    before as Readonly<Record<string, Json>>,
    after as Readonly<Record<string, Json>>,
  );
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function diffRecords(before: Readonly<Record<string, Json>>, after: Readonly<Record<string, Json>>): object {
  const patch: Record<string, Json> = {};
  for (const key of Object.keys(before)) {
    if (isPresent(before[key]) && !isPresent(ownValue(after, key))) define(patch, key, null);
  }
  for (const [key, wanted] of Object.entries(after)) {
    if (!isPresent(wanted)) continue;
    const held = ownValue(before, key);
    if (isRecord(held) && isRecord(wanted)) {
      const inner = diffRecords(held, wanted);
      if (Object.keys(inner).length > 0) define(patch, key, inner);
    } else if (!isEqualJson(held, wanted)) define(patch, key, withoutNulls(wanted));
  }
  return patch;
}

/** Deep equality of JSON; members that are null or undefined count as absent, except in arrays, where each place counts. */
export function isEqualJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => isEqualJson(item, b[i]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => {
    const [left, right] = [ownValue(a, key), ownValue(b, key)];
    return isPresent(left) ? isEqualJson(left, right) : !isPresent(right);
  });
}

/** A new member goes into the patch whole; a null deep in it would read as "remove". */
function withoutNulls(value: Json): Json {
  if (!isRecord(value)) return value;
  const result: Record<string, Json> = {};
  for (const [key, member] of Object.entries(value)) {
    if (isPresent(member)) define(result, key, withoutNulls(member));
  }
  return result;
}

function isPresent(value: Json): boolean {
  return value !== undefined && value !== null;
}

function isRecord(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Label and annotation keys come from users: "__proto__" and "constructor" are keys like any other. */
function ownValue(record: Readonly<Record<string, Json>>, key: string): Json {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function define(record: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
}
