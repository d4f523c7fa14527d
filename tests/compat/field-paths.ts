import type { Field } from './golden-parts.ts';

/** What is said of one field, in one comparable form; keys that a schema does not give are absent. */
export type FieldFacts = Readonly<Record<string, unknown>>;

const words: readonly (readonly [keyword: string, fact: string])[] = [
  ['type', 'type'],
  ['format', 'format'],
  ['default', 'default'],
  ['pattern', 'pattern'],
  ['minLength', 'minLength'],
  ['maxLength', 'maxLength'],
  ['minimum', 'minimum'],
  ['maximum', 'maximum'],
  ['minItems', 'minItems'],
  ['maxItems', 'maxItems'],
  ['maxProperties', 'maxProperties'],
  ['x-kubernetes-map-type', 'mapType'],
  ['x-kubernetes-list-type', 'listType'],
  ['x-kubernetes-validations', 'validations'],
  ['x-kubernetes-preserve-unknown-fields', 'preserve'],
];

/** A node of an OpenAPI schema as YAML gives it. */
export interface SchemaNode {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode;
  readonly enum?: readonly string[];
}

/** Every field path of a schema ("spec.map[].source", "spec.settings{}"), with what the schema says of it. */
export function schemaPaths(node: SchemaNode, path: string, required = false): Map<string, FieldFacts> {
  const facts: Record<string, unknown> = { required };
  for (const [keyword, fact] of words) if (node[keyword] !== undefined) facts[fact] = node[keyword];
  if (node.enum !== undefined) facts['enum'] = [...node.enum].sort();
  const paths = new Map<string, FieldFacts>([[path, facts]]);
  const add = (more: Map<string, FieldFacts>) => more.forEach((value, key) => paths.set(key, value));
  for (const [name, child] of Object.entries(node.properties ?? {}))
    add(schemaPaths(child, `${path}.${name}`, node.required?.includes(name) ?? false));
  if (node.items !== undefined) add(schemaPaths(node.items, `${path}[]`));
  if (node.additionalProperties !== undefined) add(schemaPaths(node.additionalProperties, `${path}{}`));
  return paths;
}

/** The same for the golden data. */
export function goldenPaths(field: Field, path: string): Map<string, FieldFacts> {
  const { fields, items, values, required = false, enum: closed, ...facts } = field;
  const paths = new Map<string, FieldFacts>([
    [path, { required, ...facts, ...(closed === undefined ? {} : { enum: [...closed].sort() }) }],
  ]);
  const add = (more: Map<string, FieldFacts>) => more.forEach((value, key) => paths.set(key, value));
  for (const [name, child] of Object.entries(fields ?? {})) add(goldenPaths(child, `${path}.${name}`));
  if (items !== undefined) add(goldenPaths(items, `${path}[]`));
  if (values !== undefined) add(goldenPaths(values, `${path}{}`));
  return paths;
}
