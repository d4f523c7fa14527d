import type { SlotFact } from './facts.ts';
import type { SlotRequest } from './phase.ts';

/** Where a request stands among those of one priority: runs take turns, within a run the order of the plan holds. */
export interface SlotOrder {
  /** UID of the Migration. */
  readonly run: string;
  readonly order: number;
}

export type SlotAnswer =
  | { readonly granted: true }
  | {
      readonly granted: false;
      /** What is short. */
      readonly resource: string;
      /** From 1, among those that wait for it. */
      readonly position: number;
      readonly length: number;
    };

interface Waiting {
  readonly holder: string;
  readonly slots: readonly SlotRequest[];
  readonly priority: number;
  readonly order: SlotOrder;
  /** Order of arrival, for what is otherwise equal. */
  readonly arrival: number;
}

/**
 * Who may use how much of what: disks read from a host, the lock on a source VM, the reservation of a name. One table, one thread, no
 * clock: asking and granting is one step, so two imports never see the same free place (review.md F52).
 *
 * A request is granted whole or not at all. Priority goes first; within one priority the runs take turns, so that a plan of 500 VMs does
 * not hold up one of two. Nobody is pre-empted. What an earlier request is short of is kept for it, so a large request is not starved by
 * small ones that come later; what it is not short of others may use meanwhile. A request larger than the capacity is granted when nobody
 * else uses the resource. `onGrant` is called once for each request that had to wait, after the table is settled.
 */
export class SlotTable {
  readonly #onGrant: (holder: string) => void;
  readonly #held = new Map<string, Map<string, number>>();
  readonly #used = new Map<string, number>();
  readonly #waiting = new Map<string, Waiting>();
  /** Those that wait, by priority and run, in the order of the plan: what is sorted on entry need not be sorted at each grant. */
  readonly #queues = new Map<number, Map<string, Waiting[]>>();
  /** When each run was last granted something; the one that waited longest has the turn. */
  readonly #turns = new Map<string, number>();
  #turn = 0;
  #arrivals = 0;

  constructor(onGrant: (holder: string) => void) {
    this.#onGrant = onGrant;
  }

