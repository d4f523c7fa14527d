/** What a template computes with. A missing value is Go's nil. */
export type Value = string | number | boolean | undefined;

/** Go's rule of "if": empty text, zero, false and nil do not hold. */
export function isTrue(value: Value): boolean {
  return value !== undefined && value !== '' && value !== 0 && value !== false;
}

export function toText(value: Value): string {
  return value === undefined ? '<no value>' : String(value);
}

export function typeName(value: Value): string {
  if (value === undefined) return 'nil';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return typeof value === 'boolean' ? 'bool' : 'string';
}
