import { isObject, textOf } from './json.ts';
import { parseLabelSelector } from './label-selector.ts';
import { badRequest } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';

export type Selector = (object: StoredObject) => boolean;

/** Both selectors of a request in one; undefined when the request has none. */
export function selectorOf(kind: ServedKind, query: Readonly<Record<string, string>>): Selector | undefined {
  const labels = parseLabelSelector(query['labelSelector'] ?? '');
  const fields = fieldSelector(kind, query['fieldSelector'] ?? '');
  if (labels.length === 0 && fields === undefined) return undefined;
  return (object) =>
    labels.every((holds) => holds(object.metadata.labels ?? {})) && (fields === undefined || fields(object));
}

/** Splits at the commas that are not inside parentheses. */
function parts(text: string): readonly string[] {
  const result: string[] = [];
  let depth = 0;
  let current = '';
  for (const character of text) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === ',' && depth === 0) {
      result.push(current.trim());
      current = '';
    } else current += character;
  }
  result.push(current.trim());
  return result.filter((part) => part !== '');
}

/** Only fields that the kind declares may be selected by; for custom resources that is the metadata alone. */
function fieldSelector(kind: ServedKind, text: string): Selector | undefined {
  const terms = parts(text).map((term) => {
    const equal = /^([^!=]+)(=|==|!=)([^=]*)$/.exec(term);
    if (equal === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = '', operator, value = ''] = equal;
    const known = field === 'metadata.name' || (field === 'metadata.namespace' && kind.kind.namespaced);
    if (!known && !kind.selectableFields.includes(field)) {
      throw badRequest(kind.unknownFieldText(field));
    }
    const path = field.split('.');
    return (object: StoredObject) => (fieldOf(object, path) === value) === (operator !== '!=');
  });
  return terms.length === 0 ? undefined : (object) => terms.every((holds) => holds(object));
}

function fieldOf(object: StoredObject, path: readonly string[]): string {
  let value: unknown = object;
  for (const name of path) value = isObject(value) ? value[name] : undefined;
  return textOf(value);
}
