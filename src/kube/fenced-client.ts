import type { KubeClient } from './client.ts';
import type { Fence } from './lease.ts';

/**
 * The same client for one who may write only while he leads: every call that would change something asks the fence first, right before it
 * is sent. Reads and dry-runs pass. A process that was frozen for longer than its lease wakes up in the middle of something; whatever that
 * is, nothing of it goes out any more (review.md F62). Rejects with FenceClosed.
 */
export function fencedClient(client: KubeClient, fence: Fence): KubeClient {
  return {
    get: (kind, at, signal) => client.get(kind, at, signal),
    list: (kind, options, signal) => client.list(kind, options, signal),
    watch: (kind, options, signal) => client.watch(kind, options, signal),
    version: (signal) => client.version(signal),
    async create(kind, object, options, signal) {
      if (options?.dryRun !== true) fence.check();
      return client.create(kind, object, options, signal);
    },
    async mergePatch(kind, at, patch, options, signal) {
      fence.check();
      return client.mergePatch(kind, at, patch, options, signal);
    },
    async jsonPatch(kind, at, patch, options, signal) {
      fence.check();
      return client.jsonPatch(kind, at, patch, options, signal);
    },
    async delete(kind, at, options, signal) {
      fence.check();
      return client.delete(kind, at, options, signal);
    },
    async podProxy(at, port, path, method, signal) {
      if (method !== 'GET') fence.check();
      return client.podProxy(at, port, path, method, signal);
    },
  };
}
