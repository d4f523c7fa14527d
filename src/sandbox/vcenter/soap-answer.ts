import type { VimFault } from './vim-fault.ts';
import { structType, type FieldType, type MethodType } from './vim-schema.ts';
import { AnyValue, isList, isVimObject, MoRef, type VimObject, type VimValue } from './vim-value.ts';
import { soapNamespace, vimNamespace, xsdNamespace, xsiNamespace } from './xml-tree.ts';

const open =
  '<?xml version="1.0" encoding="UTF-8"?>\n' +
  `<soapenv:Envelope xmlns:soapenv="${soapNamespace}" xmlns:xsd="${xsdNamespace}" xmlns:xsi="${xsiNamespace}">\n<soapenv:Body>\n`;
const close = '\n</soapenv:Body>\n</soapenv:Envelope>\n';

/** `<Method>Response` with `returnval`, which is absent for void and null (fact: vs 1.2b). */
export function answerEnvelope(method: MethodType, result: VimValue | undefined): string {
  const tag = `${method.name}Response`;
  const content = method.result === undefined ? '' : writeField(method.result, result);
  return `${open}<${tag} xmlns="${vimNamespace}">${content}</${tag}>${close}`;
}

/** fact: vs 1.6: faultcode, the text, and in detail one child `XyzFault` of type Xyz. */
export function faultEnvelope(fault: VimFault): string {
  const type = fault.fault.$type;
  const detail = `<${type}Fault xmlns="${vimNamespace}" xsi:type="${type}">${writeFields(fault.fault)}</${type}Fault>`;
  return (
    `${open}<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>${escapeXml(fault.message)}</faultstring>` +
    `<detail>${detail}</detail></soapenv:Fault>${close}`
  );
}

const special = /[&<>\r]/;
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\r': '&#xD;',
};

/** For text between tags; the one place that escapes. Attributes here hold only names from the schema. */
export function escapeXml(text: string): string {
  return special.test(text) ? text.replaceAll(/[&<>\r]/g, (char) => entities[char] ?? char) : text;
}

function writeField(field: FieldType, value: VimValue | undefined): string {
  if (value === undefined) return '';
  if (!isList(value)) return writeElement(field, value);
  let xml = '';
  for (const item of value) xml += writeElement(field, item);
  return xml;
}

function writeElement(field: FieldType, value: VimValue): string {
  const { name } = field;
  if (field.kind === 'any') return writeAny(field, value);
  if (value instanceof MoRef) return `<${name} type="${value.type}">${escapeXml(value.id)}</${name}>`;
  if (typeof value !== 'object') return `<${name}>${escapeXml(String(value))}</${name}>`;
  if (!isVimObject(value)) throw new Error(`${name}: a list in a list`);
  const xsi = value.$type === field.type ? '' : ` xsi:type="${value.$type}"`;
  return `<${name}${xsi}>${writeFields(value)}</${name}>`;
}

function writeFields(object: VimObject): string {
  const struct = structType(object.$type);
  if (struct === undefined) throw new Error(`no such type in the vim25 tables: ${object.$type}`);
  let xml = '';
  for (const field of struct.fields) xml += writeField(field, object[field.name]);
  return xml;
}

/** anyType always says what it is; a bare value (OptionValue.value) tells by itself, a number is an int. */
function writeAny({ name }: Pick<FieldType, 'name'>, value: VimValue): string {
  if (value instanceof AnyValue) {
    if (value.of.kind === 'any') return writeAny({ name }, value.value);
    return value.of.many ? writeArray(name, value.of, value.value) : writeTyped(name, value.of, value.value);
  }
  if (typeof value === 'object') throw new Error(`${name}: needs its declared type`);
  const type = typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'boolean' : 'int';
  return `<${name} xsi:type="xsd:${type}">${escapeXml(String(value))}</${name}>`;
}

function writeTyped(name: string, of: FieldType, value: VimValue): string {
  if (value instanceof MoRef) {
    return `<${name} xsi:type="ManagedObjectReference" type="${value.type}">${escapeXml(value.id)}</${name}>`;
  }
  if (isVimObject(value)) return `<${name} xsi:type="${value.$type}">${writeFields(value)}</${name}>`;
  if (typeof value === 'object') throw new Error(`${name}: a list in a list`);
  const type = of.kind === 'enum' ? of.type : `xsd:${of.type}`;
  return `<${name} xsi:type="${type}">${escapeXml(String(value))}</${name}>`;
}

/** fact: vs 1.2: lists are ArrayOfX with children named X, or by the simple type. */
function writeArray(name: string, of: FieldType, value: VimValue): string {
  const item = of.kind === 'reference' ? 'ManagedObjectReference' : of.type;
  const array = `ArrayOf${item.charAt(0).toUpperCase()}${item.slice(1)}`;
  return `<${name} xsi:type="${array}">${writeField({ ...of, name: item }, value)}</${name}>`;
}
