import type { JsonSchema } from '../../api/external/core.ts';

/** Short words for schemas of other people's kinds. */
export const text = { type: 'string' } as const;
export const bool = { type: 'boolean' } as const;
export const int = { type: 'integer' } as const;
export const time = { type: 'string', format: 'date-time' } as const;
export const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const;

export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}

export function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

export function map(values: JsonSchema): JsonSchema & { readonly additionalProperties: JsonSchema } {
  return { type: 'object', additionalProperties: values };
}

export function oneOf(...words: readonly string[]): JsonSchema & { readonly enum: readonly string[] } {
  return { type: 'string', enum: words };
}

export function nullable(schema: JsonSchema): JsonSchema & { readonly nullable: true } {
  return { ...schema, nullable: true };
}
