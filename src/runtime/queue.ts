import type { Clock } from './clock.ts';
import { Fifo } from './fifo.ts';
import { MinHeap } from './min-heap.ts';
import type { RateLimits } from './rate-limiter.ts';
import { RateLimiter } from './rate-limiter.ts';

/** Low is for what no one waits for (the first list after a start); a low key is handed out when no normal one is ready. */
export type Priority = 'normal' | 'low';

/** Told what happens in a queue; for metrics. Must not throw. */
export interface QueueObserver {
  added(key: string): void;
  retried(): void;
  /** Keys that are ready and not handed out. */
  depth(depth: number): void;
  /** Seconds between ready and handed out. */
  waited(seconds: number): void;
  /** Seconds between handed out and done. */
  worked(seconds: number): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly limits?: RateLimits;
  readonly observer?: QueueObserver;
}

interface Delayed<K> {
  readonly key: K;
  readonly dueMs: number;
  readonly seq: number;
}
interface Ready {
  readonly sinceMs: number;
  readonly priority: Priority;
}

/**
 * Keys that need work. A key stands for "look at this object again", never for a particular event, so any number of adds before it is
 * handed out are one.
 *
 * Invariants:
 * - a key is handed out to one worker at a time; added meanwhile, it is ready again when that worker calls `done`;
 * - after every add the key is handed out at least once more: no wake-up is lost (until shutdown);
 * - a key waits in one place only, the earliest: an add makes a delayed key ready, `addAfter` on a ready key changes nothing. So who
 *   wants to be called at a time asks for it again each time it was called.
 */
