import type { Clock } from '../../runtime/clock.ts';
import type { Change, Registry } from './managed-object.ts';
import type { PendingUpdate, PropertyFilter } from './property-filter.ts';
import { invalidCollectorVersion, requestCanceled } from './vim-fault.ts';
import { vim } from './vim-schema.ts';
import type { VimObject } from './vim-value.ts';

export interface WaitLimits {
  readonly maxWaitSeconds: number | undefined;
  readonly maxObjectUpdates: number | undefined;
}

/** No answer of the server: the way to it is cut. */
export class ConnectionReset extends Error {
  constructor() {
    super('connection reset');
    this.name = 'ConnectionReset';
  }
}

interface FilterUpdate {
  readonly filter: PropertyFilter;
  readonly update: PendingUpdate;
}
/** The rest of an answer that did not fit into one page. */
interface Rest {
  readonly updates: readonly FilterUpdate[];
  readonly complete: number;
  readonly page: number;
}

/** fact: vs 5.2: the server's own page size, whatever more the client asks for. */
export const serverPageSize = 100;

/** One property collector: its filters, and the waits on them (fact: vs 1.4). */
export class PropertyCollector implements Disposable {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #watch: Disposable;
  readonly filters = new Map<string, PropertyFilter>();
  readonly #waits = new Set<(end: 'changed' | Error) => void>();
  readonly #rests = new Map<string, Rest>();
  /** What the client has told us it has; earlier versions cannot be answered any more. */
  #acknowledged = 0;
  #closed: Error | undefined;

  constructor(registry: Registry, clock: Clock) {
    this.#registry = registry;
    this.#clock = clock;
    this.#watch = registry.watch((change) => this.#note(change));
  }

  addFilter(filter: PropertyFilter): void {
    this.filters.set(filter.ref.id, filter);
    this.#wake('changed');
  }

  /** undefined: the time ran out without a change. Throws RequestCanceled, InvalidCollectorVersion, or what close() was given. */
  async wait(version: string, limits: WaitLimits, signal: AbortSignal): Promise<VimObject | undefined> {
    const pageSize = Math.min(limits.maxObjectUpdates ?? serverPageSize, serverPageSize);
    const rest = this.#rests.get(version);
    if (rest !== undefined) return this.#page(version, rest, pageSize);
    const since = this.#sinceOf(version);
    const until =
      limits.maxWaitSeconds === undefined
        ? undefined
        : this.#clock.monotonicMs() + limits.maxWaitSeconds * 1000;
    for (;;) {
      if (this.#closed !== undefined) throw this.#closed;
      signal.throwIfAborted();
      const updates = this.#updatesSince(since);
      if (updates.length > 0) {
        return this.#page(version, { updates, complete: this.#registry.sequence, page: 0 }, pageSize);
      }
      const left = until === undefined ? undefined : until - this.#clock.monotonicMs();
      if (left !== undefined && left <= 0) return undefined;
      await this.#change(left, signal);
    }
  }

  cancelWaits(): void {
    this.#wake(requestCanceled());
  }

  /** The connection of those who wait has broken; they may come back. */
  interrupt(): void {
    this.#wake(new ConnectionReset());
  }

  /** Ends all waits with this error: the session is gone, or the collector was destroyed. */
  close(reason: Error): void {
    this.#closed = reason;
    this.#watch[Symbol.dispose]();
    this.#wake(reason);
  }

  [Symbol.dispose](): void {
    this.close(requestCanceled());
  }

  #note(change: Change): void {
    for (const filter of this.filters.values()) filter.note(change);
    this.#wake('changed');
  }

  #wake(end: 'changed' | Error): void {
    for (const wake of [...this.#waits]) wake(end);
  }

  #sinceOf(version: string): number {
    if (version === '') return 0;
    const since = /^\d+$/.test(version) ? Number(version) : NaN;
    if (!(since >= this.#acknowledged && since <= this.#registry.sequence)) throw invalidCollectorVersion();
    this.#acknowledged = since;
    for (const filter of this.filters.values()) filter.forgetUpTo(since);
    return since;
  }

  #updatesSince(since: number): readonly FilterUpdate[] {
    return [...this.filters.values()].flatMap((filter) =>
      filter.updatesSince(since).map((update) => ({ filter, update })),
    );
  }

  /** fact: vs 1.4: `truncated` means that the same version has more; the state is whole when it is absent. */
  #page(version: string, { updates, complete, page }: Rest, size: number): VimObject {
    const now = updates.slice(0, size);
    const later = updates.slice(size);
    const truncated = later.length > 0;
    const next = truncated ? `${complete}:${page + 1}` : String(complete);
    // The page asked for may be asked for again, when its answer was lost on the way; older ones may not.
    for (const token of this.#rests.keys()) if (token !== version) this.#rests.delete(token);
    if (truncated) this.#rests.set(next, { updates: later, complete, page: page + 1 });
    const filterSet = [...this.filters.values()].flatMap((filter) => {
      const objectSet = now.flatMap((entry) => {
        const rendered = entry.filter === filter ? filter.render(entry.update) : undefined;
        return rendered === undefined ? [] : [rendered];
      });
      return objectSet.length === 0 ? [] : [vim('PropertyFilterUpdate', { filter: filter.ref, objectSet })];
    });
    return vim('UpdateSet', { version: next, filterSet, ...(truncated && { truncated }) });
  }

  #change(maxMs: number | undefined, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const done = (end: unknown): void => {
      this.#waits.delete(done);
      timer?.[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
      if (end === 'changed') resolve(undefined);
      else reject(end instanceof Error ? end : new Error('aborted'));
    };
    const onAbort = (): void => done(signal.reason);
    const timer = maxMs === undefined ? undefined : this.#clock.setTimeout(() => done('changed'), maxMs);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waits.add(done);
    return promise;
  }
}
