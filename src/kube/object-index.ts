/** Sets of entries by the values that a function finds in each of them. An entry may have no value, or several. */
export class ObjectIndex<T> {
  readonly #valuesOf: (entry: T) => readonly string[];
  readonly #byValue = new Map<string, Map<string, T>>();

  constructor(valuesOf: (entry: T) => readonly string[]) {
    this.#valuesOf = valuesOf;
  }

  /** Replaces what stood under `key` before. */
  change(key: string, before: T | undefined, after: T | undefined): void {
    if (before !== undefined) for (const value of this.#valuesOf(before)) this.#remove(value, key);
    if (after !== undefined) for (const value of this.#valuesOf(after)) this.#add(value, key, after);
  }

  get(value: string): readonly T[] {
    const entries = this.#byValue.get(value);
    return entries === undefined ? [] : [...entries.values()];
  }

  #add(value: string, key: string, entry: T): void {
    const entries = this.#byValue.get(value);
    if (entries === undefined) this.#byValue.set(value, new Map([[key, entry]]));
    else entries.set(key, entry);
  }

  #remove(value: string, key: string): void {
    const entries = this.#byValue.get(value);
    if (entries?.delete(key) === true && entries.size === 0) this.#byValue.delete(value);
  }
}
