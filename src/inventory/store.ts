import { isDeepStrictEqual } from 'node:util';
import type { SourceFault } from '../model/source-data.ts';
import type { Json, VmModel } from '../model/vm.ts';
import type { InventorySink } from '../sources/source.ts';
import { MultiMap } from './multi-map.ts';

export interface InventoryItem {
  readonly id: string;
  /** Grows by one each time that something about the item changes; starts at 1. */
  readonly revision: number;
  /** The platform's own object, as its collector gave it. */
  readonly raw: Json;
  /** VMs only. */
  readonly model?: VmModel;
}
/** A VM in the inventory. */
export interface InventoryVm extends InventoryItem {
  readonly model: VmModel;
}

export type Found<T> =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly item: T }
  | { readonly kind: 'many'; readonly items: readonly T[] };

export interface VmRef {
  readonly id?: string;
  readonly name?: string;
}

/** loading: never complete yet. fresh: in step. stale: complete once, but the platform cannot be heard now. */
export type InventoryState =
  | { readonly kind: 'loading'; readonly fault?: SourceFault }
  | { readonly kind: 'fresh' }
  | { readonly kind: 'stale'; readonly fault: SourceFault };

export interface InventoryChange {
  readonly collection: string;
  readonly id: string;
  readonly kind: 'added' | 'changed' | 'removed';
}

/**
 * What one source holds, kept in step by its collector. Reads are answered from memory at any time; during a reload the old content
 * stays until the new one is complete. Listeners are called after the change is visible, in the same turn; they only note keys.
 */
export class InventoryStore implements InventorySink {
  readonly #collections = new Map<string, Map<string, InventoryItem>>();
  readonly #byName = new MultiMap();
  readonly #byInstanceUuid = new MultiMap();
  readonly #listeners = new Set<(change: InventoryChange) => void>();
  readonly #vmListeners = new Map<string, Set<() => void>>();
  readonly #stateListeners = new Set<(state: InventoryState) => void>();
  /** What the load that is under way has seen so far. */
  #seen: Map<string, Set<string>> | undefined;
  #state: InventoryState = { kind: 'loading' };
  #revision = 0;

  // ---- InventorySink ------------------------------------------------------------------------------------------------------------

  begin(): void {
    this.#seen = new Map();
  }

  upsert(collection: string, id: string, raw: Json, model?: VmModel): void {
    this.#note(collection, id);
    const items = this.#itemsOf(collection);
    const before = items.get(id);
    if (before !== undefined && same(before, raw, model)) return;
    const item: InventoryItem = {
      id,
      revision: (before?.revision ?? 0) + 1,
      raw,
      ...(model === undefined ? {} : { model }),
    };
    items.set(id, item);
    if (before?.model !== undefined) this.#forget(before.model);
    if (model !== undefined) this.#remember(model);
    this.#tell({ collection, id, kind: before === undefined ? 'added' : 'changed' });
  }

  remove(collection: string, id: string): void {
    this.#seen?.get(collection)?.delete(id);
    const item = this.#collections.get(collection)?.get(id);
    if (item === undefined) return;
    this.#collections.get(collection)?.delete(id);
    if (item.model !== undefined) this.#forget(item.model);
    this.#tell({ collection, id, kind: 'removed' });
  }

