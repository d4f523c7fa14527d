import type { Answer } from './story.ts';
import type { Telling } from './tell.ts';

/**
 * Answers without what no two servers have in common: uids, versions, times, generated names, tokens. What is the same thing in one
 * telling stays the same thing: the second uid that is seen is "<uid 2>" wherever it comes again.
 *
 * Left out as a whole: managedFields, since nothing here applies on the server's side.
 */
export function normalised({ answers, names }: Telling): readonly Answer[] {
  const words = new Words(names);
  return answers.map((answer) => words.clean(answer) as Answer);
}

type Members = Readonly<Record<string, unknown>>;

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const hash = /\?hash=[0-9A-F]+$/;
const age = /^(?:\d+[smhdy]){1,2}$/;
/** Where texts of the server speak of a version. */
const spokenVersions = [
  /(resource version: )\d+/gi,
  /(current: )\d+/g,
  /(in record \()\d+/g,
  /(ResourceVersion in the precondition \()\d+/g,
  /(^too old resource version: .*\()\d+(?=\)$)/g,
];
const omitted = new Set(['managedFields', 'selfLink']);

class Words {
  readonly #names: readonly (readonly [string, string])[];
  readonly #uids = new Map<string, string>();
  readonly #versions = new Map<string, string>();
  readonly #generated = new Map<string, string>();

  constructor(names: Readonly<Record<string, string>>) {
    this.#names = Object.entries(names).map(([name, value]) => [value, `<${name}>`]);
  }

  /** Members in the order of their names, so that numbers do not depend on who writes which member first. */
  clean(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.clean(item));
    if (!isRecord(value)) return value;
    const shown = inOrder(withoutAges(value));
    const entries = Object.keys(shown)
      .filter((key) => !omitted.has(key))
      .sort()
      .map((key) => [this.#text(key), key === 'metadata' ? this.#meta(shown) : this.clean(shown[key])]);
    return Object.fromEntries(entries) as Members;
  }

  #meta(object: Members): unknown {
    const { metadata } = object;
    if (!isRecord(metadata)) return metadata;
    const { name, generateName, resourceVersion, continue: token } = metadata;
    if (typeof name === 'string' && typeof generateName === 'string' && name.startsWith(generateName))
      this.#numbered(this.#generated, name, 'generated');
    const cleaned = this.clean({ ...metadata, resourceVersion: undefined, continue: undefined }) as Members;
    return {
      ...defined(cleaned),
      ...(typeof resourceVersion === 'string' && {
        resourceVersion: this.#version(resourceVersion, isCollection(object)),
      }),
      ...(typeof token === 'string' && { continue: token === '' ? '' : '<token>' }),
    };
  }

  /** The version of a collection is the server's own, which others move on as well; that of an object tells whether it changed. */
  #version(version: string, ofCollection: boolean): string {
    if (version === '' || version === '0') return version;
    return ofCollection ? '<version>' : this.#numbered(this.#versions, version, 'version');
  }

  #text(text: string): string {
    let result = text
      .replaceAll(uuid, (found) => this.#numbered(this.#uids, found, 'uid'))
      .replaceAll(time, '<time>')
      .replace(hash, '');
    for (const [name, shown] of [...this.#names, ...this.#generated]) result = result.replaceAll(name, shown);
    for (const pattern of spokenVersions) result = result.replaceAll(pattern, '$1<version>');
    return result;
  }

  #numbered(known: Map<string, string>, value: string, word: string): string {
    const label = known.get(value) ?? `<${word} ${known.size + 1}>`;
    known.set(value, label);
    return label;
  }
}

function isCollection({ kind, items, rows, metadata }: Members): boolean {
  const isMark =
    isRecord(metadata) &&
    isRecord(metadata['annotations']) &&
    'k8s.io/initial-events-end' in metadata['annotations'];
  return kind === 'Table' || Array.isArray(items) || Array.isArray(rows) || isMark;
}

/** In a table how long something has been is a text of its own. */
function withoutAges(object: Members): Members {
  const { cells } = object;
  if (!Array.isArray(cells)) return object;
  return {
    ...object,
    cells: cells.map((cell: unknown) => (typeof cell === 'string' && age.test(cell) ? '<age>' : cell)),
  };
}

/** What a server tells in the order of a map, which is any order, in an order of its own: kinds of a group, what is wrong with an object. */
function inOrder(object: Members): Members {
  if (object['kind'] === 'APIResourceList' && Array.isArray(object['resources']))
    return { ...object, resources: sorted(object['resources']) };
  if (Array.isArray(object['columnDefinitions'])) {
    // What a column is about is prose of Kubernetes, for people alone.
    const columns = object['columnDefinitions'].map((column: Members) => ({ ...column, description: '' }));
    return { ...object, columnDefinitions: columns };
  }
  const { details, message } = object;
  const causes = isRecord(details) ? details['causes'] : undefined;
  if (!isRecord(details) || !Array.isArray(causes) || typeof message !== 'string') return object;
  const texts = [
    ...new Set(causes.map(({ field, message: why }: Members) => `${String(field)}: ${String(why)}`)),
  ];
  return {
    ...object,
    details: { ...details, causes: sorted(causes) },
    message: message.replace(/ is invalid: \[.*\]$/s, (list) =>
      list.length === ` is invalid: [${texts.join(', ')}]`.length
        ? ` is invalid: [${texts.sort().join(', ')}]`
        : list,
    ),
  };
}

/** By what they hold, members in order. */
function sorted(items: readonly unknown[]): readonly unknown[] {
  const key = (item: unknown): string =>
    isRecord(item) ? JSON.stringify(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : String(item);
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function defined(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
