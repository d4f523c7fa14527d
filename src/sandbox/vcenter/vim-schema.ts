import { dataTypes, enumTypes, managedTypes, methods } from './vim-types.ts';
import type { VimObject, VimValue } from './vim-value.ts';

/**
 * The part of the vim25 schema that this vCenter speaks, read from the tables in vim-types.ts. Both directions go by it: requests are
 * refused when an element is unknown or out of order, answers are written in its order (fact: vs 1.2).
 */
export interface FieldType {
  readonly name: string;
  /** Name of the type; for references the class they point to. */
  readonly type: string;
  readonly kind: 'primitive' | 'enum' | 'reference' | 'data' | 'any';
  readonly many: boolean;
  readonly optional: boolean;
}
export interface StructType {
  readonly name: string;
  readonly base: string | undefined;
  /** Those of the base class first. */
  readonly fields: readonly FieldType[];
  readonly byName: ReadonlyMap<string, FieldType>;
}
export interface MethodType {
  readonly name: string;
  /** Class of `_this`. */
  readonly on: string;
  readonly parameters: readonly FieldType[];
  readonly result: FieldType | undefined;
}

const primitives = new Set(['string', 'boolean', 'int', 'long', 'short', 'dateTime']);
const enums = readEnums();
const structs = readStructs(`${dataTypes}\n${managedTypes}`);
const calls = readMethods();

export function structType(name: string): StructType | undefined {
  return structs.get(name);
}
export function methodType(name: string): MethodType | undefined {
  return calls.get(name);
}
export function enumValues(name: string): readonly string[] | undefined {
  return enums.get(name);
}

export function isA(type: string, base: string): boolean {
  for (let name: string | undefined = type; name !== undefined; name = structs.get(name)?.base) {
    if (name === base) return true;
  }
  return false;
}

/** A data object. Throws when the type or a field is not in the schema: a slip of the simulation, not of its client. */
export function vim(type: string, fields: Readonly<Record<string, VimValue | undefined>> = {}): VimObject {
  const struct = structs.get(type);
  if (struct === undefined) throw new Error(`no such type in the vim25 tables: ${type}`);
  for (const name of Object.keys(fields)) {
    if (!struct.byName.has(name)) throw new Error(`${type} has no field ${name}`);
  }
  return { ...fields, $type: type };
}

function lines(table: string): readonly string[] {
  return table
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function readEnums(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    lines(enumTypes).map((line) => {
      const [name = '', values = ''] = line.split(' = ');
      return [name, values.split(' ')];
    }),
  );
}

function readStructs(table: string): ReadonlyMap<string, StructType> {
  const read = new Map<string, StructType>();
  for (const line of lines(table)) {
    const [head = '', body = ''] = line.split(/::\s*/);
    const [name = '', base] = head.trim().split(' < ');
    const inherited = base === undefined ? undefined : read.get(base);
    if (base !== undefined && inherited === undefined) throw new Error(`${name}: ${base} comes later`);
    const fields = [...(inherited?.fields ?? []), ...readFields(body)];
    read.set(name, { name, base, fields, byName: new Map(fields.map((field) => [field.name, field])) });
  }
  return read;
}

function readMethods(): ReadonlyMap<string, MethodType> {
  return new Map(
    lines(methods).map((line) => {
      const [call = '', result] = line.split(' -> ');
      const [head = '', parameters = ''] = call.split(/::\s*/);
      const [on = '', name = ''] = head.trim().split('.');
      const returned = result === undefined ? undefined : readField(`returnval:${result}`);
      return [name, { name, on, parameters: readFields(parameters), result: returned }];
    }),
  );
}

function readFields(text: string): readonly FieldType[] {
  const words = text.split(' ').filter((word) => word !== '');
  return words.map((word) => readField(word));
}

/** `name:type`, `name?:type` optional, `name:type*` repeated, `name:^Class` reference. */
function readField(text: string): FieldType {
  const [left = '', right = ''] = text.split(':');
  const many = right.endsWith('*');
  const bare = many ? right.slice(0, -1) : right;
  const reference = bare.startsWith('^');
  const type = reference ? bare.slice(1) : bare;
  const optional = left.endsWith('?') || many;
  return { name: left.replace('?', ''), type, kind: kindOf(type, reference), many, optional };
}

function kindOf(type: string, reference: boolean): FieldType['kind'] {
  if (reference) return 'reference';
  if (type === 'anyType') return 'any';
  if (primitives.has(type)) return 'primitive';
  return enums.has(type) ? 'enum' : 'data';
}
