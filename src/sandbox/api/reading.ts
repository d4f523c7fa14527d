import { apiVersionOf } from '../../api/meta.ts';
import type { Selector } from './selectors.ts';
import { selectorOf } from './selectors.ts';
import { badRequest, expired, notFound, Refusal } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';
import type { ServerState } from './server-state.ts';
import type { StoredObject } from './stored-object.ts';

type Query = Readonly<Record<string, string>>;

export function getObject(
  { store }: ServerState,
  { kind }: ServedKind,
  namespace: string,
  name: string,
): StoredObject {
  const object = store.get(kind, namespace, name);
  if (object === undefined) throw notFound(kind, name);
  return object;
}

export interface ObjectPage {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly StoredObject[];
}

interface Paged {
  readonly revision: number;
  readonly items: readonly StoredObject[];
  /** What is left of a selection is not told: a server that goes through its store does not know it. */
  readonly isSelected: boolean;
}

/** Lists, whole or in pages; the pages of one list all show the moment of the first (fact: apiserver limit and continue). */
export class Lister {
  readonly #state: ServerState;
  /** Lists that someone is half through, oldest first. */
  readonly #open = new Map<string, Paged>();
  #opened = 0;

  constructor(state: ServerState) {
    this.#state = state;
  }

  list(served: ServedKind, namespace: string | undefined, query: Query): ObjectPage {
    const { store } = this.#state;
    const token = query['continue'] ?? '';
    const limit = Number(query['limit'] ?? 0);
    if (token !== '' && (query['resourceVersion'] ?? '') !== '')
      throw badRequest('specifying resource version is not allowed when using continue');
    if (token !== '') return this.#page(served, token, limit);
    checkVersion(this.#state, query['resourceVersion'] ?? '', 'invalid resource version: ');
    const selector: Selector | undefined = selectorOf(served, query);
    const all = this.#asOf(served, namespace, query);
    const items = selector === undefined ? all : all.filter(selector);
    if (limit <= 0 || items.length <= limit) return pageOf(served, store.revision, items);
    const key = `list-${(this.#opened += 1)}`;
    const paged = { revision: store.revision, items, isSelected: selector !== undefined };
    this.#open.set(key, paged);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= 64) break;
      this.#open.delete(oldest);
    }
    return this.#slice(served, key, paged, 0, limit);
  }

  /** What is stored, or what was at the version that is asked for (fact: a version with a limit means exactly that one). */
  #asOf({ kind }: ServedKind, namespace: string | undefined, query: Query): readonly StoredObject[] {
    const { store } = this.#state;
    const { resourceVersion: version = '', resourceVersionMatch: match = '' } = query;
    const isExact = match === 'Exact' || (match === '' && Number(query['limit'] ?? 0) > 0);
    if (!isExact || version === '' || version === '0') return store.list(kind, namespace);
    const then = store.listAt(kind, namespace, Number(version));
    if (then !== undefined) return then;
    throw expired('The resourceVersion for the provided list is too old.');
  }

  #page(served: ServedKind, token: string, limit: number): ObjectPage {
    const [key = '', offset = ''] = readToken(token);
    const paged = this.#open.get(key);
    if (paged === undefined) {
      throw expired(
        'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
      );
    }
    return this.#slice(served, key, paged, Number(offset), limit <= 0 ? paged.items.length : limit);
  }

  #slice(served: ServedKind, key: string, paged: Paged, offset: number, limit: number): ObjectPage {
    const end = offset + limit;
    const page = pageOf(served, paged.revision, paged.items.slice(offset, end));
    if (end >= paged.items.length) {
      this.#open.delete(key);
      return page;
    }
    return {
      ...page,
      metadata: {
        ...page.metadata,
        continue: Buffer.from(JSON.stringify([key, String(end)])).toString('base64url'),
        ...(!paged.isSelected && { remainingItemCount: paged.items.length - end }),
      },
    };
  }
}

/** A token is JSON in base64, as those of a real server are, and is complained of alike. */
function readToken(token: string): readonly string[] {
  const text = Buffer.from(token, 'base64url').toString('latin1');
  try {
    return JSON.parse(text) as readonly string[];
  } catch {
    const code = text.codePointAt(0) ?? 0;
    const isShown = code >= 0x20 && (code < 0x7f || code > 0x9f);
    const shown = isShown ? (text[0] ?? '') : `\\u${code.toString(16).padStart(4, '0')}`;
    throw badRequest(
      `invalid continue token: continue key is not valid: invalid character '${shown}' looking for beginning of value`,
    );
  }
}

function pageOf({ kind }: ServedKind, revision: number, items: readonly StoredObject[]): ObjectPage {
  return {
    apiVersion: apiVersionOf(kind),
    kind: `${kind.kind}List`,
    metadata: { resourceVersion: String(revision) },
    items,
  };
}

/** A version that this server has not reached: only a client of another server can ask for it. */
export function checkVersion({ store }: ServerState, version: string, head = ''): void {
  if (version === '') return;
  if (!/^\d+$/.test(version)) {
    throw badRequest(
      `${head}resourceVersion: Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`,
    );
  }
  if (Number(version) <= store.revision) return;
  throw new Refusal(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${version}, current: ${store.revision}`,
    {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  );
}
