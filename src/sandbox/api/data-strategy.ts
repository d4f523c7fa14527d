import type { FieldError } from './field-error.ts';
import { forbiddenField, invalidValue, tooLong } from './field-error.ts';
import type { Json } from './json.ts';
import { isObject, sameJson, textOf, withMembers } from './json.ts';
import { DecodeRefusal } from './refusal.ts';
import type { Strategy } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';

/** ConfigMaps and Secrets (fact: core validation, registry/core/{configmap,secret}). */

const longestDataBytes = 1024 * 1024;
const keyPattern = /^[-._a-zA-Z0-9]+$/;
const keyText =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

type Entries = Readonly<Record<string, Json | undefined>>;

function entries(object: StoredObject, field: string): Entries {
  const value = object[field];
  return isObject(value) ? value : {};
}

/** Texts where texts must stand: a null is an empty one, anything else could not be decoded. Throws Refusal 400. */
function withTexts(object: StoredObject, fields: readonly string[]): StoredObject {
  let next = object;
  for (const field of fields) {
    const value = object[field];
    if (!isObject(value)) continue;
    if (Object.keys(value).length === 0) next = withMembers(next, { [field]: undefined });
    for (const [key, member] of Object.entries(value)) {
      if (typeof member === 'string') continue;
      if (member !== null && member !== undefined) {
        const why = `json: cannot unmarshal ${typeof member} into Go struct field ${object.kind}.${field} of type string`;
        throw new DecodeRefusal({ kind: object.kind, version: 'v1' }, why);
      }
      next = withMembers(next, { [field]: withMembers(entries(next, field), { [key]: '' }) });
    }
  }
  return next;
}

function checkBase64(object: StoredObject, field: string): void {
  for (const value of Object.values(entries(object, field))) {
    const bad = textOf(value).search(/[^A-Za-z0-9+/=\n\r]/);
    if (bad >= 0) {
      const why = `illegal base64 data at input byte ${bad}`;
      throw new DecodeRefusal({ kind: object.kind, version: 'v1' }, why);
    }
  }
}

function keyErrors(object: StoredObject, field: string): readonly FieldError[] {
  return Object.keys(entries(object, field))
    .filter((key) => !keyPattern.test(key))
    .map((key) => invalidValue(`${field}[${key}]`, key, keyText));
}

function sizeOf(values: Entries, encoding: 'utf8' | 'base64'): number {
  return Object.values(values).reduce<number>(
    (sum, value) => sum + Buffer.byteLength(textOf(value), encoding),
    0,
  );
}

const immutableText = 'field is immutable when `immutable` is set';

function immutableErrors(
  object: StoredObject,
  old: StoredObject,
  fields: readonly string[],
): readonly FieldError[] {
  if (old['immutable'] !== true) return [];
  const changed = fields.filter((field) => !sameJson(object[field] ?? {}, old[field] ?? {}));
  return [
    ...(object['immutable'] === true ? [] : [forbiddenField('immutable', immutableText)]),
    ...changed.map((field) => forbiddenField(field, immutableText)),
  ];
}

function configMapErrors(object: StoredObject): readonly FieldError[] {
  const binary = entries(object, 'binaryData');
  const texts = entries(object, 'data');
  const twice = Object.keys(texts).filter((key) => key in binary);
  const size = sizeOf(texts, 'utf8') + sizeOf(binary, 'base64');
  return [
    ...keyErrors(object, 'data'),
    ...twice.map((key) => invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData')),
    ...keyErrors(object, 'binaryData'),
    ...(size > longestDataBytes ? [tooLong('[]', longestDataBytes)] : []),
  ];
}

function prepareConfigMap(object: StoredObject): StoredObject {
  checkBase64(object, 'binaryData');
  return withTexts(object, ['data']);
}

export const configMapStrategy: Strategy = {
  prepareCreate: prepareConfigMap,
  prepareUpdate: prepareConfigMap,
  validateCreate: configMapErrors,
  validateUpdate: (object, old) => [
    ...immutableErrors(object, old, ['data', 'binaryData']),
    ...configMapErrors(object),
  ],
};

/** `stringData` is a way to write `data`, and is never stored. */
function foldStringData(object: StoredObject): StoredObject {
  checkBase64(object, 'data');
  const decoded = withTexts(object, ['data', 'stringData']);
  const text = decoded['stringData'];
  const type = decoded['type'] ?? 'Opaque';
  if (!isObject(text)) return withMembers(decoded, { type, stringData: undefined });
  const encoded = Object.entries(text).map(([key, value]) => [
    key,
    Buffer.from(textOf(value)).toString('base64'),
  ]);
  const data: Json = {
    ...entries(decoded, 'data'),
    ...(Object.fromEntries(encoded) as Readonly<Record<string, string>>),
  };
  return withMembers(decoded, { type, stringData: undefined, data });
}

function secretErrors(object: StoredObject): readonly FieldError[] {
  const size = sizeOf(entries(object, 'data'), 'base64');
  return [
    ...keyErrors(object, 'data'),
    ...(size > longestDataBytes ? [tooLong('data', longestDataBytes)] : []),
  ];
}

export const secretStrategy: Strategy = {
  prepareCreate: foldStringData,
  prepareUpdate: foldStringData,
  validateCreate: secretErrors,
  validateUpdate: (object, old) => [
    ...(object['type'] === old['type'] ? [] : [invalidValue('type', object['type'], 'field is immutable')]),
    ...immutableErrors(object, old, ['data']),
    ...secretErrors(object),
  ],
};
