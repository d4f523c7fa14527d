import type { KubeObject, ResourceKind, Stored } from '../../src/api/meta.ts';
import type { ObjectCache } from '../../src/kube/cache.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { collectionPath } from '../../src/kube/resource-path.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import { FakeApi } from '../kube/fake-api.ts';

/** A server with one object in it, which a cache has seen. */
export class ApiWith<T extends KubeObject> {
  readonly api = new FakeApi();
  readonly clock = new SimulatedClock({ start: Date.UTC(2026, 0, 2) });
  readonly client: KubeClient = createKubeClient(this.api, { clock: this.clock, random: () => 0.5 });
  readonly #kind: ResourceKind<T>;
  readonly #cache: ObjectCache<T>;

  constructor(kind: ResourceKind<T>, cache: ObjectCache<T>) {
    this.#kind = kind;
    this.#cache = cache;
    this.api.version = 1_000_000;
  }

  /** The server has it; the cache has seen it unless the change is meant to come unseen. */
  put(object: T, options: { readonly unseen?: boolean } = {}): Stored<T> {
    const stored = this.api.put(object, this.#path(object)) as Stored<T>;
    if (options.unseen !== true) this.#cache.put(stored);
    return stored;
  }

  find(object: T): Stored<T> {
    return this.api.find(object.metadata.name, this.#path(object)) as Stored<T>;
  }

  get writes(): number {
    return this.api.requests.filter(({ method }) => method !== 'GET').length;
  }

  #path(object: T): string {
    return collectionPath(this.#kind, object.metadata.namespace);
  }
}

export const noSignal = new AbortController().signal;
