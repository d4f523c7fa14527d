import type { Event } from '../api/external/core.ts';
import { events } from '../api/kinds.ts';
import { apiVersionOf } from '../api/meta.ts';
import type { KubeObject, ObjectReference, Stored } from '../api/meta.ts';
import type { Clock } from '../runtime/clock.ts';
import { rfc3339 } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Random } from './backoff.ts';
import type { KubeClient, ObjectKey } from './client.ts';
import { isKubeError } from './errors.ts';
import { LruMap } from './lru-map.ts';
import { TimeLimit } from './time-limit.ts';

export interface EventContent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, machine readable. */
  readonly reason: string;
  readonly message: string;
}

export interface EventRecorder {
  /** Tells a user, by an Event on `object`, what happened. Returns at once, never throws, and may be lost: nothing may depend on it. */
  record(object: KubeObject, content: EventContent): void;
}

export interface ApiEventRecorderOptions {
  readonly client: KubeClient;
  /** Who reports: `source.component` of the events. */
  readonly component: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The same words about the same object within this time are one event with a count. */
const seriesMs = 10 * 60_000;
/** Each object may tell so much at once, and one thing more every so often (client-go's measures). */
const burst = 25;
const refillMs = 5 * 60_000;
const remembered = 4096;
/** What is not sent yet beyond this is dropped: events are for people, and they cannot read that fast. */
const longestBacklog = 1000;
/** What events.k8s.io allows a note; core/v1 would take more, and nobody would read it. */
const longestMessage = 1024;

/** One event as it stands at the server, and what is to be added to it. */
interface Series {
  readonly name: string;
  readonly first: string;
  last: string;
  lastMs: number;
  count: number;
  /** Undefined before it was created. */
  stored: Stored<Event> | undefined;
  isPending: boolean;
}

interface Pending {
  readonly series: Series;
  readonly involved: ObjectReference;
  readonly content: EventContent;
}

/** A stop waits so long for events that are not sent yet. */
const longestFlushMs = 5000;

/**
 * Sends core/v1 Events in the background, one at a time, in the order in which they were recorded. As a service of a manager it sees
 * to it that the last ones, which say why the process stops, still get out.
 */
export class ApiEventRecorder implements EventRecorder {
  readonly name = 'events';
  readonly #options: ApiEventRecorderOptions;
  readonly #series = new LruMap<string, Series>(remembered);
  readonly #allowances = new LruMap<string, { tokens: number; sinceMs: number }>(remembered);
  #backlog: Pending[] = [];
  #sending: Promise<void> | undefined;

  constructor(options: ApiEventRecorderOptions) {
    this.#options = options;
  }

  record(object: KubeObject, content: EventContent): void {
    const { logger, clock } = this.#options;
    const involved = referenceTo(object);
    const subject =
      involved.uid ?? `${involved.kind ?? ''}/${involved.namespace ?? ''}/${involved.name ?? ''}`;
    if (!this.#mayTell(subject) || this.#backlog.length >= longestBacklog) {
      logger.debug('event dropped: too many', { object: involved.name, reason: content.reason });
      return;
    }
    const key = JSON.stringify([subject, content.type, content.reason, content.message]);
    const nowMs = clock.now();
    let series = this.#series.get(key);
    if (series === undefined || nowMs - series.lastMs > seriesMs) {
      series = this.#newSeries(object.metadata.name, nowMs);
      this.#series.set(key, series);
    }
    series.count += 1;
    series.last = rfc3339(nowMs);
    series.lastMs = nowMs;
    // What waits to be sent takes the new count along.
    if (series.isPending) return;
    series.isPending = true;
    this.#backlog.push({ series, involved, content });
    this.#sending ??= this.#sendAll();
  }

  /** Resolves when all that was recorded is sent or given up. For a graceful stop; bound it by the caller's own time limit. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  /** Waits for the abort, then for what is not sent yet, 5 s at most. */
  async run(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    using limit = new TimeLimit(
      this.#options.clock,
      longestFlushMs,
      () => new Error('events not sent in time'),
    );
    await Promise.race([this.flush(), limit.expired()]).catch((error: unknown) => {
      this.#options.logger.warn('events lost at the stop', { error, count: this.#backlog.length + 1 });
    });
  }

  #newSeries(objectName: string, nowMs: number): Series {
    const suffix = Array.from({ length: 16 }, () => Math.floor(this.#options.random() * 16).toString(16));
    const now = rfc3339(nowMs);
    // 253 characters are the limit of a name; the object's own may use them all. No label of it may end in a dash.
    const name = `${objectName.slice(0, 236).replace(/[-.]+$/, '')}.${suffix.join('')}`;
    return { name, first: now, last: now, lastMs: nowMs, count: 0, stored: undefined, isPending: false };
  }

  #mayTell(subject: string): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const before = this.#allowances.get(subject) ?? { tokens: burst, sinceMs: nowMs };
    const tokens = Math.min(burst, before.tokens + (nowMs - before.sinceMs) / refillMs);
    const isAllowed = tokens >= 1;
    this.#allowances.set(subject, { tokens: isAllowed ? tokens - 1 : tokens, sinceMs: nowMs });
    return isAllowed;
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#backlog.shift(); next !== undefined; next = this.#backlog.shift()) {
      next.series.isPending = false;
      try {
        await this.#send(next);
      } catch (error) {
        this.#options.logger.debug('event lost', {
          object: next.involved.name,
          reason: next.content.reason,
          error,
        });
      }
    }
    this.#sending = undefined;
  }

  async #send({ series, involved, content }: Pending): Promise<void> {
    if (series.stored !== undefined) {
      const at: ObjectKey = series.stored.metadata;
      const patch = { count: series.count, lastTimestamp: series.last };
      try {
        series.stored = await this.#options.client.mergePatch(events, at, patch);
        return;
      } catch (error) {
        // Servers drop events after an hour.
        if (!isKubeError(error, 'NotFound')) throw error;
      }
    }
    const { client, component } = this.#options;
    series.stored = await client.create(events, {
      apiVersion: apiVersionOf(events),
      kind: events.kind,
      metadata: { name: series.name, namespace: involved.namespace ?? 'default' },
      involvedObject: involved,
      type: content.type,
      reason: content.reason,
      message: content.message.slice(0, longestMessage),
      count: series.count,
      firstTimestamp: series.first,
      lastTimestamp: series.last,
      source: { component },
      reportingComponent: component,
    });
  }
}

function referenceTo(object: KubeObject): ObjectReference {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}
