import { apiVersionOf } from '../../api/meta.ts';
import { invalidValue } from './field-error.ts';
import type { Json, JsonObject } from './json.ts';
import { isList, isObject, textOf } from './json.ts';
import { badRequest, DecodeRefusal, invalid } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';

/** A body that is no JSON: its text, and what is wrong with it in the words of Go's decoder. */
export interface UnreadBody {
  readonly text: string;
  readonly why: string;
}

/** Go's words for what JSON.parse did not like. */
export function unread(text: string, error: unknown): UnreadBody {
  const message = error instanceof Error ? error.message : '';
  const place = Number(/at position (\d+)/.exec(message)?.[1] ?? Number.NaN);
  const token = /^Unexpected token '(.)'/.exec(message)?.[1];
  const isEnd = message.startsWith('Unexpected end') || place >= text.length || text === '';
  const character = token ?? text[place] ?? '';
  return {
    text,
    why: isEnd
      ? 'unexpected end of JSON input'
      : `invalid character '${character}' looking for beginning of value`,
  };
}

/** fact: apiserver handlers/rest.go: what cannot be read is shown by its first 30 bytes, in hex unless it looks like JSON. */
export function unrecognized(served: ServedKind, text: string, why: string): Error {
  const shown = text.startsWith('{') ? text : Buffer.from(text).toString('hex');
  const cut = shown.length > 30 ? `${shown.slice(0, 30)} ...` : shown;
  return badRequest(
    `the object provided is unrecognized (must be of type ${served.kind.kind}): ${why} (${text === '' ? '<empty>' : cut})`,
  );
}

const typeMeta =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
const goTypes: Readonly<Record<string, string>> = { boolean: 'bool' };

function goType(value: Json): string {
  return isList(value) ? 'array' : (goTypes[typeof value] ?? typeof value);
}

/** The body as an object of the kind that the path names. Throws Refusal for one that is of another. */
export function typed(served: ServedKind, body: Json, how: 'create' | 'put' | 'patch'): JsonObject {
  const { kind } = served;
  if (body !== null && !isObject(body)) {
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${goType(body)} into Go value of type ${typeMeta}`;
    throw unrecognized(served, JSON.stringify(body), why);
  }
  const fields = body ?? {};
  if ((body === null || served.custom) && typeof fields['kind'] !== 'string' && how !== 'patch') {
    const text = JSON.stringify(body);
    throw unrecognized(served, text, `Object 'Kind' is missing in '${text}'`);
  }
  for (const name of ['apiVersion', 'kind']) {
    const value = fields[name];
    if (value === undefined || value === null || typeof value === 'string') continue;
    const why = `json: cannot unmarshal ${goType(value)} into Go struct field .${name} of type string`;
    throw unrecognized(served, JSON.stringify(body), `couldn't get version/kind; json parse error: ${why}`);
  }
  const wanted = apiVersionOf(kind);
  const apiVersion = fields['apiVersion'] ?? (served.custom && how !== 'patch' ? '' : wanted);
  const named = fields['kind'] ?? kind.kind;
  if (served.custom)
    checkCustom(served, fields, { apiVersion: textOf(apiVersion), named: textOf(named), how });
  else checkBuiltIn(served, textOf(apiVersion), textOf(named));
  checkMeta(served, fields['metadata']);
  return { ...fields, apiVersion, kind: named };
}

/** fact: customresource/validator.go: of the same group and version, another kind is a field that is wrong; a patch may not change either. */
function checkCustom(
  served: ServedKind,
  body: JsonObject,
  { apiVersion, named, how }: { readonly apiVersion: string; readonly named: string; readonly how: string },
): void {
  const { kind } = served;
  const wanted = apiVersionOf(kind);
  if (apiVersion !== wanted && how !== 'patch') {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`,
    );
  }
  const errors = [
    ...(named === kind.kind ? [] : [invalidValue('kind', named, `must be ${kind.kind}`)]),
    ...(apiVersion === wanted ? [] : [invalidValue('apiVersion', apiVersion, `must be ${wanted}`)]),
  ];
  if (errors.length === 0) return;
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  throw invalid({ group: kind.group, kind: named }, textOf(metadata['name']), errors);
}

function checkBuiltIn({ kind }: ServedKind, apiVersion: string, named: string): void {
  const wanted = apiVersionOf(kind);
  if (apiVersion === wanted && named === kind.kind) return;
  throw badRequest(
    `${named} in version "${kind.version}" cannot be handled as a ${kind.kind}: no kind "${named}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`,
  );
}

const textMaps = ['labels', 'annotations'] as const;
const texts = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'] as const;

/** What metadata could not be decoded into: its fields have types, of which no schema tells. */
function checkMeta({ kind, custom }: ServedKind, metadata: Json | undefined): void {
  const refuse = (value: Json, field: string, type: string): Error =>
    new DecodeRefusal(kind, `json: cannot unmarshal ${goType(value)} into Go ${field} of type ${type}`);
  if (metadata === undefined || metadata === null) return;
  if (!isObject(metadata)) {
    throw refuse(metadata, custom ? 'value' : `struct field ${kind.kind}.metadata`, 'v1.ObjectMeta');
  }
  const field = (name: string): string => `struct field ObjectMeta.${custom ? '' : 'metadata.'}${name}`;
  for (const name of texts) {
    const value = metadata[name];
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw refuse(value, field(name), 'string');
  }
  for (const name of textMaps) {
    const value = metadata[name];
    if (value === undefined || value === null) continue;
    if (!isObject(value)) throw refuse(value, field(name), 'map[string]string');
    const wrong = Object.values(value).find((member) => member !== null && typeof member !== 'string');
    if (wrong !== undefined) throw refuse(wrong, field(name), 'string');
  }
}
