import type { KubeObject, ResourceKind } from '../../api/meta.ts';
import { resourceName } from '../../api/meta.ts';
import type { StoredObject } from './stored-object.ts';
import { placeOf, withMeta } from './stored-object.ts';

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  /** As stored; of a deleted object its last state, with the revision of the deletion. */
  readonly object: StoredObject;
  /** What was stored before: tells a watch with a selector whether the object enters or leaves the selection. */
  readonly previous: StoredObject | undefined;
}
export type StoreListener = (event: StoreEvent, kind: ResourceKind) => void;

interface Bucket {
  readonly kind: ResourceKind;
  readonly namespaces: Map<string, Map<string, StoredObject>>;
  readonly listeners: Set<StoreListener>;
  /** Oldest first; a watch replays from here. */
  events: StoreEvent[];
  /** A watch from a revision before this one has lost events. */
  completeAfter: number;
}

const keptEvents = 4096;

/**
 * What etcd is to a cluster: objects by kind, namespace and name, one revision that grows with every write of any kind, and the recent
 * events of each kind. No rule about what an object may hold lives here. A write costs the same however much is stored.
 */
export class Store {
  readonly #buckets = new Map<string, Bucket>();
  readonly #listeners = new Set<StoreListener>();
  #revision = 1;
  /** Where the history of every kind begins. */
  #floor = 0;

  get revision(): number {
    return this.#revision;
  }

  get(kind: ResourceKind, namespace: string, name: string): StoredObject | undefined {
    return this.#buckets.get(resourceName(kind))?.namespaces.get(namespace)?.get(name);
  }

  /** In the order of etcd's keys: by namespace, then name. All namespaces when none is given. */
  list(kind: ResourceKind, namespace?: string): StoredObject[] {
    const bucket = this.#buckets.get(resourceName(kind));
    if (bucket === undefined) return [];
    const spaces = namespace === undefined ? [...bucket.namespaces.keys()].sort() : [namespace];
    return spaces.flatMap((space) =>
      [...(bucket.namespaces.get(space)?.values() ?? [])].sort((a, b) =>
        byText(a.metadata.name, b.metadata.name),
      ),
    );
  }

  /** What was there at a revision; undefined when that is too long ago to know. */
  listAt(kind: ResourceKind, namespace: string | undefined, revision: number): StoredObject[] | undefined {
    const since = this.eventsAfter(kind, revision);
    if (since === undefined) return undefined;
    const places = new Map(this.list(kind).map((object) => [keyOf(kind, object), object]));
    for (const { object, previous } of [...since].reverse()) {
      if (previous === undefined) places.delete(keyOf(kind, object));
      else places.set(keyOf(kind, object), previous);
    }
    return [...places]
      .sort(([a], [b]) => byText(a, b))
      .map(([, object]) => object)
      .filter((object) => namespace === undefined || object.metadata.namespace === namespace);
  }

  /** Stores under the next revision, and gives back what was stored. */
  put(kind: ResourceKind, object: StoredObject): StoredObject {
    const bucket = this.#bucket(kind);
    const { namespace, name } = placeOf(kind, object);
    let space = bucket.namespaces.get(namespace);
    if (space === undefined) bucket.namespaces.set(namespace, (space = new Map<string, StoredObject>()));
    const previous = space.get(name);
    const revision = (this.#revision += 1);
    const stored = withMeta(object, { resourceVersion: String(revision) });
    space.set(name, stored);
    this.#tell(bucket, {
      type: previous === undefined ? 'ADDED' : 'MODIFIED',
      revision,
      object: stored,
      previous,
    });
    return stored;
  }

  remove(kind: ResourceKind, object: KubeObject): void {
    const bucket = this.#bucket(kind);
    const { namespace, name } = placeOf(kind, object);
    const space = bucket.namespaces.get(namespace);
    const previous = space?.get(name);
    if (space === undefined || previous === undefined) return;
    space.delete(name);
    if (space.size === 0) bucket.namespaces.delete(namespace);
    const revision = (this.#revision += 1);
    const last = withMeta(previous, { resourceVersion: String(revision) });
    this.#tell(bucket, { type: 'DELETED', revision, object: last, previous });
  }

  /** Events of one kind after a revision, or undefined when some of them are no longer kept. */
  eventsAfter(kind: ResourceKind, revision: number): readonly StoreEvent[] | undefined {
    const bucket = this.#bucket(kind);
    if (revision < bucket.completeAfter) return undefined;
    return bucket.events.slice(firstAfter(bucket.events, revision));
  }

  /** The oldest revision that a watch of this kind may start from. */
  completeAfter(kind: ResourceKind): number {
    return this.#bucket(kind).completeAfter;
  }

  /** Called after each write of one kind, or of all kinds. */
  listen(kind: ResourceKind | undefined, listener: StoreListener): Disposable {
    const listeners = kind === undefined ? this.#listeners : this.#bucket(kind).listeners;
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  /** Forgets all events so far: a watch from an older revision is answered 410 (fact: etcd compaction). */
  compact(): void {
    this.#floor = this.#revision;
    for (const bucket of this.#buckets.values()) {
      bucket.events = [];
      bucket.completeAfter = this.#revision;
    }
  }

  #bucket(kind: ResourceKind): Bucket {
    const key = resourceName(kind);
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { kind, namespaces: new Map(), listeners: new Set(), events: [], completeAfter: this.#floor };
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }

  #tell(bucket: Bucket, event: StoreEvent): void {
    bucket.events.push(event);
    if (bucket.events.length > 2 * keptEvents) {
      bucket.completeAfter = bucket.events[keptEvents - 1]?.revision ?? 0;
      bucket.events = bucket.events.slice(keptEvents);
    }
    for (const listener of bucket.listeners) listener(event, bucket.kind);
    for (const listener of this.#listeners) listener(event, bucket.kind);
  }
}

function keyOf(kind: ResourceKind, object: KubeObject): string {
  const { namespace, name } = placeOf(kind, object);
  return `${namespace}/${name}`;
}

function firstAfter(events: readonly StoreEvent[], revision: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle]?.revision ?? 0) > revision) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
