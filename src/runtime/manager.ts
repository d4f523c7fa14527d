import { LeadershipLost, type LeaderElector, type Leadership } from '../kube/lease.ts';
import { LinkedAbort } from '../kube/linked-abort.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** Works until aborted, then resolves when it has come to rest. To resolve or reject earlier is a failure of the whole process. */
export interface Runnable {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** A Runnable that others wait for: a reflector with its cache. */
export interface SyncedRunnable extends Runnable {
  /** Resolves when there is something to work with. */
  readonly synced: Promise<unknown>;
}

export interface ManagerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent: there is only one replica, and controllers start as soon as the caches are synced. */
  readonly elector?: LeaderElector;
  /** How long controllers may take to come to rest, milliseconds; default 30 s, a pod's own grace period. */
  readonly graceMs?: number;
}

const defaultGraceMs = 30_000;

/**
 * Starts and stops the parts of a process in order: services and caches on every replica; once the caches are synced and this replica
 * leads, the controllers. It stops in reverse, so that nothing loses what it stands on, and the lease is let go only after the last
 * controller has come to rest: the next leader never works beside this one.
 */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #logger: Logger;
  readonly #services: Runnable[] = [];
  readonly #caches: SyncedRunnable[] = [];
  readonly #controllers: Runnable[] = [];
  #isStarted = false;
  #isSynced = false;
  #isLeading = false;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#logger = options.logger;
  }

  /** All caches hold a whole list; for readiness. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** The controllers run here. */
  get isLeading(): boolean {
    return this.#isLeading;
  }

  /** Runs on every replica, from the start to the end: health, webhooks, the inventory. */
  addService(service: Runnable): void {
    this.#checkNotStarted(service);
    this.#services.push(service);
  }

  addCache(cache: SyncedRunnable): void {
    this.#checkNotStarted(cache);
    this.#caches.push(cache);
  }

  /** Runs on the leader alone. */
  addController(controller: Runnable): void {
    this.#checkNotStarted(controller);
    this.#controllers.push(controller);
  }

  /**
   * Runs all of it until `signal` aborts, and resolves when everything has come to rest. Rejects when a part failed, or with
   * LeadershipLost: the process is then to end, since only a new start knows nothing stale.
   */
  async run(signal: AbortSignal): Promise<void> {
    this.#checkNotStarted({ name: 'manager' });
    this.#isStarted = true;
    using stop = new LinkedAbort(signal);
    const services = new RunningGroup(this.#services, stop, this.#logger);
    const caches = new RunningGroup(this.#caches, stop, this.#logger);
    try {
      await this.#work(stop);
    } finally {
      stop.abort(new Error('the manager stops'));
      await caches.stop();
      await services.stop();
      this.#logger.info('stopped');
    }
    const failure = caches.failure ?? services.failure;
    if (failure !== undefined) throw failure;
  }

  async #work(stop: LinkedAbort): Promise<void> {
    if (!(await settled(Promise.all(this.#caches.map((cache) => cache.synced)), stop.signal))) return;
    this.#isSynced = true;
    this.#logger.info('caches synced', { caches: this.#caches.length });
    const { elector } = this.#options;
    if (elector === undefined) {
      await this.#lead(stop, undefined);
      return;
    }
    let leadership: Leadership;
    try {
      leadership = await elector.acquire(stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return;
      throw error;
    }
    await this.#lead(stop, leadership);
  }

  async #lead(stop: LinkedAbort, leadership: Leadership | undefined): Promise<void> {
    const { clock, graceMs = defaultGraceMs } = this.#options;
    using term = new LinkedAbort(stop.signal);
    const onLost = (): void => term.abort(leadership?.lost.reason);
    if (leadership?.lost.aborted === true) onLost();
    leadership?.lost.addEventListener('abort', onLost, { once: true });
    this.#isLeading = true;
    const controllers = new RunningGroup(this.#controllers, term, this.#logger);
    await aborted(term.signal);
    this.#isLeading = false;
    const isAtRest = await within(controllers.stop(), graceMs, clock);
    if (isAtRest) await leadership?.[Symbol.asyncDispose]();
    else {
      this.#logger.error('controllers still work after the grace period: the lease is left to expire', {
        graceMs,
      });
      leadership?.abandon();
    }
    if (leadership?.lost.reason instanceof LeadershipLost) throw leadership.lost.reason;
    if (controllers.failure !== undefined) throw controllers.failure;
  }

  #checkNotStarted({ name }: { readonly name: string }): void {
    if (this.#isStarted) throw new Error(`${name}: the manager runs already`);
  }
}

/** Parts that run together. When one of them fails, or ends before it is told to, `stop` is aborted. */
class RunningGroup {
  readonly #abort = new LinkedAbort();
  readonly #runs: readonly Promise<void>[];
  /** Of the first that failed. */
  failure: Error | undefined;

  constructor(parts: readonly Runnable[], stop: LinkedAbort, logger: Logger) {
    this.#runs = parts.map(async ({ name }, i) => {
      try {
        await parts[i]?.run(this.#abort.signal);
        if (!this.#abort.signal.aborted) throw new Error(`${name} ended by itself`);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        logger.error('a part of the process failed', { part: name, error });
        this.failure ??= new Error(`${name} failed`, { cause: error });
        stop.abort(this.failure);
      }
    });
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('told to stop'));
    await Promise.all(this.#runs);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** True when `promise` resolved, false when the signal aborted first. */
async function settled(promise: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  return Promise.race([promise.then(() => true), aborted(signal).then(() => false)]);
}

async function within(promise: Promise<void>, ms: number, clock: Clock): Promise<boolean> {
  const { promise: timeUp, resolve } = Promise.withResolvers<boolean>();
  using _timer = clock.setTimeout(() => resolve(false), ms);
  return await Promise.race([promise.then(() => true), timeUp]);
}
