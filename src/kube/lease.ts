import type { Stored } from '../api/meta.ts';
import type { Lease } from '../api/external/core.ts';
import { leases } from '../api/kinds.ts';
import { apiVersionOf } from '../api/meta.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Random } from './backoff.ts';
import type { KubeClient, ObjectKey } from './client.ts';
import { isKubeError } from './errors.ts';
import { TimeLimit } from './time-limit.ts';

/** Asked right before every effect on the world outside: a lost lease aborts our calls, not what they set going (review.md F62). */
export interface Fence {
  /** Throws FenceClosed unless it is certain that nobody else leads. */
  check(): void;
}

/** Leadership was lost, or was never had: whatever was about to be done must not be done. */
export class FenceClosed extends Error {
  readonly code = 'FenceClosed';

  constructor(lease: string) {
    super(`not the leader by lease ${lease}: nothing may be changed any more`);
    this.name = 'FenceClosed';
  }
}

/** Reason of the abort that ends a leadership against its holder's will. */
export class LeadershipLost extends Error {
  readonly code = 'LeadershipLost';

  constructor(lease: string, options?: ErrorOptions) {
    super(`lease ${lease} could not be renewed in time: someone else may lead now`, options);
    this.name = 'LeadershipLost';
  }
}

export interface LeaseTimes {
  /** A candidate who saw no change of the lease for so long may take it, milliseconds. */
  readonly leaseDurationMs: number;
  /** A leader who could not renew for so long has lost it; shorter than the duration, so that it knows first. */
  readonly renewDeadlineMs: number;
  /** Between two tries to renew, and (with up to a fifth more) to acquire. */
  readonly retryPeriodMs: number;
}

export const defaultLeaseTimes: LeaseTimes = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2000,
};

export interface LeaderElectorOptions {
  readonly client: KubeClient;
  /** Namespace and name of the Lease; it is created when there is none. */
  readonly lease: ObjectKey;
  /** Unique among all candidates and over restarts: pod name and something random. */
  readonly identity: string;
  readonly times?: LeaseTimes;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observer?: LeaderObserver;
}

/** For metrics. Must not throw. */
export interface LeaderObserver {
  leading(isLeader: boolean): void;
  /** Seconds by which the renewal loop was later than it meant to be: how blocked the event loop is (review.md F55). */
  renewalLag(seconds: number): void;
}

/** One term as leader. Disposing of it closes the fence, ends the renewals and lets the lease go, so that the next need not wait. */
export interface Leadership extends AsyncDisposable {
  /** Aborts with LeadershipLost when the lease is lost; not when it is given up. */
  readonly lost: AbortSignal;
  /** Ends the term without letting the lease go: for a leader whose work could not be stopped. The next one waits it out. */
  abandon(): void;
}

/**
 * Leader election on a Lease of coordination.k8s.io/v1, understood by every client-go candidate. Dates in the lease are for people: each
 * candidate measures by its own monotonic clock how long the lease has not changed.
 *
 * Safety: the fence is open only until `renewDeadline` after the *sending* of the last successful renewal, which is before the moment
 * from which any candidate waits `leaseDuration`. Two open fences would need clocks that differ by a third in speed.
 */
