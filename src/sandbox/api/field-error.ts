/** One thing wrong with one field (fact: apimachinery pkg/util/validation/field). `type` is the cause's reason, the text comes from it. */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueDuplicate'
  | 'FieldValueNotFound';

export interface FieldError {
  readonly type: FieldErrorType;
  /** "spec.vms[0].name"; "<nil>" for the object as a whole. */
  readonly field: string;
  /** Left out of the text when undefined. */
  readonly value?: unknown;
  readonly detail?: string;
}

const words: Readonly<Record<FieldErrorType, string>> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueTypeInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueNotFound: 'Not found',
};

export function fieldErrorBody({ type, value, detail }: FieldError): string {
  const shown = value === undefined ? words[type] : `${words[type]}: ${JSON.stringify(value)}`;
  return detail === undefined || detail === '' ? shown : `${shown}: ${detail}`;
}

export function required(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, detail };
}

export function invalidValue(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, value, detail };
}

export function wrongType(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field, value, detail };
}

export function notSupported(field: string, value: unknown, supported: readonly unknown[]): FieldError {
  const known = supported.map((one) => JSON.stringify(typeof one === 'string' ? one : JSON.stringify(one)));
  return {
    type: 'FieldValueNotSupported',
    field,
    value,
    detail: `supported values: ${known.join(', ')}`,
  };
}

export function forbiddenField(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, detail };
}

export function tooLong(field: string, max: number): FieldError {
  const unit = max === 1 ? 'byte' : 'bytes';
  return { type: 'FieldValueTooLong', field, detail: `may not be more than ${max} ${unit}` };
}

export function tooMany(field: string, actual: number, max: number): FieldError {
  const unit = max === 1 ? 'item' : 'items';
  return { type: 'FieldValueTooMany', field, value: actual, detail: `must have at most ${max} ${unit}` };
}
