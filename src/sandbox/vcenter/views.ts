import type { ManagedObject, Registry } from './managed-object.ts';
import type { MoRef } from './vim-value.ts';

/** All that lies below a container, each once, of the types asked for; no types: everything (fact: vs 1.4: membership is dynamic). */
export function containedIn(
  container: ManagedObject,
  types: readonly string[],
  recursive: boolean,
): readonly MoRef[] {
  const found: MoRef[] = [];
  const visit = (parent: ManagedObject): void => {
    for (const child of parent.children) {
      if (types.length === 0 || types.some((type) => child.isA(type))) found.push(child.ref);
      if (recursive) visit(child);
    }
  };
  visit(container);
  return found;
}

/** The objects of a list view that still are there. */
export class ListMembers {
  readonly #registry: Registry;
  readonly #refs = new Map<string, MoRef>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  add(refs: readonly MoRef[]): void {
    for (const ref of refs) this.#refs.set(ref.id, ref);
  }

  remove(refs: readonly MoRef[]): void {
    for (const ref of refs) this.#refs.delete(ref.id);
  }

  /** These and no others. */
  reset(refs: readonly MoRef[]): void {
    this.#refs.clear();
    this.add(refs);
  }

  get present(): readonly MoRef[] {
    return [...this.#refs.values()].filter((ref) => this.#registry.find(ref) !== undefined);
  }
}
