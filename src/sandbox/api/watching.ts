import { apiVersionOf } from '../../api/meta.ts';
import { expired, Refusal } from './refusal.ts';
import { selectorOf } from './selectors.ts';
import type { Selector } from './selectors.ts';
import type { ServedKind } from './served-kind.ts';
import type { ServerState } from './server-state.ts';
import type { StoreEvent } from './store.ts';
import type { StoredObject } from './stored-object.ts';

type Query = Readonly<Record<string, string>>;

/** One line of a watch; the object is shared and must be copied or written out by who receives it. */
export interface WatchLine {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: object;
}
export interface WatchSink {
  line(line: WatchLine): void;
  /** The server has ended the watch. */
  end(): void;
}

/** fact: apiserver minRequestTimeout: a watch that asks for no end gets one between 30 and 60 minutes. */
const shortestWatchSeconds = 1800;
/** fact: cacher: a bookmark comes this long before the end, so that the next watch starts where nothing is missed. */
const bookmarkLeadSeconds = 2;

/**
 * GET with watch=true. All that happened after `resourceVersion`, then what happens until the end; without a version (or with "0") what
 * exists comes first, as ADDED. A version that is too old is told in the stream, as a real API server's watch cache does.
 */
export class Watch implements Disposable {
  readonly #state: ServerState;
  readonly #served: ServedKind;
  readonly #namespace: string | undefined;
  readonly #selector: Selector | undefined;
  readonly #sink: WatchSink;
  readonly #bookmarks: boolean;
  #resources: Disposable[] = [];

  constructor(
    state: ServerState,
    served: ServedKind,
    namespace: string | undefined,
    query: Query,
    sink: WatchSink,
  ) {
    this.#state = state;
    this.#served = served;
    this.#namespace = namespace;
    this.#selector = selectorOf(served, query);
    this.#sink = sink;
    this.#bookmarks = query['allowWatchBookmarks'] === 'true';
    const version = query['resourceVersion'] ?? '';
    if (version !== '' && !/^\d+$/.test(version)) {
      const why = `resourceVersion: Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`;
      throw new Refusal(500, '', why);
    }
    if (!this.#start(query, version)) return;
    this.#resources.push(state.store.listen(served.kind, (event) => this.#event(event)));
    this.#setTimers(Number(query['timeoutSeconds'] ?? 0));
  }

  /** Ends it without a word: the client is gone. */
  [Symbol.dispose](): void {
    for (const resource of this.#resources) resource[Symbol.dispose]();
    this.#resources = [];
  }

  /** Tells the client that its version is too old, and ends the watch. */
  expire(version: string): void {
    const oldest = this.#state.store.completeAfter(this.#served.kind);
    const { status } = expired(`too old resource version: ${version} (${oldest})`);
    this.#sink.line({ type: 'ERROR', object: status });
    this[Symbol.dispose]();
    this.#sink.end();
  }

  #start(query: Query, version: string): boolean {
    const { store } = this.#state;
    const { kind } = this.#served;
    const fromNow = version === '' || version === '0';
    if (fromNow || query['sendInitialEvents'] === 'true') {
      if (query['sendInitialEvents'] === 'false') return true;
      for (const object of store.list(kind, this.#namespace)) {
        if (this.#selector?.(object) !== false) this.#sink.line({ type: 'ADDED', object });
      }
      // fact: WatchList (KEP-3157): this mark says that the initial state is complete.
      if (query['sendInitialEvents'] === 'true' && this.#bookmarks)
        this.#bookmark({ 'k8s.io/initial-events-end': 'true' });
      return true;
    }
    const missed = store.eventsAfter(kind, Number(version));
    if (missed === undefined) {
      this.expire(version);
      return false;
    }
    for (const event of missed) this.#event(event);
    return true;
  }

  #setTimers(timeoutSeconds: number): void {
    const { clock, random } = this.#state;
    const seconds = timeoutSeconds > 0 ? timeoutSeconds : shortestWatchSeconds * (1 + random());
    const lead = Math.min(bookmarkLeadSeconds, seconds / 2);
    if (this.#bookmarks) {
      this.#resources.push(clock.setTimeout(() => this.#bookmark(), (seconds - lead) * 1000));
    }
    this.#resources.push(
      clock.setTimeout(() => {
        this[Symbol.dispose]();
        this.#sink.end();
      }, seconds * 1000),
    );
  }

  #bookmark(annotations?: Readonly<Record<string, string>>): void {
    const { kind } = this.#served;
    const metadata = {
      resourceVersion: String(this.#state.store.revision),
      ...(annotations !== undefined && { annotations }),
    };
    this.#sink.line({
      type: 'BOOKMARK',
      object: { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata },
    });
  }

  /** An object that enters the selection is ADDED, one that leaves it DELETED (fact: cacher's event conversion). */
  #event({ type, object, previous }: StoreEvent): void {
    if (this.#namespace !== undefined && object.metadata.namespace !== this.#namespace) return;
    if (this.#selector === undefined) {
      this.#sink.line({ type, object });
      return;
    }
    const is = type !== 'DELETED' && this.#selector(object);
    const was = previous !== undefined && this.#selector(previous);
    if (is) this.#sink.line({ type: was ? 'MODIFIED' : 'ADDED', object });
    else if (was) this.#sink.line({ type: 'DELETED', object: left(object, previous, type) });
  }
}

/** Who leaves the selection is shown as it last was in it, with the version of the event. */
function left(object: StoredObject, previous: StoredObject, type: StoreEvent['type']): StoredObject {
  if (type === 'DELETED') return object;
  const { resourceVersion } = object.metadata;
  return {
    ...previous,
    metadata: { ...previous.metadata, ...(resourceVersion !== undefined && { resourceVersion }) },
  };
}
