import type { FieldError } from './field-error.ts';
import type { Json, JsonObject } from './json.ts';
import { withMembers } from './json.ts';
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
  if (served.schema === undefined) return next as unknown as StoredObject;
  return onFields(next as unknown as StoredObject, (fields) =>
    prune(served.schema ?? never(), fields, '', unknown),
  );
}

export function defaulted(served: ServedKind, object: StoredObject): StoredObject {
  const { schema } = served;
  return schema?.hasDefaults === true ? onFields(object, (fields) => withDefaults(schema, fields)) : object;
}

export function contentErrors(
  served: ServedKind,
  object: StoredObject,
  old: StoredObject | undefined,
): readonly FieldError[] {
  const { schema } = served;
  if (schema === undefined) return [];
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
