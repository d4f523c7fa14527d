import type { KubeObject, Stored } from '../api/meta.ts';
import type { ObjectCache } from '../kube/cache.ts';
import type { Priority } from './queue.ts';

/** Who is woken: a Controller, or anything else with a queue behind it. */
export interface Enqueues<K extends string> {
  enqueue(key: K, priority?: Priority): void;
}

/**
 * Wakes the keys that a change of a cached object concerns. `map` sees both states (see CacheHandler) and returns no key for a change
 * that concerns nobody, such as mere progress. What the first list brings comes at low priority: nobody waits for it, and behind
 * thousands of unchanged objects a live event would. Stops when disposed of.
 */
export function watchCache<T extends KubeObject, K extends string>(
  cache: ObjectCache<T>,
  target: Enqueues<K>,
  map: (before: Stored<T> | undefined, after: Stored<T> | undefined) => readonly K[],
): Disposable {
  return cache.onChange((before, after, { isInitial }) => {
    for (const key of map(before, after)) target.enqueue(key, isInitial ? 'low' : 'normal');
  });
}
