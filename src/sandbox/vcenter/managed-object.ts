import { notFound } from './vim-fault.ts';
import { declaredAt, parsePath, valueAt, withValueAt, type PathStep } from './property-path.ts';
import { isA, vim, type FieldType } from './vim-schema.ts';
import { MoRef, type VimObject, type VimValue } from './vim-value.ts';

/** What is told to those who watch: a property was set, an element of a list added or removed, an object came or went. */
export type Change =
  | {
      readonly kind: 'set';
      readonly object: ManagedObject;
      readonly path: string;
      readonly added: boolean;
      /** All properties as they were; undefined when a computed list changed. */
      readonly before: VimObject | undefined;
    }
  | { readonly kind: 'membership'; readonly object: ManagedObject };

type Computed = () => VimValue | undefined;
type Properties = Readonly<Record<string, VimValue | undefined>>;

export interface ObjectParts {
  readonly properties?: Properties;
  /** More of them, made when one is first needed: a thousand VMs that nobody looks at cost little. */
  readonly later?: () => Properties;
  /** Worked out at each reading: lists of other objects. */
  readonly computed?: Readonly<Record<string, Computed>>;
}

/** An object of the inventory. Its properties are data; lists of other objects are worked out when they are read. */
export class ManagedObject {
  readonly ref: MoRef;
  #properties: VimObject;
  #later: (() => Properties) | undefined;
  readonly #computed: ReadonlyMap<string, Computed>;
  readonly #changed: (change: Change) => void;
  readonly children = new Set<ManagedObject>();

  constructor(ref: MoRef, parts: ObjectParts, changed: (change: Change) => void) {
    this.ref = ref;
    this.#properties = vim(ref.type, parts.properties);
    this.#later = parts.later;
    this.#computed = new Map(Object.entries(parts.computed ?? {}));
    this.#changed = changed;
  }

  get type(): string {
    return this.ref.type;
  }
  get id(): string {
    return this.ref.id;
  }

  isA(type: string): boolean {
    return isA(this.type, type);
  }

  get(path: string): VimValue | undefined {
    return this.at(parsePath(path));
  }

  /** The same for a path that was taken apart before: what makes a full load of thousands of objects cheap. */
  at(steps: readonly PathStep[]): VimValue | undefined {
    const [first, second] = steps;
    if (first === undefined) return undefined;
    const computed = second === undefined ? this.#computed.get(first.field) : undefined;
    if (computed !== undefined) return computed();
    if (!(first.field in this.#properties)) this.#complete();
    return valueAt(this.#properties, steps);
  }

  #complete(): void {
    if (this.#later === undefined) return;
    this.#properties = { ...this.#properties, ...vim(this.type, this.#later()) };
    this.#later = undefined;
  }

  /** A property that is a string and always set. */
  text(path: string): string {
    const value = this.get(path);
    if (typeof value !== 'string') throw new Error(`${this.id}: ${path} is no text`);
    return value;
  }

  declared(path: string): FieldType | undefined {
    return declaredAt(this.type, path, this.#properties);
  }

  /** undefined unsets. Tells the watchers, unless nothing changed. */
  set(path: string, value: VimValue | undefined): void {
    const before = this.get(path);
    if (before === value) return;
    this.#complete();
    const all = this.#properties;
    this.#properties = withValueAt(all, parsePath(path), value);
    this.#changed({ kind: 'set', object: this, path, added: before === undefined, before: all });
  }

  /** A computed list has changed. */
  touch(path: string): void {
    this.#changed({ kind: 'set', object: this, path, added: false, before: undefined });
  }
}

/** All objects that a client may name, in the order they were made. */
export class Registry {
  readonly #objects = new Map<string, ManagedObject>();
  readonly #watchers = new Set<(change: Change) => void>();
  #sequence = 0;

  get all(): IterableIterator<ManagedObject> {
    return this.#objects.values();
  }

  /** Grows with every change: what versions of a property collector are made of. */
  get sequence(): number {
    return this.#sequence;
  }

  add(type: string, id: string, parts: ObjectParts = {}): ManagedObject {
    if (this.#objects.has(id)) throw new Error(`${id} exists`);
    const object = new ManagedObject(new MoRef(type, id), parts, (change) => this.#tell(change));
    this.#objects.set(id, object);
    this.#tell({ kind: 'membership', object });
    return object;
  }

  remove(object: ManagedObject): void {
    if (this.#objects.delete(object.id)) this.#tell({ kind: 'membership', object });
  }

  has(object: ManagedObject): boolean {
    return this.#objects.get(object.id) === object;
  }

  find(ref: MoRef): ManagedObject | undefined {
    const object = this.#objects.get(ref.id);
    return object?.isA(ref.type) === true ? object : undefined;
  }

  /** Throws ManagedObjectNotFound, also for what has been deleted (fact: vs 1.5). */
  require(ref: MoRef, type: string): ManagedObject {
    const object = this.#objects.get(ref.id);
    if (object === undefined || !object.isA(ref.type) || !object.isA(type)) throw notFound(ref);
    return object;
  }

  watch(watcher: (change: Change) => void): Disposable {
    this.#watchers.add(watcher);
    return {
      [Symbol.dispose]: () => {
        this.#watchers.delete(watcher);
      },
    };
  }

  #tell(change: Change): void {
    this.#sequence += 1;
    for (const watcher of this.#watchers) watcher(change);
  }
}
