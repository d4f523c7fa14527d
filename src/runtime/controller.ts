import { isKubeError } from '../kube/errors.ts';
import { LinkedAbort } from '../kube/linked-abort.ts';
import type { Clock } from './clock.ts';
import type { LogFields, Logger } from './log.ts';
import type { Priority, QueueObserver } from './queue.ts';
import { WorkQueue } from './queue.ts';
import type { RateLimits } from './rate-limiter.ts';

/**
 * Brings one object nearer to what it should be, from nothing but what the world shows now; it may be called at any time, any number
 * of times. `signal` aborts when the controller stops or the time limit is over: after it, nothing more may be changed.
 * A throw is tried again with growing waits, unless it is a TerminalError.
 */
export type Reconcile<K extends string = string> = (
  key: K,
  signal: AbortSignal,
  context: ReconcileContext,
) => Promise<ReconcileResult>;

export interface ReconcileContext {
  /** Unique in this process: ties the lines of one reconcile together. */
  readonly reconcileId: string;
  /** Carries controller, key and reconcile id. */
  readonly logger: Logger;
}

export interface ReconcileResult {
  /** To be called again so many milliseconds from now, should nothing happen before. It holds for this once. */
  readonly requeueAfterMs?: number;
}

/** No repeat can help: what the object asks for must change first. Logged and counted, not retried. */
export class TerminalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TerminalError';
  }
}

export class ReconcileTimeout extends Error {
  readonly code = 'ReconcileTimeout';

  constructor(name: string, key: string, ms: number) {
    super(`${name}: the reconcile of ${key} did not end within ${ms} ms`);
    this.name = 'ReconcileTimeout';
  }
}

export type ReconcileOutcome = 'success' | 'requeue_after' | 'error' | 'terminal_error';

/** Told of every reconcile; for metrics. Must not throw. */
export interface ControllerObserver {
  /** As the reconciles begin and end: how many are under way. */
  active(count: number): void;
  reconciled(outcome: ReconcileOutcome, seconds: number, key: string): void;
}

export interface ControllerOptions<K extends string = string> {
  /** Lower case, in metrics and logs. */
  readonly name: string;
  /** Reconciles under way at once, of different keys. Default 1. */
  readonly workers?: number;
  readonly reconcile: Reconcile<K>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time limit of one reconcile in milliseconds; default 10 minutes. */
  readonly timeoutMs?: number;
  readonly limits?: RateLimits;
  readonly observer?: ControllerObserver;
  readonly queueObserver?: QueueObserver;
  /** Fields that each line about `key` carries besides. */
  readonly describe?: (key: K) => LogFields;
}

const defaultTimeoutMs = 600_000;

/** A queue of keys and the workers that reconcile them: never one key twice at once, however often it is added. */
export class Controller<K extends string = string> {
  readonly name: string;
  readonly #options: ControllerOptions<K>;
  readonly #logger: Logger;
  readonly #queue: WorkQueue<K>;
  #active = 0;
  #lastReconcile = 0;

  /** Throws RangeError for fewer than one worker. */
  constructor(options: ControllerOptions<K>) {
    if (!((options.workers ?? 1) >= 1))
      throw new RangeError(`${options.name}: at least one worker is needed`);
    this.name = options.name;
    this.#options = options;
    this.#logger = options.logger.child({ controller: options.name });
    this.#queue = new WorkQueue<K>({
      clock: options.clock,
      ...(options.limits && { limits: options.limits }),
      ...(options.queueObserver && { observer: options.queueObserver }),
    });
  }

  /** Has `key` reconciled soon. Good before `run`, too: the key waits. */
  enqueue(key: K, priority?: Priority): void {
    this.#queue.add(key, priority);
  }

  /** Has `key` reconciled `ms` milliseconds from now, or earlier if something else asks for it (then not once more). */
  enqueueAfter(key: K, ms: number): void {
    this.#queue.addAfter(key, ms);
  }

  /** Resolves when no key is ready and none under way; those that wait for a time do not count. */
  idle(): Promise<void> {
    return this.#queue.whenIdle();
  }

  /** Works until aborted; resolves when every reconcile under way has ended. To be called once. */
  async run(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const workers = Array.from({ length: this.#options.workers ?? 1 }, () => this.#work(signal));
    await stopped;
    await this.#queue.shutdown();
    await Promise.all(workers);
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      this.#options.observer?.active((this.#active += 1));
      try {
        await this.#reconcile(key, signal);
      } finally {
        this.#options.observer?.active((this.#active -= 1));
        // Last: the key is not handed out again before all that follows from this reconcile is settled.
        this.#queue.done(key);
      }
    }
  }

  /** Never throws. */
  async #reconcile(key: K, signal: AbortSignal): Promise<void> {
    const { clock, observer, timeoutMs = defaultTimeoutMs } = this.#options;
    const reconcileId = `${this.name}-${(this.#lastReconcile += 1)}`;
    const logger = this.#logger.child({ key, reconcileId, ...this.#options.describe?.(key) });
    const startedMs = clock.monotonicMs();
    let outcome: ReconcileOutcome;
    using abort = new LinkedAbort(signal);
    using _limit = clock.setTimeout(() => {
      logger.warn('reconcile takes too long', { timeoutMs });
      abort.abort(new ReconcileTimeout(this.name, key, timeoutMs));
    }, timeoutMs);
    try {
      // Even when aborted it is waited for: a second reconcile of the same key must not begin while the first still acts.
      const result = await this.#options.reconcile(key, abort.signal, { reconcileId, logger });
      outcome = this.#succeed(key, result);
    } catch (error) {
      outcome = this.#fail(key, error, signal, logger);
    }
    observer?.reconciled(outcome, (clock.monotonicMs() - startedMs) / 1000, key);
  }

  #succeed(key: K, result: ReconcileResult): ReconcileOutcome {
    this.#queue.forget(key);
    if (result.requeueAfterMs === undefined) return 'success';
    this.#queue.addAfter(key, result.requeueAfterMs);
    return 'requeue_after';
  }

  #fail(key: K, error: unknown, signal: AbortSignal, logger: Logger): ReconcileOutcome {
    if (error instanceof TerminalError) {
      this.#queue.forget(key);
      logger.error('reconcile failed for good', { error });
      return 'terminal_error';
    }
    if (signal.aborted) {
      logger.debug('reconcile interrupted by the stop', { error });
      return 'error';
    }
    const retryInMs = this.#queue.addRateLimited(key);
    const fields = { error, failures: this.#queue.failures(key), retryInMs };
    // Someone else wrote between our read and our write: the rules of the game, and nothing for an operator.
    if (isKubeError(error, 'Conflict')) logger.debug('reconcile decided from an older version', fields);
    else logger.error('reconcile failed', fields);
    return 'error';
  }
}
