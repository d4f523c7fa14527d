import { SaxesParser, type SaxesTagPlain } from 'saxes';
import type { Json } from '../../../model/vm.ts';
import { arrayProperties } from './array-properties.ts';
import { asObject, asText, typeOf, type VimObject } from './values.ts';

/** What the Body of an envelope holds. */
export type SoapBody =
  | { readonly kind: 'answer'; readonly method: string; readonly returnval: Json | undefined }
  | {
      readonly kind: 'fault';
      readonly type: string;
      readonly text: string;
      readonly detail: VimObject;
    };

/**
 * An envelope that comes in pieces, so that a page of many VMs is read while it arrives and never in one long breath (review.md F55).
 * Both methods throw Error when the text is no XML or no SOAP envelope.
 */
export class EnvelopeDecoder {
  readonly #document = new DocumentDecoder();
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true });

  write(chunk: Uint8Array): void {
    this.#document.write(this.#utf8.decode(chunk, { stream: true }));
  }

  end(): SoapBody {
    this.#document.write(this.#utf8.decode());
    return bodyOf(this.#document.end());
  }
}

export function decodeEnvelope(xml: string): SoapBody {
  return bodyOf(decodeXml(xml));
}

/** Any XML document as JSON, by the rules in values.ts. */
export function decodeXml(xml: string): XmlDocument {
  const decoder = new DocumentDecoder();
  decoder.write(xml);
  return decoder.end();
}

export interface XmlDocument {
  /** Of the root element. */
  readonly name: string;
  readonly value: Json;
}

function bodyOf({ name, value }: XmlDocument): SoapBody {
  const body = asObject(value)['Body'];
  const first = Object.entries(asObject(body)).find(([key]) => key !== '_type');
  if (name !== 'Envelope' || first === undefined) throw new Error('not a SOAP envelope');
  const [method, content] = first;
  if (method === 'Fault') return decodeFault(asObject(content));
  return { kind: 'answer', method, returnval: asObject(content)['returnval'] };
}

/** fact: vs 1.6: `<XyzFault xsi:type="Xyz">` is the only child of detail; the element's own name is the second witness. */
function decodeFault(fault: VimObject): SoapBody {
  const [name, detail] = Object.entries(asObject(fault['detail']))[0] ?? ['', null];
  return {
    kind: 'fault',
    type: typeOf(detail) || name.replace(/Fault$/, '') || 'UnknownFault',
    text: asText(fault['faultstring']) ?? '',
    detail: asObject(detail),
  };
}

class DocumentDecoder {
  readonly #parser = new SaxesParser<{ readonly xmlns: false; readonly position: false }>({
    xmlns: false,
    position: false,
  });
  readonly #open: Frame[] = [];
  #root: XmlDocument | undefined;

  constructor() {
    this.#parser.on('error', (error) => {
      throw error;
    });
    this.#parser.on('opentag', (tag) => this.#open.push(frameOf(tag)));
    this.#parser.on('text', (text) => this.#text(text));
    this.#parser.on('cdata', (text) => this.#text(text));
    this.#parser.on('closetag', () => this.#close());
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(): XmlDocument {
    this.#parser.close();
    if (this.#root === undefined) throw new Error('an empty document');
    return this.#root;
  }

  #text(text: string): void {
    const top = this.#open.at(-1);
    if (top !== undefined) top.text += text;
  }

  #close(): void {
    const frame = this.#open.pop();
    if (frame === undefined) return;
    const value = valueOf(frame);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = { name: frame.name, value };
    else attach(parent, frame.name, value);
  }
}

interface Frame {
  readonly name: string;
  readonly xsiType: string | undefined;
  readonly refType: string | undefined;
  text: string;
  /** Children in order, for ArrayOf types. */
  readonly items: Json[];
  /** Members that have turned out to be lists. */
  readonly lists: Map<string, Json[]>;
  fields: Record<string, Json> | undefined;
}

function frameOf(tag: SaxesTagPlain): Frame {
  let xsiType: string | undefined;
  let refType: string | undefined;
  for (const name in tag.attributes) {
    const value = tag.attributes[name] ?? '';
    if (name === 'type') refType = value;
    else if (name.endsWith(':type')) xsiType = localName(value, 'xsd');
  }
  return {
    name: localName(tag.name),
    xsiType,
    refType,
    text: '',
    items: [],
    lists: new Map(),
    fields: undefined,
  };
}

/** The prefix of a primitive is kept (as "xsd:"), so that xsd:string and a vim type called "string" are not mistaken. */
function localName(name: string, keepAs?: string): string {
  const colon = name.indexOf(':');
  if (colon < 0) return name;
  const local = name.slice(colon + 1);
  return keepAs !== undefined && primitives.has(local) ? `${keepAs}:${local}` : local;
}

const primitives = new Set([
  'string',
  'boolean',
  'byte',
  'short',
  'int',
  'long',
  'float',
  'double',
  'dateTime',
  'base64Binary',
  'anyURI',
]);

function valueOf(frame: Frame): Json {
  if (frame.xsiType?.startsWith('ArrayOf') === true) return frame.items;
  if (frame.fields !== undefined) {
    return frame.xsiType === undefined ? frame.fields : { _type: frame.xsiType, ...frame.fields };
  }
  if (frame.refType !== undefined) return { type: frame.refType, value: frame.text };
  if (frame.text === '' && frame.xsiType !== undefined && !frame.xsiType.startsWith('xsd:')) {
    return { _type: frame.xsiType };
  }
  return leafOf(frame.text, frame.xsiType);
}

function leafOf(text: string, xsiType: string | undefined): Json {
  switch (xsiType) {
    case 'xsd:boolean':
      return text === 'true' || text === '1';
    case 'xsd:byte':
    case 'xsd:short':
    case 'xsd:int':
    case 'xsd:float':
    case 'xsd:double':
      return Number(text);
    case 'xsd:long':
      // What JavaScript cannot hold exactly stays text (fact: vs 1.2).
      return Number.isSafeInteger(Number(text)) ? Number(text) : text;
    default:
      return text;
  }
}

function attach(parent: Frame, name: string, value: Json): void {
  if (name === '__proto__') return;
  parent.items.push(value);
  parent.fields ??= {};
  const list = parent.lists.get(name);
  if (list !== undefined) {
    list.push(value);
    return;
  }
  const before = parent.fields[name];
  if (before === undefined && !isArrayProperty(parent, name)) {
    parent.fields[name] = value;
    return;
  }
  const begun = before === undefined ? [value] : [before, value];
  parent.lists.set(name, begun);
  parent.fields[name] = begun;
}

function isArrayProperty(parent: Frame, name: string): boolean {
  return (
    arrayProperties.has(`${parent.name}/${name}`) ||
    (parent.xsiType !== undefined && arrayProperties.has(`${parent.xsiType}/${name}`))
  );
}
