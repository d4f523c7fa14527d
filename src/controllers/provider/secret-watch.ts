import type { Secret } from '../../api/external/core.ts';
import { secrets } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient, ObjectKey } from '../../kube/client.ts';
import { Reflector } from '../../kube/reflector.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';

export interface SecretWatchDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/**
 * Follows the one Secret of a Provider by name. All Secrets of a cluster are nobody's business (review.md F51), and polling them would
 * make a password change take until the next poll.
 */
export class SecretWatch {
  readonly at: ObjectKey;
  readonly #cache: ObjectCache<Secret>;
  readonly #end = new AbortController();

  constructor(at: ObjectKey, deps: SecretWatchDeps, onChange: () => void) {
    this.at = at;
    this.#cache = new ObjectCache<Secret>({ logger: deps.log });
    this.#cache.onChange(() => onChange());
    const { namespace } = at;
    const reflector = new Reflector<Secret>({
      client: deps.client,
      kind: secrets,
      selection: { fieldSelector: `metadata.name=${at.name}`, ...(namespace !== undefined && { namespace }) },
      sink: this.#cache,
      clock: deps.clock,
      random: deps.random,
      logger: deps.log,
    });
    void reflector.run(this.#end.signal);
    // An empty list changes nothing in the cache, and yet is the news that there is no such Secret.
    void reflector.synced.then(() => onChange());
  }

  get hasSynced(): boolean {
    return this.#cache.hasSynced;
  }

  get secret(): Stored<Secret> | undefined {
    return this.#cache.get(this.at);
  }

  stop(): void {
    this.#end.abort(new Error('the Secret is no longer followed'));
  }
}

/** Decoded data of a Secret. */
export function secretData(secret: Secret): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString('utf8'),
    ]),
  );
}
