import { SaxesParser } from 'saxes';

/** An element with its namespace resolved. `type` and `xsiType` are the two attributes that vim25 looks at. */
export interface XmlElement {
  readonly name: string;
  readonly namespace: string;
  readonly type: string | undefined;
  readonly xsiType: { readonly namespace: string; readonly name: string } | undefined;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

export const soapNamespace = 'http://schemas.xmlsoap.org/soap/envelope/';
export const xsiNamespace = 'http://www.w3.org/2001/XMLSchema-instance';
export const xsdNamespace = 'http://www.w3.org/2001/XMLSchema';
export const vimNamespace = 'urn:vim25';

interface OpenElement extends XmlElement {
  text: string;
  readonly children: OpenElement[];
}

/** Throws an Error that says where, when the text is not well-formed XML. */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const stack: OpenElement[] = [];
  let root: OpenElement | undefined;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const attributes = Object.values(tag.attributes);
    const xsi = attributes.find(({ uri, local }) => uri === xsiNamespace && local === 'type')?.value;
    const element: OpenElement = {
      name: tag.local,
      namespace: tag.uri,
      type: attributes.find(({ uri, local }) => uri === '' && local === 'type')?.value,
      xsiType: xsi === undefined ? undefined : qualified(xsi, (prefix) => parser.resolve(prefix)),
      text: '',
      children: [],
    };
    stack.at(-1)?.children.push(element);
    root ??= element;
    stack.push(element);
  });
  parser.on('text', (chunk) => {
    const open = stack.at(-1);
    if (open !== undefined) open.text += chunk;
  });
  parser.on('closetag', () => stack.pop());
  parser.write(text).close();
  if (root === undefined) throw new Error('no element');
  return root;
}

/** A prefix `xsd` that is declared nowhere: govmomi sends it, and a vCenter takes it (fact: testbed 6, seen with govc). */
const undeclared: Readonly<Record<string, string>> = { xsd: xsdNamespace };

function qualified(
  text: string,
  uriOf: (prefix: string) => string | undefined,
): { readonly namespace: string; readonly name: string } {
  const colon = text.indexOf(':');
  const prefix = colon < 0 ? '' : text.slice(0, colon);
  return { namespace: uriOf(prefix) ?? undeclared[prefix] ?? '', name: text.slice(colon + 1) };
}
