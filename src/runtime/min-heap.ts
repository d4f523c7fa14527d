/** Binary heap: the least item by `isBefore` is on top. Equal items come out in no particular order, so give ties a sequence number. */
export class MinHeap<T> {
  readonly #items: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = items[parentAt] as T;
      if (!this.#isBefore(item, parent)) break;
      items[at] = parent;
      at = parentAt;
    }
    items[at] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) this.#sink(last);
    return top;
  }

  clear(): void {
    this.#items.length = 0;
  }

  /** Puts `item` in the place of the top and lets it down to where it belongs. */
  #sink(item: T): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= items.length) break;
      if (childAt + 1 < items.length && this.#isBefore(items[childAt + 1] as T, items[childAt] as T)) {
        childAt += 1;
      }
      const child = items[childAt] as T;
      if (!this.#isBefore(child, item)) break;
      items[at] = child;
      at = childAt;
    }
    items[at] = item;
  }
}