  /** The load that `begin` announced is complete; without one: the platform is heard again and nothing was missed. */
  parity(): void {
    const seen = this.#seen;
    this.#seen = undefined;
    if (seen !== undefined) {
      for (const [collection, items] of this.#collections) {
        const gone = [...items.keys()].filter((id) => seen.get(collection)?.has(id) !== true);
        for (const id of gone) this.remove(collection, id);
      }
    }
    if (seen !== undefined || this.#state.kind === 'stale') this.#enter({ kind: 'fresh' });
  }

  stale(reason: SourceFault): void {
    const complete = this.#state.kind !== 'loading';
    this.#enter({ kind: complete ? 'stale' : 'loading', fault: reason });
  }

  // ---- reading ------------------------------------------------------------------------------------------------------------------

  get state(): InventoryState {
    return this.#state;
  }

  /** Grows with every change of any item. */
  get revision(): number {
    return this.#revision;
  }

  get(collection: string, id: string): InventoryItem | undefined {
    return this.#collections.get(collection)?.get(id);
  }

  /** In the order in which they came. */
  list(collection: string): readonly InventoryItem[] {
    return [...(this.#collections.get(collection)?.values() ?? [])];
  }

  count(collection: string): number {
    return this.#collections.get(collection)?.size ?? 0;
  }

  vm(id: string): InventoryVm | undefined {
    const item = this.get(vms, id);
    return item?.model === undefined ? undefined : { ...item, model: item.model };
  }

  vms(): readonly InventoryVm[] {
    return this.list(vms).filter((item): item is InventoryVm => item.model !== undefined);
  }

  /** An id decides alone; a name is compared with VM names, or with whole paths when it holds a slash. */
  find(ref: VmRef): Found<InventoryVm> {
    if (ref.id !== undefined && ref.id !== '') return found(this.#resolve([ref.id]));
    if (ref.name === undefined || ref.name === '') return { kind: 'none' };
    const named = this.#resolve(this.#byName.get(ref.name));
    if (named.length > 0 || !ref.name.includes('/')) return found(named);
    const path = ref.name;
    return found(this.vms().filter(({ model }) => model.path === path || model.path === `/${path}`));
  }

  /** By the uuid that the platform gives each instance, as in the second half of VmModel.identity. */
  findByInstanceUuid(uuid: string): Found<InventoryVm> {
    return found(this.#resolve(this.#byInstanceUuid.get(uuid)));
  }

  // ---- listening ----------------------------------------------------------------------------------------------------------------

  /** Calls `listener` for each change in `collection`, or in all of them. */
  onChange(listener: (change: InventoryChange) => void, collection?: string): Disposable {
    const filtered = (change: InventoryChange): void => {
      if (collection === undefined || change.collection === collection) listener(change);
    };
    return subscription(this.#listeners, filtered);
  }

  /** Calls `listener` when the VM of this id appears, changes or goes. */
  onVmChange(id: string, listener: () => void): Disposable {
    const own = (): void => listener();
    const listeners = this.#vmListeners.get(id) ?? new Set();
    this.#vmListeners.set(id, listeners);
    listeners.add(own);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(own);
        if (listeners.size === 0 && this.#vmListeners.get(id) === listeners) this.#vmListeners.delete(id);
      },
    };
  }

  onState(listener: (state: InventoryState) => void): Disposable {
    const own = (state: InventoryState): void => listener(state);
    return subscription(this.#stateListeners, own);
  }

  // ---- inside -------------------------------------------------------------------------------------------------------------------

  #itemsOf(collection: string): Map<string, InventoryItem> {
    const items = this.#collections.get(collection) ?? new Map<string, InventoryItem>();
    this.#collections.set(collection, items);
    return items;
  }

  #note(collection: string, id: string): void {
    if (this.#seen === undefined) return;
    const ids = this.#seen.get(collection) ?? new Set();
    this.#seen.set(collection, ids.add(id));
  }

  #remember(model: VmModel): void {
    this.#byName.add(model.name, model.id);
    this.#byInstanceUuid.add(instanceUuidOf(model), model.id);
  }

  #forget(model: VmModel): void {
    this.#byName.delete(model.name, model.id);
    this.#byInstanceUuid.delete(instanceUuidOf(model), model.id);
  }

  #resolve(ids: Iterable<string>): readonly InventoryVm[] {
    return [...ids].map((id) => this.vm(id)).filter((item) => item !== undefined);
  }

  #tell(change: InventoryChange): void {
    this.#revision += 1;
    for (const listener of [...this.#listeners]) listener(change);
    if (change.collection !== vms) return;
    for (const listener of [...(this.#vmListeners.get(change.id) ?? [])]) listener();
  }

  #enter(state: InventoryState): void {
    if (isDeepStrictEqual(this.#state, state)) return;
    this.#state = state;
    for (const listener of [...this.#stateListeners]) listener(state);
  }
}

/** The collection whose items have a model, on every platform. */
const vms = 'vms';

function instanceUuidOf(model: VmModel): string {
  return model.identity.slice(model.identity.lastIndexOf('/') + 1);
}

function same(before: InventoryItem, raw: Json, model: VmModel | undefined): boolean {
  return isDeepStrictEqual(before.raw, raw) && isDeepStrictEqual(before.model, model);
}

function found(items: readonly InventoryVm[]): Found<InventoryVm> {
  const [first, second] = items;
  if (first === undefined) return { kind: 'none' };
  return second === undefined ? { kind: 'one', item: first } : { kind: 'many', items };
}

function subscription<T>(set: Set<T>, listener: T): Disposable {
  set.add(listener);
  return { [Symbol.dispose]: () => set.delete(listener) };
}
