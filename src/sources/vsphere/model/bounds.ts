import type { Json } from '../../../model/vm.ts';
import { asText, asWhole } from '../soap/values.ts';

/** A platform's text inside what the model's schema allows. */
export function clip(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : text.slice(0, maxLength);
}

export function clipped(value: Json | undefined, maxLength: number): string | undefined {
  const text = asText(value);
  return text === undefined ? undefined : clip(text, maxLength);
}

/** A whole number of at least `minimum`; what is absent or absurd becomes the minimum. */
export function atLeast(value: Json | undefined, minimum: number): number {
  return Math.max(minimum, asWhole(value) ?? minimum);
}

/** For optional members: an object without it when it is undefined. */
export function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
