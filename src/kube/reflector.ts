import type { KubeObject, ResourceKind } from '../api/meta.ts';
import { resourceName } from '../api/meta.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Random } from './backoff.ts';
import { backoffMs } from './backoff.ts';
import type { KubeClient, ListOptions, ObjectList, WatchEvent } from './client.ts';
import { KubeError, isKubeError } from './errors.ts';
import { LinkedAbort } from './linked-abort.ts';
import type { SightObserver } from './sight.ts';

/** What a reflector fills; an ObjectCache is one. Both calls happen one after another, in the order of the server's history. */
export interface ReflectorSink<T extends KubeObject> {
  /** The whole selection, as of one version. */
  replace(list: ObjectList<T>): void;
  apply(event: WatchEvent<T>): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly kind: ResourceKind<T>;
  /** Narrows what is listed and watched, the same for both. */
  readonly selection?: ListOptions;
  /** An add-on brings this kind: where the server does not serve it there are no objects of it, and it is looked for again. */
  readonly mayBeAbsent?: boolean;
  readonly sink: ReflectorSink<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /**
   * A watch silent for so long (milliseconds) is taken for dead; default 150 s. Servers send a bookmark about every minute, but only when
   * there is a newer version to tell of: of a kind in which nothing happens a watch is then merely begun anew, from the same version.
   */
  readonly inactivityMs?: number;
  readonly sight?: SightObserver;
}

const backoff = { firstMs: 800, maxMs: 30_000 };
/** Watches end by themselves after 5 to 10 minutes: servers that come and go get their share, and not all at one moment. */
const shortestWatchSeconds = 300;
const watchSpreadSeconds = 300;
const defaultInactivityMs = 150_000;
/** A watch that lived so long was no failure, even if nothing happened in it. */
const healthyWatchMs = 5000;
/** How often (milliseconds) a kind that was absent is looked for. */
const absentMs = 30_000;
/**
 * After so many failures in a row the version itself is doubted (a server restored to an earlier state never serves it again), and the view
 * of the world is lost until the next list. One connection that broke is neither.
 */
const failuresBeforeRelist = 3;

/**
 * Keeps a sink in step with one selection of a server's objects: one whole list, then watches from where the last one ended. Every
 * failure is followed by a jittered, growing wait; a version that the server no longer has (410) by a new list.
 */
export class Reflector<T extends KubeObject> {
  /** Resolves when the first list is in the sink. Never rejects: a reflector stopped before then leaves it pending. */
  readonly synced: Promise<undefined>;
  readonly #options: ReflectorOptions<T>;
  readonly #logger: Logger;
  readonly #markSynced: () => void;
  /** Where to watch from; undefined when only a list can tell. */
  #version: string | undefined;
  #failures = 0;
  #isAbsent = false;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#logger = options.logger.child({ resource: resourceName(options.kind) });
    const synced = Promise.withResolvers<undefined>();
    this.synced = synced.promise;
    this.#markSynced = () => synced.resolve(undefined);
  }

  /** Works until aborted, then resolves. Never rejects. To be called once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list(signal);
        else await this.#watch(this.#version, signal);
      } catch (error) {
        await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, kind, selection, sink } = this.#options;
    const list = await client.list(kind, selection, signal);
    sink.replace(list);
    this.#version = list.resourceVersion;
    this.#isAbsent = false;
    this.#options.sight?.regained();
    this.#markSynced();
  }

  async #waitUntilServed(signal: AbortSignal): Promise<void> {
    const { sink, clock } = this.#options;
    if (!this.#isAbsent) this.#logger.info('the cluster does not have this kind');
    this.#isAbsent = true;
    this.#version = undefined;
    sink.replace({ items: [], resourceVersion: '' });
    this.#options.sight?.regained();
    this.#markSynced();
    await clock.sleep(absentMs, signal).catch(() => undefined);
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, kind, selection, sink, clock, random } = this.#options;
    const timeoutSeconds = shortestWatchSeconds + Math.floor(random() * watchSpreadSeconds);
    const startedMs = clock.monotonicMs();
    using guard = new SilenceGuard(clock, this.#options.inactivityMs ?? defaultInactivityMs, signal);
    try {
      for await (const event of client.watch(
        kind,
        { ...selection, resourceVersion, timeoutSeconds },
        guard.signal,
      )) {
        guard.heard();
        sink.apply(event);
        this.#version =
          event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
        this.#failures = 0;
      }
    } catch (error) {
      if (guard.hasFired && !signal.aborted) return;
      throw error;
    } finally {
      if (clock.monotonicMs() - startedMs >= healthyWatchMs) this.#failures = 0;
    }
    if (clock.monotonicMs() - startedMs < healthyWatchMs && this.#version === resourceVersion) {
      throw new KubeError({
        code: 'ServerError',
        status: 200,
        attempted: `watch ${resourceName(kind)}`,
        detail: 'the server ended the watch at once',
      });
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (this.#options.mayBeAbsent === true && isKubeError(error, 'NotFound')) {
      await this.#waitUntilServed(signal);
      return;
    }
    this.#failures += 1;
    const failures = this.#failures;
    const isGone = isKubeError(error, 'Gone');
    // What is no refusal of the server comes from the sink: it may have missed an event.
    const isBlind = failures % failuresBeforeRelist === 0;
    if (isBlind) this.#options.sight?.lost();
    if (isGone || !isKubeError(error) || isBlind) this.#version = undefined;
    if (isGone && failures === 1) {
      this.#logger.info('the version watched from has expired: listing again');
      return;
    }
    const waitMs = backoffMs(failures, backoff, this.#options.random);
    this.#logger.warn('list or watch failed', { error, failures, waitMs });
    await this.#options.clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

/** Aborts when nothing was heard for `ms`. One timer that looks back, so that an event costs nothing. */
class SilenceGuard implements Disposable {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #abort: LinkedAbort;
  #heardMs: number;
  #timer: Disposable;
  #fired = false;

  constructor(clock: Clock, ms: number, signal: AbortSignal) {
    this.#clock = clock;
    this.#ms = ms;
    this.#abort = new LinkedAbort(signal);
    this.#heardMs = clock.monotonicMs();
    this.#timer = clock.setTimeout(this.#look, ms);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get hasFired(): boolean {
    return this.#fired;
  }

  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#abort[Symbol.dispose]();
  }

  readonly #look = (): void => {
    const leftMs = this.#heardMs + this.#ms - this.#clock.monotonicMs();
    if (leftMs > 0) {
      this.#timer = this.#clock.setTimeout(this.#look, leftMs);
      return;
    }
    this.#fired = true;
    this.#abort.abort(new Error(`nothing heard for ${this.#ms} ms`));
  };
}
