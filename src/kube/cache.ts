import type { KubeObject, Stored } from '../api/meta.ts';
import type { Logger } from '../runtime/log.ts';
import type { ObjectKey, ObjectList, WatchEvent } from './client.ts';
import { ObjectIndex } from './object-index.ts';
import { keyOf, keyString } from './object-key.ts';
import { isOlder } from './resource-version.ts';

export interface ObjectCacheOptions<T extends KubeObject, Index extends string> {
  readonly logger: Logger;
  /** Named index functions: object -> the values under which `byIndex` finds it. Must be pure. */
  readonly indexes?: Readonly<Record<Index, (object: Stored<T>) => readonly string[]>>;
  /** What is kept of an object; by default all but managedFields. Must keep name, namespace, uid and resourceVersion. */
  readonly transform?: (object: Stored<T>) => Stored<T>;
  /** Freezes all that is kept, so that a test finds whoever writes to it. */
  readonly freeze?: boolean;
}

/** `before` undefined: new to us. `after` undefined: gone, or out of the selection. Never both. */
export type CacheHandler<T extends KubeObject> = (
  before: Stored<T> | undefined,
  after: Stored<T> | undefined,
  context: { readonly isInitial: boolean },
) => void;

/**
 * The objects of one watch (a kind, perhaps narrowed by selector and namespace) as far as they are known. Filled by a Reflector, and
 * by `put` with the answers to our own writes, so that nobody decides from a state older than what he wrote himself.
 *
 * Invariants, where versions can be compared (see resource-version.ts):
 * - what is held of an object never gets older, and an object seen deleted does not come back: a watch delivers the changes of a
 *   resource in the order of their versions, so an answer at or below the version that the watch has reached tells nothing new;
 * - handlers are called once for each change, in the order of changes, after the cache and its indexes show it.
 */
export class ObjectCache<T extends KubeObject, Index extends string = string> {
  readonly #logger: Logger;
  readonly #transform: (object: Stored<T>) => Stored<T>;
  readonly #objects = new Map<string, Stored<T>>();
  readonly #indexes = new Map<string, ObjectIndex<Stored<T>>>();
  readonly #handlers = new Set<CacheHandler<T>>();
  /** The version that list and watch have reached; undefined before the first list. */
  #reached: string | undefined;
  /** Objects that our own writes took out of the selection, at which version, until the watch has got there. */
  readonly #forgotten = new Map<string, string>();

  constructor(options: ObjectCacheOptions<T, Index>) {
    this.#logger = options.logger;
    const transform = options.transform ?? withoutManagedFields;
    this.#transform = options.freeze === true ? (object) => deepFreeze(transform(object)) : transform;
    const functions: Readonly<Record<string, (object: Stored<T>) => readonly string[]>> =
      options.indexes ?? {};
    for (const [name, valuesOf] of Object.entries(functions))
      this.#indexes.set(name, new ObjectIndex(valuesOf));
  }

  /** True once a whole list has been taken in. */
  get hasSynced(): boolean {
    return this.#reached !== undefined;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(at: ObjectKey): Stored<T> | undefined {
    return this.#objects.get(keyString(at));
  }

