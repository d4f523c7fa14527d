import { Type, type TSchema } from 'typebox';

/**
 * Building blocks without upper bounds, for Forklift's kinds alone: what Forklift's own schemas accept must be accepted here too
 * (forklift-api.md 1.1). Our own kind uses the bounded ones of model/schema.ts.
 */

interface Described {
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

export const openText = (options: Described = {}) => Type.String({ ...options });

export const openTime = (options: Described = {}) => Type.String({ format: 'date-time', ...options });

export const openList = <S extends TSchema>(items: S, options: Described = {}) =>
  Type.Array(items, { ...options });

export const openMap = (options: Described = {}) =>
  Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string' },
    ...options,
  });

/** A Go int: the CRD shows no format for it, where int64 would be a difference. */
export const plainInt = (options: Described = {}) => Type.Integer({ ...options });

export const int32 = (options: Described = {}) => Type.Integer({ format: 'int32', ...options });

const bounds = ['maxLength', 'maxItems', 'maxProperties'];

/** The same schema, and the same type, without upper bounds: for parts that our own kind shares with Forklift's. */
export function unbounded<S extends TSchema>(schema: S): S {
  return strip(schema) as S;
}

/** Copies with descriptors, because TypeBox keeps its own marks in properties that are not enumerable. */
function strip(schema: object): object {
  const copy = Object.create(Object.prototype, Object.getOwnPropertyDescriptors(schema)) as Record<
    string,
    unknown
  >;
  for (const keyword of bounds) Reflect.deleteProperty(copy, keyword);
  for (const keyword of ['items', 'additionalProperties']) {
    const child = copy[keyword];
    if (typeof child === 'object' && child !== null) copy[keyword] = strip(child);
  }
  const properties = copy['properties'];
  if (typeof properties === 'object' && properties !== null) {
    copy['properties'] = Object.fromEntries(
      Object.entries(properties).map(([name, child]) => [name, strip(child as object)]),
    );
  }
  return copy;
}
