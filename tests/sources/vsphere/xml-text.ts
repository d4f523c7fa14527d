import { readFileSync } from 'node:fs';
import { SaxesParser } from 'saxes';

const folder = new URL('../../golden/vsphere/', import.meta.url);

/** One of the envelopes that both ends are held to. */
export function golden(name: string): string {
  return readFileSync(new URL(`${name}.xml`, folder), 'utf8');
}

/** XML as nested lists, without what has no meaning: space between elements, the order of attributes, <a/> against <a></a>. */
export function meaningOf(xml: string): unknown {
  const root: unknown[] = [];
  const open: unknown[][] = [root];
  let text = '';
  const parser = new SaxesParser();
  const flush = (closing: boolean): void => {
    const top = open.at(-1);
    if (text.trim() !== '' || (closing && text !== '' && top?.length === 2)) top?.push(text);
    text = '';
  };
  parser.on('opentag', (tag) => {
    flush(false);
    const attributes = Object.entries(tag.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
    const element: unknown[] = [tag.name, attributes];
    open.at(-1)?.push(element);
    open.push(element);
  });
  parser.on('text', (part) => {
    text += part;
  });
  parser.on('closetag', () => {
    flush(true);
    open.pop();
  });
  parser.write(xml).close();
  return root;
}
