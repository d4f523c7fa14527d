import type { FieldType } from './vim-schema.ts';

/** Reference to a managed object: on the wire the text is the id and the attribute `type` the class (fact: vs 1.2). */
export class MoRef {
  readonly type: string;
  readonly id: string;

  constructor(type: string, id: string) {
    this.type = type;
    this.id = id;
  }
}

/** A value in a place of type anyType, with the field it was declared as. */
export class AnyValue {
  readonly of: FieldType;
  readonly value: VimValue;

  constructor(of: FieldType, value: VimValue) {
    this.of = of;
    this.value = value;
  }
}

/** A value of vim25. Which type a string, number or list has on the wire is told by the schema, or by `$type` for objects. */
export type VimValue = string | number | boolean | MoRef | AnyValue | VimObject | readonly VimValue[];
export interface VimObject {
  readonly $type: string;
  readonly [field: string]: VimValue | undefined;
}

export function isVimObject(value: VimValue | undefined): value is VimObject {
  return (
    typeof value === 'object' && !(value instanceof MoRef) && !(value instanceof AnyValue) && !isList(value)
  );
}

export function isList(value: VimValue | undefined): value is readonly VimValue[] {
  return Array.isArray(value);
}

export function refsIn(value: VimValue | undefined): readonly MoRef[] {
  if (value instanceof MoRef) return [value];
  return isList(value) ? value.filter((item) => item instanceof MoRef) : [];
}
