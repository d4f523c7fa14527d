import { CelRule } from './cel-rule.ts';
import type { Json } from './json.ts';
import { isObject } from './json.ts';

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';

/** A structural schema (the subset of OpenAPI v3 that a CRD may hold), read once so that requests only walk it. */
export interface SchemaNode {
  /** Absent: anything goes, as for int-or-string. */
  readonly type: SchemaType | undefined;
  readonly properties: ReadonlyMap<string, SchemaNode> | undefined;
  readonly required: readonly string[];
  /** Of the values of a map. */
  readonly additional: SchemaNode | undefined;
  readonly items: SchemaNode | undefined;
  readonly preservesUnknown: boolean;
  readonly nullable: boolean;
  readonly defaultValue: Json | undefined;
  /** A default somewhere in it, itself included. */
  readonly hasDefaults: boolean;
  readonly enumeration: readonly Json[] | undefined;
  readonly format: string | undefined;
  readonly pattern: { readonly source: string; readonly test: RegExp } | undefined;
  readonly limits: Limits;
  readonly rules: readonly CelRule[];
}

export type LimitName =
  | 'minimum'
  | 'maximum'
  | 'minLength'
  | 'maxLength'
  | 'minItems'
  | 'maxItems'
  | 'minProperties'
  | 'maxProperties';
export type Limits = Readonly<Partial<Record<LimitName, number>>>;

const limitNames: readonly LimitName[] = [
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
];

interface Source {
  readonly [keyword: string]: unknown;
}

/** Reads the JSON of a schema. Throws TypeError for a keyword that would silently not be checked. */
export function readSchema(source: object): SchemaNode {
  const schema = source as Source;
  for (const keyword of ['oneOf', 'anyOf', 'allOf', 'not', '$ref', 'const', 'multipleOf', 'uniqueItems']) {
    if (keyword in schema) throw new TypeError(`schema keyword ${keyword} is not known here`);
  }
  const properties = members(schema['properties']);
  const additional = isObject(schema['additionalProperties'])
    ? readSchema(schema['additionalProperties'])
    : undefined;
  const items = isObject(schema['items']) ? readSchema(schema['items']) : undefined;
  const below = [...(properties?.values() ?? []), additional, items];
  const defaultValue = schema['default'] as Json | undefined;
  const pattern = schema['pattern'];
  const rules = (schema['x-kubernetes-validations'] ?? []) as ConstructorParameters<typeof CelRule>[0][];
  return {
    type: schema['type'] as SchemaType | undefined,
    properties,
    required: (schema['required'] ?? []) as readonly string[],
    additional,
    items,
    preservesUnknown: schema['x-kubernetes-preserve-unknown-fields'] === true,
    nullable: schema['nullable'] === true,
    defaultValue,
    hasDefaults: defaultValue !== undefined || below.some((node) => node?.hasDefaults === true),
    enumeration: schema['enum'] as readonly Json[] | undefined,
    format: schema['format'] as string | undefined,
    pattern: typeof pattern === 'string' ? { source: pattern, test: new RegExp(pattern, 'u') } : undefined,
    limits: limitsOf(schema),
    rules: rules.map((rule) => new CelRule(rule)),
  };
}

function members(properties: unknown): ReadonlyMap<string, SchemaNode> | undefined {
  if (!isObject(properties)) return undefined;
  return new Map(Object.entries(properties).map(([name, node]) => [name, readSchema(node as object)]));
}

function limitsOf(schema: Source): Limits {
  return Object.fromEntries(
    limitNames.flatMap((name) => (typeof schema[name] === 'number' ? [[name, schema[name]]] : [])),
  );
}