export class WorkQueue<K extends string = string> {
  readonly #clock: Clock;
  readonly #observer: QueueObserver | undefined;
  readonly #limiter: RateLimiter<K>;
  readonly #lanes: Readonly<Record<Priority, Fifo<K>>> = { normal: new Fifo(), low: new Fifo() };
  readonly #ready = new Map<K, Ready>();
  /** Handed out, since when (monotonic milliseconds). */
  readonly #processing = new Map<K, number>();
  /** Handed out and added again. */
  readonly #dirty = new Map<K, Priority>();
  /** The one entry of the heap that counts for its key; all others in there are stale. */
  readonly #delayed = new Map<K, Delayed<K>>();
  readonly #heap = new MinHeap<Delayed<K>>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.seq < b.seq),
  );
  #timer: { readonly dueMs: number; readonly handle: Disposable } | undefined;
  #seq = 0;
  readonly #takers = new Fifo<(key: K | undefined) => void>();
  #idleWaiters: (() => void)[] = [];
  #isShutDown = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#limiter = new RateLimiter(options.limits);
  }

  /** Ready and not handed out. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Nothing is ready and nothing handed out. Delayed keys do not count. */
  get isIdle(): boolean {
    return this.#ready.size === 0 && this.#processing.size === 0;
  }

  add(key: K, priority: Priority = 'normal'): void {
    if (this.#isShutDown) return;
    this.#undelay(key);
    if (this.#processing.has(key)) {
      const before = this.#dirty.get(key);
      if (before === undefined) this.#observer?.added(key);
      if (before !== 'normal') this.#dirty.set(key, priority);
      return;
    }
    const ready = this.#ready.get(key);
    if (ready === undefined) {
      this.#observer?.added(key);
      this.#makeReady(key, priority, this.#clock.monotonicMs());
    } else if (ready.priority === 'low' && priority === 'normal') {
      // The entry in the low lane stays behind; `#next` finds nothing ready under it.
      this.#makeReady(key, 'normal', ready.sinceMs);
    }
  }

  /** Adds `ms` milliseconds from now, unless the key is due earlier already. */
  addAfter(key: K, ms: number): void {
    if (this.#isShutDown) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    if (this.#ready.has(key) || this.#dirty.has(key)) return;
    // Whole milliseconds: a timer that fires a fraction too early would be set anew for ever.
    const dueMs = Math.ceil(this.#clock.monotonicMs() + ms);
    const before = this.#delayed.get(key);
    if (before !== undefined && before.dueMs <= dueMs) return;
    const entry: Delayed<K> = { key, dueMs, seq: (this.#seq += 1) };
    this.#delayed.set(key, entry);
    this.#heap.push(entry);
    this.#armTimer();
  }

  /** Adds after a wait that doubles from failure to failure, until `forget`. Gives the wait in milliseconds. */
  addRateLimited(key: K): number {
    this.#observer?.retried();
    const waitMs = this.#limiter.next(key);
    this.addAfter(key, waitMs);
    return waitMs;
  }

  /** The key's work succeeded: its next failure waits the shortest time again. */
  forget(key: K): void {
    this.#limiter.forget(key);
  }

  /** Failures since the last `forget`. */
  failures(key: K): number {
    return this.#limiter.failures(key);
  }

  /** The next key, to be given back with `done`; undefined when the queue is shut down. Takers are served in turn. */
  take(): Promise<K | undefined> {
    if (this.#isShutDown) return Promise.resolve(undefined);
    const key = this.#next();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** The worker is through with `key`, whatever came of it. Throws when it was not handed out. */
  done(key: K): void {
    const sinceMs = this.#processing.get(key);
    if (sinceMs === undefined) throw new Error(`done: ${key} was not handed out`);
    this.#processing.delete(key);
    const nowMs = this.#clock.monotonicMs();
    this.#observer?.worked((nowMs - sinceMs) / 1000);
    const priority = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (priority !== undefined && !this.#isShutDown) this.#makeReady(key, priority, nowMs);
    if (this.isIdle) for (const wake of this.#idleWaiters.splice(0)) wake();
  }

  /** Resolves when nothing is ready and nothing handed out. */
  async whenIdle(): Promise<void> {
    while (!this.isIdle) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Takes no more, forgets what is not handed out (it is all in the API server), and resolves when every worker is done. */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    this.#timer?.handle[Symbol.dispose]();
    this.#timer = undefined;
    for (const lane of Object.values(this.#lanes)) lane.clear();
    this.#ready.clear();
    this.#dirty.clear();
    this.#delayed.clear();
    this.#heap.clear();
    this.#observer?.depth(0);
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift())
      taker(undefined);
    if (this.isIdle) for (const wake of this.#idleWaiters.splice(0)) wake();
    await this.whenIdle();
  }

  #makeReady(key: K, priority: Priority, sinceMs: number): void {
    this.#ready.set(key, { sinceMs, priority });
    this.#lanes[priority].push(key);
    if (this.#takers.size > 0) {
      const next = this.#next();
      if (next !== undefined) this.#takers.shift()?.(next);
      return;
    }
    this.#observer?.depth(this.#ready.size);
  }

  #next(): K | undefined {
    for (const priority of ['normal', 'low'] as const) {
      const lane = this.#lanes[priority];
      for (let key = lane.shift(); key !== undefined; key = lane.shift()) {
        const ready = this.#ready.get(key);
        if (ready === undefined) continue;
        const nowMs = this.#clock.monotonicMs();
        this.#ready.delete(key);
        this.#processing.set(key, nowMs);
        this.#observer?.depth(this.#ready.size);
        this.#observer?.waited((nowMs - ready.sinceMs) / 1000);
        return key;
      }
    }
    return undefined;
  }

  #undelay(key: K): void {
    this.#delayed.delete(key);
  }

  #armTimer(): void {
    const top = this.#liveTop();
    if (top === undefined || (this.#timer !== undefined && this.#timer.dueMs <= top.dueMs)) return;
    this.#timer?.handle[Symbol.dispose]();
    const handle = this.#clock.setTimeout(() => this.#releaseDue(), top.dueMs - this.#clock.monotonicMs());
    this.#timer = { dueMs: top.dueMs, handle };
  }

  #releaseDue(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (let top = this.#liveTop(); top !== undefined && top.dueMs <= nowMs; top = this.#liveTop()) {
      this.#heap.pop();
      this.add(top.key);
    }
    this.#armTimer();
  }

  /** The earliest entry that still counts; stale ones on top of it are dropped. */
  #liveTop(): Delayed<K> | undefined {
    for (let top = this.#heap.peek(); top !== undefined; top = this.#heap.peek()) {
      if (this.#delayed.get(top.key) === top) return top;
      this.#heap.pop();
    }
    return undefined;
  }
}
