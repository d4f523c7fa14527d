import type { FieldError } from './field-error.ts';
import type { Json, JsonObject } from './json.ts';
import { isObject, withMembers } from './json.ts';
import { pruneMeta } from './object-meta.ts';
import { prune, withDefaults } from './schema-pruning.ts';
import { validate } from './schema-validation.ts';
import type { ServedKind } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';

const typeFields = new Set(['apiVersion', 'kind', 'metadata']);

/** The object without fields that its kind does not know; their names are added to `unknown`. */
export function withoutUnknown(served: ServedKind, object: JsonObject, unknown: string[]): StoredObject {
  const metadata = pruneMeta(object['metadata'], unknown);
  const next = withMembers(object, { metadata });
  if (served.members !== undefined) return onlyMembers(next, served, unknown);
  if (served.schema === undefined) return next as unknown as StoredObject;
  return onFields(next as unknown as StoredObject, (fields) =>
    prune(served.schema ?? never(), fields, '', unknown),
  );
}

/** Of a built-in kind only the names of its members are known, not what is in them. */
function onlyMembers(
  object: JsonObject,
  { members = [], specMembers }: ServedKind,
  unknown: string[],
): StoredObject {
  const others = Object.keys(object).filter((name) => !typeFields.has(name) && !members.includes(name));
  unknown.push(...others);
  const { spec } = object;
  if (specMembers !== undefined && isObject(spec)) {
    const strangers = Object.keys(spec).filter((name) => !specMembers.includes(name));
    unknown.push(...strangers.map((name) => `spec.${name}`));
    const known = withMembers(spec, Object.fromEntries(strangers.map((name) => [name, undefined])));
    return withMembers(object, { ...absent(others), spec: known }) as unknown as StoredObject;
  }
  return withMembers(object, absent(others)) as unknown as StoredObject;
}

function absent(names: readonly string[]): Readonly<Record<string, undefined>> {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

export function defaulted(served: ServedKind, object: StoredObject): StoredObject {
  const { schema } = served;
  return schema?.hasDefaults === true ? onFields(object, (fields) => withDefaults(schema, fields)) : object;
}

export function contentErrors(
  served: ServedKind,
  object: StoredObject,
  old: StoredObject | undefined,
  subresource?: 'status',
): readonly FieldError[] {
  const { schema } = served;
  if (schema === undefined) return [];
  const status = schema.properties?.get('status');
  if (subresource === 'status' && status !== undefined) {
    // fact: customresource/status_strategy.go judges the status by itself, and its texts do not say where it stands.
    const errors = validate(
      status,
      (object['status'] ?? {}) as Json,
      (old?.['status'] ?? undefined) as Json | undefined,
      '',
    );
    return errors.map((error) => ({
      ...error,
      field: error.field === '<nil>' ? error.field : `status.${error.field}`,
    }));
  }
  return validate(schema, object as unknown as Json, old as unknown as Json | undefined, '');
}

/** Applies a change to all but apiVersion, kind and metadata, which have rules of their own. */
function onFields(object: StoredObject, change: (fields: Json) => Json): StoredObject {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object)) if (!typeFields.has(name)) fields[name] = value;
  const changed = change(fields as Json) as JsonObject;
  if (changed === fields) return object;
  const gone = Object.keys(fields).filter((name) => !(name in changed));
  return withMembers(object, { ...changed, ...Object.fromEntries(gone.map((name) => [name, undefined])) });
}

function never(): never {
  throw new TypeError('unreachable');
}
