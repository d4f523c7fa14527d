import { invalidRequest, type VimFault } from './vim-fault.ts';
import { enumValues, isA, methodType, structType, type FieldType, type MethodType } from './vim-schema.ts';
import { MoRef, type VimObject, type VimValue } from './vim-value.ts';
import { parseXml, soapNamespace, vimNamespace, xsdNamespace, type XmlElement } from './xml-tree.ts';

/** One call as a client sent it, proved against the schema. */
export interface VimCall {
  readonly method: MethodType;
  readonly on: MoRef;
  readonly args: Readonly<Record<string, VimValue | undefined>>;
}

/** Throws a VimFault when the envelope is not one that a vCenter would take: unknown, missing or disordered elements (fact: vs 1.2). */
export function readCall(envelope: string): VimCall {
  const element = bodyElement(envelope);
  const method = element.namespace === vimNamespace ? methodType(element.name) : undefined;
  if (method === undefined) throw invalidRequest(`Unable to resolve WSDL method name ${element.name}`);
  const [first, ...rest] = element.children;
  if (first?.name !== '_this') throw missing('_this', method.name);
  const on = reference(first, method.name);
  const args = readFields(method.parameters, rest, method.name);
  return { method, on, args };
}

function bodyElement(envelope: string): XmlElement {
  let root: XmlElement;
  try {
    root = parseXml(envelope);
  } catch (error) {
    throw invalidRequest(`XML parse error: ${error instanceof Error ? error.message : String(error)}`);
  }
  const isSoap = (element: XmlElement, name: string): boolean =>
    element.namespace === soapNamespace && element.name === name;
  if (!isSoap(root, 'Envelope')) throw invalidRequest(`expected a SOAP Envelope, got ${root.name}`);
  const body = root.children.find((child) => isSoap(child, 'Body'));
  const [content, second] = body?.children ?? [];
  if (content === undefined || second !== undefined) throw invalidRequest('the SOAP Body holds one element');
  return content;
}

/** Children must come in the order of `fields`; what is left over has no place there. */
function readFields(
  fields: readonly FieldType[],
  children: readonly XmlElement[],
  within: string,
): Record<string, VimValue | undefined> {
  const values: Record<string, VimValue | undefined> = {};
  let next = 0;
  for (const field of fields) {
    const from = next;
    while (children[next]?.name === field.name && (field.many || next === from)) next += 1;
    const found = children.slice(from, next);
    if (found.length === 0 && !field.optional) throw missing(field.name, within);
    const read = found.map((child) => readValue(field, child, within));
    values[field.name] = field.many ? read : read[0];
  }
  const stranger = children[next];
  if (stranger !== undefined)
    throw invalidRequest(`Unexpected element tag "${stranger.name}" seen in ${within}`);
  return values;
}

function readValue(field: FieldType, element: XmlElement, within: string): VimValue {
  if (element.namespace !== vimNamespace) {
    throw invalidRequest(`Unexpected namespace "${element.namespace}" of "${element.name}" in ${within}`);
  }
  switch (field.kind) {
    case 'reference':
      return reference(element, within);
    case 'data':
      return readObject(field, element, within);
    case 'any':
      return readAny(element, within);
    case 'enum':
      if (enumValues(field.type)?.includes(element.text) === true) return element.text;
      throw badValue(element, within);
    case 'primitive':
      return readPrimitive(field.type, element, within);
  }
}

function reference(element: XmlElement, within: string): MoRef {
  if (element.type === undefined || element.text === '') throw badValue(element, within);
  return new MoRef(element.type, element.text.trim());
}

function readObject(field: FieldType, element: XmlElement, within: string): VimObject {
  const named = element.xsiType;
  const type = named === undefined ? field.type : named.name;
  const struct = structType(type);
  const fits = named === undefined || (named.namespace === vimNamespace && isA(type, field.type));
  if (struct === undefined || !fits) throw badValue(element, within);
  return { ...readFields(struct.fields, element.children, type), $type: type };
}

/** anyType of a request: only the simple types have a use there (fact: vs 1.2). */
function readAny(element: XmlElement, within: string): VimValue {
  if (element.xsiType?.namespace !== xsdNamespace) throw badValue(element, within);
  return readPrimitive(element.xsiType.name, element, within);
}

const numbers = new Set(['int', 'long', 'short']);

function readPrimitive(type: string, element: XmlElement, within: string): VimValue {
  if (element.children.length > 0) throw badValue(element, within);
  if (type === 'boolean') {
    const text = element.text.trim();
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    throw badValue(element, within);
  }
  if (!numbers.has(type)) return element.text;
  if (!/^\s*-?\d+\s*$/.test(element.text)) throw badValue(element, within);
  return Number(element.text);
}

/** The text is what a client gets to read; its wording is inferred. */
function missing(name: string, within: string): VimFault {
  return invalidRequest(`Required parameter ${name} is missing while parsing ${within}`);
}

function badValue(element: XmlElement, within: string): VimFault {
  return invalidRequest(`Cannot read the value of "${element.name}" in ${within}`);
}
