import type { InventoryStore } from '../inventory/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { SourceHub } from './source-hub.ts';

export interface InventoryWatchOptions {
  readonly hub: Pick<SourceHub, 'inventory' | 'onChange'>;
  readonly clock: Pick<Clock, 'setTimeout'>;
  /** A load of ten thousand VMs is told once, this long after its first, in milliseconds. */
  readonly gatherMs?: number;
  /** Something in the inventory of this Provider has appeared, changed or gone. */
  readonly changed: (providerUid: string) => void;
}

const usualGatherMs = 1_000;

/**
 * Tells whoever judges by inventories (plans, maps, Hosts) that one has changed. Follows the inventory of every Provider that the hub
 * tells of; those that are there already are followed by `follow`. Stops when disposed of.
 */
export class InventoryWatch implements Disposable {
  readonly #options: InventoryWatchOptions;
  readonly #followed = new Map<
    string,
    { readonly store: InventoryStore; readonly subscription: Disposable }
  >();
  readonly #pending = new Map<string, Disposable>();
  readonly #hubSubscription: Disposable;

  constructor(options: InventoryWatchOptions) {
    this.#options = options;
    this.#hubSubscription = options.hub.onChange((providerUid) => this.follow(providerUid));
  }

  /** May be called again at any time; a Provider that has got another inventory is followed there, one that is gone no longer. */
  follow(providerUid: string): void {
    const store = this.#options.hub.inventory(providerUid);
    const before = this.#followed.get(providerUid);
    if (before?.store === store && store !== undefined) return;
    before?.subscription[Symbol.dispose]();
    this.#followed.delete(providerUid);
    if (store === undefined) return;
    const subscription = store.onChange(() => this.#note(providerUid));
    this.#followed.set(providerUid, { store, subscription });
  }

  [Symbol.dispose](): void {
    this.#hubSubscription[Symbol.dispose]();
    for (const { subscription } of this.#followed.values()) subscription[Symbol.dispose]();
    for (const timer of this.#pending.values()) timer[Symbol.dispose]();
    this.#followed.clear();
    this.#pending.clear();
  }

  #note(providerUid: string): void {
    if (this.#pending.has(providerUid)) return;
    const { clock, changed, gatherMs } = this.#options;
    const timer = clock.setTimeout(() => {
      this.#pending.delete(providerUid);
      changed(providerUid);
    }, gatherMs ?? usualGatherMs);
    this.#pending.set(providerUid, timer);
  }
}
