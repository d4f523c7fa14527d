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
    if (token !== '') return this.#page(served, token, limit);
    checkVersion(this.#state, query['resourceVersion'] ?? '');
    const selector: Selector | undefined = selectorOf(served, query);
    const all = store.list(served.kind, namespace);
    const items = selector === undefined ? all : all.filter(selector);
    if (limit <= 0 || items.length <= limit) return pageOf(served, store.revision, items);
    const key = `list-${(this.#opened += 1)}`;
    this.#open.set(key, { revision: store.revision, items });
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= 64) break;
      this.#open.delete(oldest);
    }
    return this.#slice(served, key, { revision: store.revision, items }, 0, limit);
  }

  #page(served: ServedKind, token: string, limit: number): ObjectPage {
    const [key = '', offset = ''] = Buffer.from(token, 'base64url').toString().split('@');
    const paged = this.#open.get(key);
    if (offset === '') throw badRequest('continue key is not valid: encoded version is not known');
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
        continue: Buffer.from(`${key}@${end}`).toString('base64url'),
        remainingItemCount: paged.items.length - end,
      },
    };
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
export function checkVersion({ store }: ServerState, version: string): void {
  if (version === '') return;
  if (!/^\d+$/.test(version)) {
    throw badRequest(
      `resourceVersion: Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`,
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