  /**
   * Asks for slots, all or nothing, beside those that the holder has. Asking again is safe: what is held is granted, a request that waits
   * is replaced and keeps its place of arrival.
   */
  request(holder: string, slots: readonly SlotRequest[], priority: number, order: SlotOrder): SlotAnswer {
    const missing = slots.filter(({ resource }) => this.#held.get(holder)?.has(resource) !== true);
    const arrival = this.#waiting.get(holder)?.arrival ?? (this.#arrivals += 1);
    this.#leave(holder);
    this.#enter({ holder, slots: missing, priority, order, arrival });
    const granted = this.#grant();
    this.#tell(granted.filter((other) => other !== holder));
    const queue = this.view(holder).queue;
    return queue === undefined ? { granted: true } : { granted: false, ...queue };
  }

  /** Gives one slot back. No-op for one that is not held. */
  free(holder: string, resource: string): void {
    this.#release(holder, resource);
    this.#tell(this.#grant());
  }

  /** Leaves the queue, and gives back what is not named: it was granted after it had been given up. */
  keepOnly(holder: string, resources: readonly string[]): void {
    const spare = [...(this.#held.get(holder)?.keys() ?? [])].filter((held) => !resources.includes(held));
    if (spare.length === 0 && !this.#waiting.has(holder)) return;
    this.#leave(holder);
    for (const resource of spare) this.#release(holder, resource);
    this.#tell(this.#grant());
  }

  /** Gives everything back and leaves the queue. */
  freeAll(holder: string): void {
    this.#leave(holder);
    for (const resource of this.#held.get(holder)?.keys() ?? []) this.#release(holder, resource);
    this.#tell(this.#grant());
  }

  /** Forgets all and holds just what the saved imports hold. Who waited asks again by itself. */
  rebuild(
    saved: Iterable<{
      readonly holder: string;
      readonly slots: readonly Pick<SlotRequest, 'resource' | 'cost'>[];
    }>,
  ): void {
    this.#held.clear();
    this.#used.clear();
    this.#waiting.clear();
    this.#queues.clear();
    this.#turns.clear();
    for (const { holder, slots } of saved) {
      for (const slot of slots) this.#take(holder, slot);
    }
  }

  /** What the holder has, and where it stands in the queue. */
  view(holder: string): SlotFact {
    const held = new Set(this.#held.get(holder)?.keys() ?? []);
    const request = this.#waiting.get(holder);
    if (request === undefined) return { held };
    const ordered = [...this.#ordered()];
    const resource = shortOf(request, this.#blockedBefore(holder, ordered), this.#used);
    const rivals = ordered.filter(({ slots }) => slots.some((slot) => slot.resource === resource));
    const position = rivals.findIndex((rival) => rival.holder === holder) + 1;
    return { held, queue: { resource, position, length: rivals.length } };
  }

  /** Use of a resource, for metrics and messages. */
  usedOf(resource: string): number {
    return this.#used.get(resource) ?? 0;
  }

  // ---- granting -----------------------------------------------------------------------------------------------------------------

  /** Grants whatever can be granted, in order, and returns who got something. */
  #grant(): readonly string[] {
    const granted: string[] = [];
    // One at a time: each grant passes the turn on, which changes the order of the rest.
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#leave(next.holder);
      for (const slot of next.slots) this.#take(next.holder, slot);
      this.#turns.set(next.order.run, (this.#turn += 1));
      granted.push(next.holder);
    }
    return granted;
  }

  #next(): Waiting | undefined {
    const blocked = new Set<string>();
    for (const request of this.#ordered()) {
      if (isFree(request, blocked, this.#used)) return request;
      block(request, blocked, this.#used);
    }
    return undefined;
  }

  #blockedBefore(holder: string, ordered: readonly Waiting[]): ReadonlySet<string> {
    const blocked = new Set<string>();
    for (const request of ordered) {
      if (request.holder === holder) break;
      block(request, blocked, this.#used);
    }
    return blocked;
  }

  /** All that wait, as they would be served: priority, then runs in turns, the one that waited longest for a grant first. */
  *#ordered(): Generator<Waiting> {
    for (const priority of [...this.#queues.keys()].sort((a, b) => b - a)) {
      const runs = [...(this.#queues.get(priority) ?? [])]
        .map(([run, queue]) => ({ queue, turn: this.#turns.get(run) ?? 0, arrival: queue[0]?.arrival ?? 0 }))
        .sort((a, b) => a.turn - b.turn || a.arrival - b.arrival);
      const longest = Math.max(0, ...runs.map(({ queue }) => queue.length));
      for (let place = 0; place < longest; place += 1) {
        for (const { queue } of runs) {
          const request = queue[place];
          if (request !== undefined) yield request;
        }
      }
    }
  }

  #enter(request: Waiting): void {
    this.#waiting.set(request.holder, request);
    const runs = this.#queues.get(request.priority) ?? new Map<string, Waiting[]>();
    const queue = runs.get(request.order.run) ?? [];
    const later = queue.findLastIndex((other) => isBefore(other, request)) + 1;
    queue.splice(later, 0, request);
    this.#queues.set(request.priority, runs.set(request.order.run, queue));
  }

  #leave(holder: string): void {
    const request = this.#waiting.get(holder);
    if (request === undefined) return;
    this.#waiting.delete(holder);
    const runs = this.#queues.get(request.priority);
    const queue = runs?.get(request.order.run);
    queue?.splice(queue.indexOf(request), 1);
    if (queue?.length === 0) runs?.delete(request.order.run);
    if (runs?.size === 0) this.#queues.delete(request.priority);
  }

  #take(holder: string, { resource, cost }: Pick<SlotRequest, 'resource' | 'cost'>): void {
    const held = this.#held.get(holder) ?? new Map<string, number>();
    if (held.has(resource)) return;
    held.set(resource, cost);
    this.#held.set(holder, held);
    this.#used.set(resource, (this.#used.get(resource) ?? 0) + cost);
  }

  #release(holder: string, resource: string): void {
    const held = this.#held.get(holder);
    const cost = held?.get(resource);
    if (held === undefined || cost === undefined) return;
    held.delete(resource);
    if (held.size === 0) this.#held.delete(holder);
    const left = (this.#used.get(resource) ?? 0) - cost;
    if (left > 0) this.#used.set(resource, left);
    else this.#used.delete(resource);
  }

  #tell(granted: readonly string[]): void {
    for (const holder of granted) this.#onGrant(holder);
  }
}

function fits({ resource, cost, capacity }: SlotRequest, used: ReadonlyMap<string, number>): boolean {
  const inUse = used.get(resource) ?? 0;
  return inUse === 0 || inUse + cost <= capacity;
}

function isFree(
  { slots }: Waiting,
  blocked: ReadonlySet<string>,
  used: ReadonlyMap<string, number>,
): boolean {
  return slots.every((slot) => !blocked.has(slot.resource) && fits(slot, used));
}

/**
 * What later requests must leave alone: what this one is short of, and its locks. A host whose places it is not short of stays open to
 * others, or one VM that waits for a lock would idle a whole host.
 */
function block({ slots }: Waiting, blocked: Set<string>, used: ReadonlyMap<string, number>): void {
  for (const slot of slots) {
    if (slot.capacity === 1 || blocked.has(slot.resource) || !fits(slot, used)) blocked.add(slot.resource);
  }
}

function shortOf(
  { slots }: Waiting,
  blocked: ReadonlySet<string>,
  used: ReadonlyMap<string, number>,
): string {
  const short =
    slots.find((slot) => !fits(slot, used)) ?? slots.find(({ resource }) => blocked.has(resource));
  return short?.resource ?? slots[0]?.resource ?? '';
}

function isBefore(a: Waiting, b: Waiting): boolean {
  return a.order.order < b.order.order || (a.order.order === b.order.order && a.arrival < b.arrival);
}