export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #times: LeaseTimes;
  readonly #name: string;
  /** The lease as last seen, and when (monotonic) it was first seen so. */
  #seen: { readonly lease: Stored<Lease>; readonly sinceMs: number } | undefined;
  /** Monotonic time until which nobody else can lead; 0 while we do not. */
  #fencedUntilMs = 0;

  /** Throws RangeError unless retryPeriod < renewDeadline < leaseDuration. */
  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#times = options.times ?? defaultLeaseTimes;
    this.#name = `${options.lease.namespace ?? ''}/${options.lease.name}`;
    const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = this.#times;
    if (!(0 < retryPeriodMs && retryPeriodMs < renewDeadlineMs && renewDeadlineMs < leaseDurationMs)) {
      throw new RangeError('lease times: retryPeriod < renewDeadline < leaseDuration is needed');
    }
    options.observer?.leading(false);
  }

  /** One and the same for all terms: closed until `acquire` resolves, and whenever the lease is not surely ours. */
  fence(): Fence {
    return {
      check: () => {
        if (this.#options.clock.monotonicMs() >= this.#fencedUntilMs) throw new FenceClosed(this.#name);
      },
    };
  }

  /** Waits until the lease is ours, however long that takes. Rejects only with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<Leadership> {
    const { clock, random, logger } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const sentMs = clock.monotonicMs();
      try {
        using limit = this.#limit(this.#times.renewDeadlineMs, signal);
        if (await this.#tryAcquire(limit.signal)) {
          logger.info('leading', { lease: this.#name, identity: this.#options.identity });
          return this.#lead(sentMs);
        }
      } catch (error) {
        signal.throwIfAborted();
        logger.warn('could not ask for the lease', { lease: this.#name, error });
      }
      await clock.sleep(this.#times.retryPeriodMs * (1 + 0.2 * random()), signal);
    }
  }

  async #tryAcquire(signal: AbortSignal): Promise<boolean> {
    const { client, lease: at, identity, clock, logger } = this.#options;
    const lease = await client.get(leases, at, signal);
    if (lease === undefined) return this.#create(signal);
    if (this.#seen?.lease.metadata.resourceVersion !== lease.metadata.resourceVersion) {
      this.#seen = { lease, sinceMs: clock.monotonicMs() };
    }
    const holder = lease.spec?.holderIdentity ?? '';
    // What its holder promised counts, not our own setting.
    const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000 || this.#times.leaseDurationMs;
    const isFree = holder === '' || holder === identity;
    if (!isFree && clock.monotonicMs() < this.#seen.sinceMs + durationMs) {
      logger.debug('someone else leads', { lease: this.#name, holder });
      return false;
    }
    return this.#write(lease, { ...this.#held(), ...this.#taken(lease) }, signal);
  }

  async #create(signal: AbortSignal): Promise<boolean> {
    const { client, lease: at } = this.#options;
    const lease: Lease = {
      apiVersion: apiVersionOf(leases),
      kind: leases.kind,
      metadata: { ...at },
      spec: { ...this.#held(), acquireTime: this.#now(), leaseTransitions: 0 },
    };
    try {
      const stored = await client.create(leases, lease, {}, signal);
      this.#seen = { lease: stored, sinceMs: this.#options.clock.monotonicMs() };
      return true;
    } catch (error) {
      if (isKubeError(error, 'AlreadyExists')) return false;
      throw error;
    }
  }

  /** False when someone else was faster. */
  async #write(
    lease: Stored<Lease>,
    spec: NonNullable<Lease['spec']>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { client, lease: at, clock } = this.#options;
    const patch = { metadata: { resourceVersion: lease.metadata.resourceVersion }, spec };
    try {
      const stored = await client.mergePatch(leases, at, patch, {}, signal);
      this.#seen = { lease: stored, sinceMs: clock.monotonicMs() };
      return true;
    } catch (error) {
      if (isKubeError(error, 'Conflict', 'NotFound')) return false;
      throw error;
    }
  }

  #lead(sentMs: number): Leadership {
    const { observer, logger } = this.#options;
    this.#fencedUntilMs = sentMs + this.#times.renewDeadlineMs;
    observer?.leading(true);
    const lost = new AbortController();
    const term = new AbortController();
    const renewing = this.#renew(sentMs, term.signal).catch((error: unknown) => {
      this.#close();
      if (term.signal.aborted) return;
      logger.error('leadership lost', { lease: this.#name, error });
      lost.abort(new LeadershipLost(this.#name, { cause: error }));
    });
    const abandon = (): void => {
      this.#close();
      term.abort(new Error('the term is over'));
    };
    const giveUp = async (): Promise<void> => {
      abandon();
      await renewing;
      if (!lost.signal.aborted) await this.#release();
    };
    return { lost: lost.signal, abandon, [Symbol.asyncDispose]: giveUp };
  }

  #close(): void {
    this.#fencedUntilMs = 0;
    this.#options.observer?.leading(false);
  }

  /** Renews until the term is over. Rejects when the deadline passes without a success, or someone else holds the lease. */
  async #renew(acquiredMs: number, term: AbortSignal): Promise<never> {
    const { clock, logger, observer } = this.#options;
    let dueMs = acquiredMs + this.#times.retryPeriodMs;
    let failure = new Error('the renewal came too late');
    for (;;) {
      await clock.sleep(Math.max(0, Math.min(dueMs, this.#fencedUntilMs) - clock.monotonicMs()), term);
      const sentMs = clock.monotonicMs();
      observer?.renewalLag(Math.max(0, sentMs - dueMs) / 1000);
      dueMs = sentMs + this.#times.retryPeriodMs;
      if (sentMs >= this.#fencedUntilMs) throw failure;
      try {
        using limit = this.#limit(this.#fencedUntilMs - sentMs, term);
        // Not left to the transport alone: one that hangs must not keep a lost lease secret.
        await Promise.race([this.#renewOnce(limit.signal), limit.expired()]);
        // An answer that arrives after the term's end must not open the fence again.
        term.throwIfAborted();
        this.#fencedUntilMs = sentMs + this.#times.renewDeadlineMs;
      } catch (error) {
        term.throwIfAborted();
        if (error instanceof TakenOver) throw error;
        logger.warn('lease not renewed', { lease: this.#name, error });
        failure = new Error('no renewal succeeded before the deadline', { cause: error });
      }
    }
  }

  async #renewOnce(signal: AbortSignal): Promise<void> {
    if (await this.#writeHeld(this.#held(), signal)) return;
    throw new Error('the lease changes while it is renewed');
  }

  /** Writes to a lease that we hold. Throws TakenOver when another holds it; false when it changed meanwhile. */
  async #writeHeld(spec: NonNullable<Lease['spec']>, signal: AbortSignal): Promise<boolean> {
    const { client, lease: at, identity } = this.#options;
    if (this.#seen !== undefined && (await this.#write(this.#seen.lease, spec, signal))) return true;
    // Someone wrote to the lease: our own write whose answer was lost, a person with kubectl, or another leader.
    const lease = await client.get(leases, at, signal);
    if (lease?.spec?.holderIdentity !== identity) throw new TakenOver(lease?.spec?.holderIdentity);
    return this.#write(lease, spec, signal);
  }

  /** Best effort: whoever comes next waits the lease out if it fails. */
  async #release(): Promise<void> {
    const { logger } = this.#options;
    using limit = this.#limit(this.#times.retryPeriodMs);
    try {
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: this.#now() };
      if (await this.#writeHeld(spec, limit.signal)) logger.info('lease released', { lease: this.#name });
    } catch (error) {
      logger.warn('lease not released', { lease: this.#name, error });
    }
  }

  #held(): NonNullable<Lease['spec']> {
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(this.#times.leaseDurationMs / 1000)),
      renewTime: this.#now(),
    };
  }

  #taken(lease: Lease): NonNullable<Lease['spec']> {
    if (lease.spec?.holderIdentity === this.#options.identity) return {};
    return { acquireTime: this.#now(), leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 };
  }

  #now(): string {
    return microTime(this.#options.clock.now());
  }

  #limit(ms: number, parent?: AbortSignal): TimeLimit {
    const reason = (): Error => new Error(`no answer within ${ms} ms`);
    return new TimeLimit(this.#options.clock, ms, reason, parent);
  }
}

class TakenOver extends Error {
  constructor(holder: string | undefined) {
    super(holder === undefined ? 'the lease is gone' : `the lease is held by ${holder || 'nobody'}`);
    this.name = 'TakenOver';
  }
}

/** metav1.MicroTime. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
