import { CelValues } from './cel-rule.ts';
import type { FieldError } from './field-error.ts';
import { invalidValue, notSupported, required, tooLong, tooMany, wrongType } from './field-error.ts';
import type { Json } from './json.ts';
import { isList, isObject, sameJson } from './json.ts';
import type { SchemaNode, SchemaType } from './schema-node.ts';

/**
 * All that is wrong with a value, in the words of the API server (fact: kube-openapi's messages as apiextensions-apiserver v0.36 passes
 * them on). What is identical to the old value is not judged again: it was good when it was stored.
 */
export function validate(node: SchemaNode, value: Json, old: Json | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  check(node, value, old, path, errors);
  if (errors.some(blocksRules)) {
    const detail =
      'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
    if (hasRules(node)) errors.push({ type: 'FieldValueInvalid', field: '<nil>', value: null, detail });
    return errors;
  }
  judgeRules(node, value, old, path, errors);
  return errors;
}

function blocksRules({ type }: FieldError): boolean {
  return (
    type === 'FieldValueNotSupported' ||
    type === 'FieldValueRequired' ||
    type === 'FieldValueTooLong' ||
    type === 'FieldValueTooMany' ||
    type === 'FieldValueTypeInvalid'
  );
}

function hasRules(node: SchemaNode): boolean {
  const below = [...(node.properties?.values() ?? []), node.additional, node.items];
  return node.rules.length > 0 || below.some((child) => child !== undefined && hasRules(child));
}

function check(
  node: SchemaNode,
  value: Json,
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (value === old || (value === null && node.nullable)) return;
  const actual = typeOf(value);
  if (node.type !== undefined && !fits(node.type, actual)) {
    errors.push(wrongType(path, actual, `${path} in body must be of type ${node.type}: "${actual}"`));
    return;
  }
  if (node.enumeration?.some((one) => sameJson(one, value)) === false) {
    errors.push(notSupported(path, value, node.enumeration));
  }
  if (typeof value === 'string') checkText(node, value, path, errors);
  else if (typeof value === 'number') checkNumber(node, value, path, errors);
  else if (isList(value)) checkList(node, value, old, path, errors);
  else if (isObject(value)) checkObject(node, value, old, path, errors);
}

function checkText(node: SchemaNode, value: string, path: string, errors: FieldError[]): void {
  const { minLength, maxLength } = node.limits;
  // Characters, not UTF-16 units: a real server counts runes.
  const length = value.length - (value.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);
  if (maxLength !== undefined && length > maxLength) errors.push(tooLong(path, maxLength));
  if (minLength !== undefined && length < minLength) {
    errors.push(invalidValue(path, value, `${path} in body should be at least ${minLength} chars long`));
  }
  if (node.pattern !== undefined && !node.pattern.test.test(value)) {
    errors.push(invalidValue(path, value, `${path} in body should match '${node.pattern.source}'`));
  }
  if (node.format === 'date-time' && !isDateTime(value)) {
    errors.push(
      wrongType(path, value, `${path} in body must be of type date-time: ${JSON.stringify(value)}`),
    );
  }
}

function checkNumber(node: SchemaNode, value: number, path: string, errors: FieldError[]): void {
  const { minimum, maximum } = node.limits;
  if (minimum !== undefined && value < minimum) {
    const detail = `${path} in body should be greater than or equal to ${minimum}`;
    errors.push(invalidValue(path, value, detail));
  }
  if (maximum !== undefined && value > maximum) {
    errors.push(invalidValue(path, value, `${path} in body should be less than or equal to ${maximum}`));
  }
}

function checkList(
  node: SchemaNode,
  value: readonly Json[],
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  const { minItems, maxItems } = node.limits;
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems));
  if (minItems !== undefined && value.length < minItems) {
    errors.push(invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`));
  }
  const { items } = node;
  if (items === undefined) return;
  const before = isList(old) ? old : [];
  value.forEach((item, index) => check(items, item, before[index], `${path}[${index}]`, errors));
}

function checkObject(
  node: SchemaNode,
  value: Readonly<Record<string, Json | undefined>>,
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  const { minProperties, maxProperties } = node.limits;
  const size = minProperties === undefined && maxProperties === undefined ? 0 : Object.keys(value).length;
  if (maxProperties !== undefined && size > maxProperties) errors.push(tooMany(path, size, maxProperties));
  if (minProperties !== undefined && size < minProperties) {
    const detail = `${path} in body should have at least ${minProperties} properties`;
    errors.push(invalidValue(path, size, detail));
  }
  for (const name of node.required) {
    if (value[name] === undefined) errors.push(required(below(path, name)));
  }
  for (const name of Object.keys(value)) {
    const child = node.properties?.get(name) ?? node.additional;
    const member = value[name];
    if (child === undefined || member === undefined) continue;
    check(child, member, isObject(old) ? old[name] : undefined, below(path, name), errors);
  }
}

/** Items of a list have no counterpart in the old list unless it is a map, so transition rules end there (fact: CRD validation rules). */
function judgeRules(
  node: SchemaNode,
  value: Json,
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (value === old) return;
  const values = new CelValues(node, value, old);
  for (const rule of node.rules) {
    const why = rule.judge(values);
    if (why === undefined) continue;
    const field = rule.fieldPath === undefined ? path : `${path}${rule.fieldPath}`;
    const shown = node.type === 'object' || node.type === 'array' ? undefined : value;
    errors.push({
      type: 'FieldValueInvalid',
      field,
      detail: why,
      ...(shown !== undefined && { value: shown }),
    });
  }
  const { items } = node;
  if (isList(value)) {
    if (items !== undefined) {
      value.forEach((item, index) => judgeRules(items, item, undefined, `${path}[${index}]`, errors));
    }
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      const child = node.properties?.get(name) ?? node.additional;
      if (child === undefined || member === undefined) continue;
      judgeRules(child, member, isObject(old) ? old[name] : undefined, below(path, name), errors);
    }
  }
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

type ActualType = SchemaType | 'null';

function typeOf(value: Json): ActualType {
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value as 'object' | 'string' | 'boolean';
}

function fits(wanted: SchemaType, actual: ActualType): boolean {
  return wanted === actual || (wanted === 'number' && actual === 'integer');
}

const dateTimePattern = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function isDateTime(value: string): boolean {
  return dateTimePattern.test(value) && !Number.isNaN(Date.parse(value));
}
