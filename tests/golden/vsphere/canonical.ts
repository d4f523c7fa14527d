import { readFileSync } from 'node:fs';
import { SaxesParser } from 'saxes';

/**
 * An envelope with everything taken away that two correct writers may do differently: prefixes, indentation, the SOAP header,
 * `<a></a>` against `<a/>`. What stays is what vim25 is strict about: names, namespaces, order, text, `type` and `xsi:type`.
 */
export interface CanonicalElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly CanonicalElement[];
}

const xsi = 'http://www.w3.org/2001/XMLSchema-instance';
const xmlns = 'http://www.w3.org/2000/xmlns/';

interface OpenElement extends CanonicalElement {
  text: string;
  readonly children: OpenElement[];
}

/** The text of a golden envelope: `golden('login.request')`. */
export function golden(name: string): string {
  return readFileSync(new URL(`./${name}.xml`, import.meta.url), 'utf8');
}

/** Throws when the text is not well-formed XML with resolved namespaces. */
export function canonical(xml: string): CanonicalElement {
  const parser = new SaxesParser({ xmlns: true });
  const stack: OpenElement[] = [];
  let root: OpenElement | undefined;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const attributes: Record<string, string> = {};
    for (const attribute of Object.values(tag.attributes)) {
      if (attribute.uri === xmlns) continue;
      const isType = attribute.uri === xsi && attribute.local === 'type';
      const key = attribute.uri === '' ? attribute.local : `{${attribute.uri}}${attribute.local}`;
      attributes[key] = isType
        ? resolved(attribute.value, (prefix) => parser.resolve(prefix))
        : attribute.value;
    }
    const element: OpenElement = { name: `{${tag.uri}}${tag.local}`, attributes, text: '', children: [] };
    const parent = stack.at(-1);
    if (parent !== undefined && tag.local !== 'Header') parent.children.push(element);
    root ??= element;
    stack.push(element);
  });
  parser.on('text', (text) => {
    const open = stack.at(-1);
    if (open !== undefined) open.text += text;
  });
  parser.on('closetag', () => {
    const element = stack.pop();
    if (element !== undefined && (element.children.length > 0 || element.text.trim() === ''))
      element.text = '';
  });
  parser.write(xml).close();
  if (root === undefined) throw new Error('no element');
  return root;
}

/** An xsi:type is a qualified name: its prefix counts, whatever the writer called it. */
function resolved(qualified: string, uriOf: (prefix: string) => string | undefined): string {
  const [prefix, local] = qualified.includes(':') ? qualified.split(':', 2) : ['', qualified];
  return `{${uriOf(prefix ?? '') ?? ''}}${local ?? ''}`;
}

/** The one element in the Body: the method, its response, or the fault. */
export function bodyOf(xml: string): CanonicalElement {
  const body = canonical(xml).children.find((child) => child.name.endsWith('}Body'));
  const [content] = body?.children ?? [];
  if (content === undefined) throw new Error('an envelope without content');
  return content;
}
