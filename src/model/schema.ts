import { Type, type Static, type TSchema } from 'typebox';

/**
 * The few building blocks from which every schema of Gantry is made. Each one is bounded: a CRD that compares a field with its
 * old value in CEL is refused by a real API server when a string, list or map in it has no upper bound (design: import.md 3.1).
 */

export type { TSchema } from 'typebox';

/** Readonly all the way down: data that crosses a wall in this code base is never changed by who receives it. */
export type DeepReadonly<T> = T extends readonly (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

export type StaticOf<S extends TSchema> = DeepReadonly<Static<S>>;

interface Described {
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

/** A string of at most `maxLength` characters. */
export const text = (
  maxLength: number,
  options: Described & { readonly pattern?: string; readonly minLength?: number } = {},
) => Type.String({ maxLength, ...options });

/** An RFC 3339 time. */
export const dateTime = (options: Described = {}) =>
  Type.String({ format: 'date-time', maxLength: 64, ...options });

/** A whole number that fits a JavaScript number exactly; written to the CRD as int64. */
export const int = (options: Described & { readonly minimum?: number; readonly maximum?: number } = {}) =>
  Type.Integer({ format: 'int64', ...options });

export const number = (options: Described & { readonly minimum?: number; readonly maximum?: number } = {}) =>
  Type.Number({ ...options });

export const bool = (options: Described & { readonly default?: boolean } = {}) =>
  Type.Boolean({ ...options });

/** One of a closed list of words. */
export const choice = <const T extends readonly string[]>(
  words: T,
  options: Described & { readonly default?: T[number] } = {},
) => Type.Unsafe<T[number]>({ type: 'string', enum: [...words], ...options });

export const list = <S extends TSchema>(items: S, maxItems: number, options: Described = {}) =>
  Type.Array(items, { maxItems, ...options });

/** A map from strings to one kind of value. */
export const mapOf = <S extends TSchema>(values: S, maxProperties: number, options: Described = {}) =>
  Type.Unsafe<Record<string, Static<S>>>({
    type: 'object',
    additionalProperties: values,
    maxProperties,
    ...options,
  });

export const optional = Type.Optional;
export const object = Type.Object;
