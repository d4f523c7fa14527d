import { SourceError } from '../../model/fault.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { InventorySink } from '../source.ts';
import { rawOf, type ManagedObject } from './managed-object.ts';
import { vmModelOf } from './model/vm-model.ts';
import { applyChange, ObjectTree } from './object-tree.ts';
import { collectionOf, volatileVmProperties } from './properties.ts';
import type { VimSession } from './session.ts';
import type { MoRef } from './soap/values.ts';
import { openUpdateStream, type UpdateStream } from './update-stream.ts';
import type { ObjectChange, UpdatePage } from './update-page.ts';
import { contextFactsOf, refersTo } from './vm-context.ts';

export interface CollectorOptions {
  readonly session: VimSession;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The vCenter's own id. */
  readonly instance: string;
}

/** A VM of which only volatile properties changed is passed on this often, milliseconds. */
const volatileEveryMs = 600_000;
/** Models made in one go, before other work of the process gets its turn (review.md F55). */
const modelsAtOnce = 100;
/** After the end of an outage all goes on within half a minute. */
const pauses = { firstMs: 1000, maxMs: 30_000 };

/**
 * Keeps an inventory in step with one server: full load, then changes, until aborted. Reconnecting after an outage goes on where it
 * stopped; only what the server has forgotten is loaded anew. Nothing of this is seen outside but `stale` and `parity` on the sink.
 */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #wakes = new Map<string, Set<() => void>>();
  readonly #passedOnMs = new Map<string, number>();
  #tree = new ObjectTree();
  /** The tree that a reload replaces: what guests told before they stopped lives on in it. */
  #previous = new ObjectTree();
  #dirty = new Set<string>();
  #loaded = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** What is known of this object, if a collection has run. */
  find(id: string): ManagedObject | undefined {
    return this.#tree.find(id) ?? this.#previous.find(id);
  }

  /** Calls `wake` when something about this VM changes, and after a reload. */
  subscribe(vmId: string, wake: () => void): Disposable {
    const own = (): void => wake();
    const wakes = this.#wakes.get(vmId) ?? new Set();
    this.#wakes.set(vmId, wakes.add(own));
    return {
      [Symbol.dispose]: () => {
        wakes.delete(own);
        if (wakes.size === 0 && this.#wakes.get(vmId) === wakes) this.#wakes.delete(vmId);
      },
    };
  }

  /** Throws SourceError for what trying again cannot cure: a rejected login, a missing privilege. */
  async run(sink: InventorySink, signal: AbortSignal): Promise<void> {
    const { session, clock } = this.#options;
    let stream: UpdateStream | undefined;
    let failures = 0;
    while (!isAborted(signal)) {
      try {
        if (stream?.generation !== session.generation) {
          stream = await openUpdateStream(session, signal);
          this.#beginLoad(sink);
        }
        // After a failure nobody is to wait for the next change in order to learn that the server is back.
        const page = await stream.next(failures > 0 ? 'none' : 'usual', signal);
        if (failures > 0 && this.#loaded) sink.parity();
        failures = 0;
        if (page !== undefined) await this.#apply(page, sink, signal);
      } catch (error) {
        if (isAborted(signal)) break;
        failures += 1;
        if (this.#mustReopen(faultOf(error), stream, sink, failures)) {
          await this.#close(stream);
          stream = undefined;
        }
        await clock.sleep(this.#pauseMs(failures), signal).catch(() => undefined);
      }
    }
    await this.#close(stream);
  }

  /** Throws the fault when waiting cannot cure it. */
  #mustReopen(
    fault: SourceError,
    stream: UpdateStream | undefined,
    sink: InventorySink,
    failures: number,
  ): boolean {
    // Our own new login has ended the old session's filter: known, and mended by loading again.
    const outlived = stream !== undefined && stream.generation !== this.#options.session.generation;
    if (outlived && mayPass(fault)) return true;
    // A first failure is most often an old connection, and the next try, at once, tells: no outage to be told to everybody.
    if (failures > 1 || !mayPass(fault)) sink.stale(fault.fault);
    if (!mayPass(fault)) throw fault;
    this.#options.log.warn('the vSphere inventory cannot be followed', { error: fault.message, failures });
    return fault.kind !== 'transient' && fault.kind !== 'busy';
  }

  async #close(stream: UpdateStream | undefined): Promise<void> {
    const brief = new AbortController();
    using _timer = this.#options.clock.setTimeout(() => brief.abort(), 2000);
    await stream?.close(brief.signal);
  }

  /** At once the first time: most often a connection was only old. */
  #pauseMs(failures: number): number {
    return failures === 1 ? 0 : backoffMs(failures - 1, pauses, this.#options.random);
  }

  #beginLoad(sink: InventorySink): void {
    for (const object of this.#tree.values()) this.#previous.put(object);
    this.#tree = new ObjectTree();
    this.#dirty = new Set();
    this.#loaded = false;
    sink.begin();
  }

  async #apply(page: UpdatePage, sink: InventorySink, signal: AbortSignal): Promise<void> {
    const now = rfc3339(this.#options.clock.now());
    for (const change of page.changes) this.#applyOne(change, now, sink);
    if (page.truncated) return;
    await this.#passOnVms(sink, signal);
    if (this.#loaded) return;
    this.#loaded = true;
    this.#previous = new ObjectTree();
    sink.parity();
    for (const id of [...this.#wakes.keys()]) this.#wake(id);
  }

  #applyOne(change: ObjectChange, now: string, sink: InventorySink): void {
    const { ref } = change;
    const collection = collectionOf(ref.type);
    if (change.kind === 'leave') {
      this.#leave(ref, collection, sink);
      return;
    }
    const before = this.#tree.find(ref.value);
    const after = applyChange(before ?? this.#previous.find(ref.value), change, now);
    this.#tree.put(after);
    if (ref.type === 'VirtualMachine') {
      if (this.#isWorthPassingOn(change)) this.#dirty.add(ref.value);
      return;
    }
    if (collection !== undefined) sink.upsert(collection, ref.value, rawOf(after));
    if (this.#loaded && contextFactsOf(before) !== contextFactsOf(after)) this.#markDependents(ref);
  }

  #leave(ref: MoRef, collection: string | undefined, sink: InventorySink): void {
    this.#tree.remove(ref);
    this.#dirty.delete(ref.value);
    this.#passedOnMs.delete(ref.value);
    if (collection !== undefined) sink.remove(collection, ref.value);
    if (ref.type === 'VirtualMachine') this.#wake(ref.value);
    else if (this.#loaded) this.#markDependents(ref);
  }

  #isWorthPassingOn(change: ObjectChange): boolean {
    const names = [...change.set.map(([name]) => name), ...change.unset];
    if (change.kind === 'enter' || names.some((name) => !volatileVmProperties.has(name))) return true;
    const passedOn = this.#passedOnMs.get(change.ref.value) ?? Number.NEGATIVE_INFINITY;
    return this.#options.clock.monotonicMs() - passedOn > volatileEveryMs;
  }

  /** A renamed datastore is part of the model of every VM on it. */
  #markDependents(ref: MoRef): void {
    for (const object of this.#tree.values()) {
      if (object.ref.type === 'VirtualMachine' && refersTo(object, ref)) this.#dirty.add(object.ref.value);
    }
  }

  async #passOnVms(sink: InventorySink, signal: AbortSignal): Promise<void> {
    const { clock, instance } = this.#options;
    let made = 0;
    for (const id of [...this.#dirty]) {
      const vm = this.#tree.find(id);
      this.#dirty.delete(id);
      if (vm === undefined) continue;
      if (made > 0 && made % modelsAtOnce === 0) await clock.sleep(0, signal);
      made += 1;
      this.#passedOnMs.set(id, clock.monotonicMs());
      sink.upsert('vms', id, rawOf(vm), vmModelOf(vm, this.#tree.context(instance)));
      this.#wake(id);
    }
  }

  #wake(id: string): void {
    for (const wake of [...(this.#wakes.get(id) ?? [])]) wake();
  }
}

function faultOf(error: unknown): SourceError {
  if (error instanceof SourceError) return error;
  return new SourceError(
    {
      code: 'CollectorFailed',
      kind: 'invalid',
      message: `The inventory could not be followed: ${error instanceof Error ? error.message : String(error)}`,
    },
    { cause: error },
  );
}

/** A signal may change while we wait, whatever the compiler concludes from the loop's condition. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function mayPass(fault: SourceError): boolean {
  return fault.kind !== 'auth' && fault.kind !== 'denied' && fault.kind !== 'unsupported';
}