  /** By "namespace/name", as a work queue carries it. */
  getByKey(key: string): Stored<T> | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): readonly Stored<T>[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  /** Throws RangeError for an index that was not declared. */
  byIndex(index: Index, value: string): readonly Stored<T>[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new RangeError(`the cache has no index "${index}"`);
    return found.get(value);
  }

  /** Handlers hear of each change; first, at once, of all that is held already (as initial). They must not throw nor wait. */
  onChange(handler: CacheHandler<T>): Disposable {
    this.#handlers.add(handler);
    for (const object of [...this.#objects.values()]) this.#call(handler, undefined, object, true);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }

  /**
   * Takes in the server's answer to a write of our own. Ignored when older than what is known; not to be called with the answer to a
   * delete, nor with an object outside of what the cache watches.
   */
  put(stored: Stored<T>): void {
    const { resourceVersion } = stored.metadata;
    if (this.#reached !== undefined && !isOlder(this.#reached, resourceVersion)) return;
    this.#keepNewer(stored, false);
  }

  /**
   * Takes in that a write of our own took the object out of what is watched (its label is gone): `stored` is the server's answer. The
   * watch says the same a little later; events from before our write do not bring the object back until then.
   */
  forget(stored: Stored<T>): void {
    const { resourceVersion } = stored.metadata;
    if (this.#reached !== undefined && !isOlder(this.#reached, resourceVersion)) return;
    const key = keyOf(stored);
    const held = this.#objects.get(key);
    if (held !== undefined && isOlder(resourceVersion, held.metadata.resourceVersion)) return;
    this.#forgotten.set(key, resourceVersion);
    this.#drop(stored);
  }

  /** Takes in a whole list. What it lacks is gone, unless we hold it at a version that the list has not reached yet (a write of ours). */
  replace(list: ObjectList<T>): void {
    const isInitial = this.#reached === undefined;
    // A list behind what was reached means that the server's history was rolled back (a restored etcd): versions held mean nothing.
    const rolledBack = this.#reached !== undefined && isOlder(list.resourceVersion, this.#reached);
    if (rolledBack) this.#forgotten.clear();
    this.#reach(list.resourceVersion);
    const listed = new Set<string>();
    for (const object of list.items) {
      const key = keyOf(object);
      listed.add(key);
      const held = this.#objects.get(key);
      if (rolledBack && held?.metadata.resourceVersion !== object.metadata.resourceVersion) {
        this.#set(key, held, this.#transform(object), isInitial);
      } else this.#keepNewer(object, isInitial);
    }
    for (const [key, held] of [...this.#objects]) {
      const isAhead = isOlder(list.resourceVersion, held.metadata.resourceVersion);
      if (!listed.has(key) && (rolledBack || !isAhead)) this.#set(key, held, undefined, isInitial);
    }
  }

  /** Takes in one event of the watch. */
  apply(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') {
      this.#advance(event.resourceVersion);
      return;
    }
    this.#advance(event.object.metadata.resourceVersion);
    if (event.type === 'DELETED') this.#drop(event.object);
    else this.#keepNewer(event.object, false);
  }

  #advance(version: string): void {
    if (this.#reached === undefined || !isOlder(version, this.#reached)) this.#reach(version);
  }

  #reach(version: string): void {
    this.#reached = version;
    for (const [key, forgottenAt] of this.#forgotten) {
      if (!isOlder(version, forgottenAt)) this.#forgotten.delete(key);
    }
  }

  #keepNewer(object: Stored<T>, isInitial: boolean): void {
    const key = keyOf(object);
    const forgottenAt = this.#forgotten.get(key);
    if (forgottenAt !== undefined && isOlder(object.metadata.resourceVersion, forgottenAt)) return;
    const held = this.#objects.get(key);
    if (held !== undefined) {
      const { resourceVersion } = held.metadata;
      if (resourceVersion === object.metadata.resourceVersion) return;
      if (isOlder(object.metadata.resourceVersion, resourceVersion)) return;
    }
    this.#set(key, held, this.#transform(object), isInitial);
  }

  /** A deletion ends its own object whatever version is held of it, and never another one that took the name since. */
  #drop(deleted: Stored<T>): void {
    const key = keyOf(deleted);
    const held = this.#objects.get(key);
    if (held === undefined) return;
    const isAnother = held.metadata.uid !== deleted.metadata.uid;
    if (isAnother && isOlder(deleted.metadata.resourceVersion, held.metadata.resourceVersion)) return;
    this.#set(key, held, undefined, false);
  }

  #set(key: string, before: Stored<T> | undefined, after: Stored<T> | undefined, isInitial: boolean): void {
    if (after === undefined) this.#objects.delete(key);
    else this.#objects.set(key, after);
    for (const index of this.#indexes.values()) index.change(key, before, after);
    for (const handler of [...this.#handlers]) this.#call(handler, before, after, isInitial);
  }

  #call(
    handler: CacheHandler<T>,
    before: Stored<T> | undefined,
    after: Stored<T> | undefined,
    isInitial: boolean,
  ): void {
    try {
      handler(before, after, { isInitial });
    } catch (error) {
      // The watch serves all handlers: one that fails must not cost the others an event.
      const object = after ?? before;
      this.#logger.error('cache handler failed', {
        error,
        ...(object !== undefined && { kind: object.kind, object: keyOf(object) }),
      });
    }
  }
}

function withoutManagedFields<T extends KubeObject>(object: Stored<T>): Stored<T> {
  const { managedFields, ...metadata } = object.metadata as Stored<T>['metadata'] & {
    managedFields?: unknown;
  };
  return managedFields === undefined ? object : { ...object, metadata };
}

function deepFreeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
