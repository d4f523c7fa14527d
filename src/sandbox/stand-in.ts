import { createHash } from 'node:crypto';
import type { KubeObject, ResourceKind, Stored } from '../api/meta.ts';
import { events } from '../api/kinds.ts';
import { ObjectCache } from '../kube/cache.ts';
import type { KubeClient, ListOptions } from '../kube/client.ts';
import { isKubeError, isTransientKubeError } from '../kube/errors.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Clock } from '../runtime/clock.ts';
import { rfc3339 } from '../runtime/clock.ts';
import type { Reconcile } from '../runtime/controller.ts';
import { Controller } from '../runtime/controller.ts';
import type { Logger } from '../runtime/log.ts';

export interface StandInDeps {
  readonly clock: Clock;
  /** Seeded; in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
}

export interface RunningStandIn {
  /** All caches are filled and all controllers run. Pending for ever when stopped before. */
  readonly ready: Promise<void>;
  /** Everything has ended after the abort. Never rejects. */
  readonly stopped: Promise<void>;
}

/**
 * What a foreign controller (CDI, a provisioner, KubeVirt) is made of here: caches of an API server, controllers, and little else.
 * An ordinary client, so that it runs on the embedded API server and on a real one alike.
 */
export class StandIn {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly #name: string;
  readonly #reflectors: { run(signal: AbortSignal): Promise<void>; readonly synced: Promise<undefined> }[] =
    [];
  readonly #controllers: Controller[] = [];

  constructor(name: string, client: KubeClient, deps: StandInDeps) {
    this.#name = name;
    this.client = client;
    this.clock = deps.clock;
    this.random = deps.random;
    this.log = deps.log.child({ standIn: name });
  }

  cache<T extends KubeObject, Index extends string = never>(
    kind: ResourceKind<T>,
    options: {
      readonly selection?: ListOptions;
      readonly indexes?: Readonly<Record<Index, (object: Stored<T>) => readonly string[]>>;
    } = {},
  ): ObjectCache<T, Index> {
    const cache = new ObjectCache<T, Index>({
      logger: this.log,
      ...(options.indexes && { indexes: options.indexes }),
    });
    const reflector = new Reflector({
      client: this.client,
      kind,
      ...(options.selection && { selection: options.selection }),
      sink: cache,
      clock: this.clock,
      random: this.random,
      logger: this.log,
    });
    this.#reflectors.push(reflector);
    return cache;
  }

  /** `workers` reconciles at once, of different keys. Waits after failures grow from 10 ms to 30 s. */
  controller(name: string, reconcile: Reconcile, workers = 8): Controller {
    const controller = new Controller({
      name: `${this.#name}-${name}`,
      workers,
      reconcile: async (key, signal, context) => {
        try {
          return await reconcile(key, signal, context);
        } catch (error) {
          // Somebody else wrote meanwhile, or the server is in trouble: nothing to tell anyone about.
          if (isKubeError(error, 'Conflict')) return { requeueAfterMs: 10 };
          if (isTransientKubeError(error) && !signal.aborted) return { requeueAfterMs: 1000 };
          throw error;
        }
      },
      clock: this.clock,
      logger: this.log,
      limits: { firstMs: 10, maxMs: 30_000 },
    });
    this.#controllers.push(controller);
    return controller;
  }

  /** To be called once, when all caches and controllers are made. `prepare` runs first; its failure is tried again every second. */
  start(signal: AbortSignal, prepare?: (signal: AbortSignal) => Promise<void>): RunningStandIn {
    const reflecting = this.#reflectors.map((reflector) => reflector.run(signal));
    const ready = (async () => {
      await Promise.all(this.#reflectors.map((reflector) => reflector.synced));
      if (prepare) await this.insist(() => prepare(signal), signal);
    })();
    const running = (async () => {
      await Promise.race([ready.catch(() => undefined), aborted(signal)]);
      if (!signal.aborted) await Promise.all(this.#controllers.map((controller) => controller.run(signal)));
    })();
    ready.catch(() => undefined);
    return { ready, stopped: Promise.all([...reflecting, running]).then(() => undefined) };
  }

  /** Repeats `act` every second until it succeeds, is refused for good, or is aborted. */
  async insist<R>(act: () => Promise<R>, signal: AbortSignal): Promise<R> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (signal.aborted || !(isTransientKubeError(error) || isKubeError(error, 'Conflict'))) throw error;
      }
      await this.clock.sleep(1000, signal);
    }
  }

  /** Creates `object` unless one of that name is there. */
  async ensure<T extends KubeObject>(kind: ResourceKind<T>, object: T, signal: AbortSignal): Promise<void> {
    try {
      await this.client.create(kind, object, {}, signal);
    } catch (error) {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    }
  }

  /** Writes an Event; the same one again only counts up. Never fails: an event is news, not state. */
  async event(
    about: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { namespace = 'default', name, uid = '' } = about.metadata;
    const digest = createHash('sha256')
      .update(`${uid} ${type} ${reason} ${message}`)
      .digest('hex')
      .slice(0, 16);
    const at = { namespace, name: `${name.slice(0, 200)}.${digest}` };
    const now = rfc3339(this.clock.now());
    try {
      const existing = await this.client.get(events, at, signal);
      if (existing !== undefined) {
        const count = (existing.count ?? 1) + 1;
        await this.client.mergePatch(events, at, { count, lastTimestamp: now }, {}, signal);
        return;
      }
      await this.client.create(
        events,
        {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: at,
          involvedObject: { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid },
          type,
          reason,
          message: message.slice(0, 1024),
          count: 1,
          firstTimestamp: now,
          lastTimestamp: now,
          source: { component: this.#name },
        },
        {},
        signal,
      );
    } catch (error) {
      this.log.debug('event not written', { error, reason, object: name });
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
