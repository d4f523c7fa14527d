import type { MoRef } from './values.ts';

/**
 * XML with an order that is given and never found: a server reads children in schema order and calls a wrong order a missing
 * parameter (fact: vs 1.2), so elements are lists and never objects with keys.
 */
export interface XmlElement {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly content: string | readonly XmlElement[];
}

export const leaf = (name: string, value: string | number | boolean): XmlElement => ({
  name,
  content: String(value),
});

/** A managed object reference; its `type` attribute has no prefix. */
export const refElement = (name: string, ref: MoRef): XmlElement => ({
  name,
  attributes: { type: ref.type },
  content: ref.value,
});

/** `xsiType` where the declared type is abstract or extended. */
export const node = (name: string, content: readonly XmlElement[], xsiType?: string): XmlElement => ({
  name,
  ...(xsiType === undefined ? {} : { attributes: { 'xsi:type': xsiType } }),
  content,
});

export interface VimRequest {
  readonly method: string;
  readonly on: MoRef;
  readonly args: readonly XmlElement[];
}

const namespaces =
  'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" ' +
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

/** The whole envelope: `_this` first, then the arguments in their order. */
export function encodeEnvelope(request: VimRequest): string {
  const call: XmlElement = {
    name: request.method,
    attributes: { xmlns: 'urn:vim25' },
    content: [refElement('_this', request.on), ...request.args],
  };
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope ${namespaces}>` +
    `<soapenv:Body>${encode(call)}</soapenv:Body></soapenv:Envelope>`
  );
}

function encode(element: XmlElement): string {
  const attributes = Object.entries(element.attributes ?? {})
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
  const content =
    typeof element.content === 'string'
      ? escapeXml(element.content)
      : element.content.map((child) => encode(child)).join('');
  return content === ''
    ? `<${element.name}${attributes}/>`
    : `<${element.name}${attributes}>${content}</${element.name}>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#13;',
};

/** Characters that XML 1.0 cannot carry at all are left out. */
function escapeXml(text: string): string {
  return text
    .replace(/[&<>"'\r]/g, (character) => entities[character] ?? '')
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '');
}
