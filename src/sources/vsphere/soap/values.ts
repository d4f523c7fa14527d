import type { Json } from '../../../model/vm.ts';

/**
 * How vim25 data looks once decoded: plain JSON. A managed object reference is `{ type, value }`; a data object carries its xsi:type
 * in `_type` when the wire gave one. Leaves without an xsi:type stay text, because only the schema knows their type and a VM may be
 * called "007": the readers below turn them into numbers and flags where the meaning is known.
 */
export interface MoRef {
  readonly type: string;
  readonly value: string;
}
export type VimObject = Readonly<Record<string, Json>>;

export function isVimObject(value: Json | undefined): value is VimObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isMoRef(value: Json | undefined): value is Json & MoRef {
  return isVimObject(value) && typeof value['type'] === 'string' && typeof value['value'] === 'string';
}

/** Any value as an object; what is no object has no members. */
export function asObject(value: Json | undefined): VimObject {
  return isVimObject(value) ? value : {};
}

/** A member of an object, or of what should be one. */
export function member(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((at, name) => asObject(at)[name], value);
}

/** One or many, as a list: the wire does not tell a list of one from a single value. */
export function asList(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null || value === '') return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

/** undefined for absent and for empty text: vim25 leaves out what is unset, and some servers send it empty. */
export function asText(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

export function asFlag(value: Json | undefined): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  return lower === 'false' || lower === '0' ? false : undefined;
}

/** A whole number that JavaScript holds exactly, else undefined. */
export function asWhole(value: Json | undefined): number | undefined {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^-?\d+$/.test(value)
        ? Number(value)
        : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

export function asMoRef(value: Json | undefined): MoRef | undefined {
  return isMoRef(value) ? { type: value.type, value: value.value } : undefined;
}

export function typeOf(value: Json | undefined): string {
  return asText(member(value, '_type')) ?? '';
}
