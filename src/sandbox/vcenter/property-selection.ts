import type { ManagedObject, Registry } from './managed-object.ts';
import { declaredAt, parsePath, type PathStep } from './property-path.ts';
import { invalidArgument, invalidProperty } from './vim-fault.ts';
import { isA, structType, type FieldType } from './vim-schema.ts';
import { isVimObject, MoRef, refsIn, type VimObject, type VimValue } from './vim-value.ts';

export interface SelectedPath {
  readonly path: string;
  readonly steps: readonly PathStep[];
  readonly declared: FieldType;
}

/** A PropertyFilterSpec taken apart and proved (fact: vs 1.4). Throws VimFault when a class has no such property. */
export class PropertySelection {
  readonly #sets: readonly { readonly type: string; readonly paths: readonly string[] }[];
  readonly #roots: readonly RootSpec[];
  readonly #byType = new Map<string, readonly SelectedPath[] | undefined>();
  /** Properties that lead from object to object: a change of one may change which objects are selected. */
  readonly linkFields: ReadonlySet<string>;

  constructor(spec: VimObject) {
    this.#sets = objects(spec['propSet']).map(readPropertySet);
    this.#roots = objects(spec['objectSet']).map(readRoot);
    const links = this.#roots.flatMap((root) => [...root.named.values(), ...root.steps]);
    this.linkFields = new Set(links.flatMap((step) => (step.kind === 'traversal' ? [step.path] : [])));
  }

  /** Sorted by path. undefined: objects of this class are not selected at all. */
  pathsOf(type: string): readonly SelectedPath[] | undefined {
    if (!this.#byType.has(type)) this.#byType.set(type, this.#pathsOf(type));
    return this.#byType.get(type);
  }

  /** The selected objects in the order in which the walk finds them. Throws ManagedObjectNotFound when a root is gone. */
  objects(registry: Registry): readonly ManagedObject[] {
    const found = new Set<ManagedObject>();
    for (const root of this.#roots) {
      const start = registry.require(root.obj, root.obj.type);
      if (!root.skip) found.add(start);
      walk(root, start, registry, found);
    }
    return [...found].filter((object) => this.pathsOf(object.type) !== undefined);
  }

  /** A set for a base class holds for its subclasses too; several that fit are joined. fact: inferred, vs 1.4 does not say. */
  #pathsOf(type: string): readonly SelectedPath[] | undefined {
    const fitting = this.#sets.filter((set) => isA(type, set.type));
    if (fitting.length === 0) return undefined;
    return [...new Set(fitting.flatMap((set) => set.paths))].sort().flatMap((path) => {
      const declared = declaredAt(type, path);
      return declared === undefined ? [] : [{ path, steps: parsePath(path), declared }];
    });
  }
}

interface Traversal {
  readonly kind: 'traversal';
  readonly type: string;
  readonly path: string;
  readonly skip: boolean;
  readonly next: readonly Step[];
}
/** A SelectionSpec that only carries the name of a traversal: how recursion is written (fact: vs 1.4). */
interface NamedStep {
  readonly kind: 'named';
  readonly name: string;
}
type Step = Traversal | NamedStep;
interface RootSpec {
  readonly obj: MoRef;
  readonly skip: boolean;
  readonly steps: readonly Step[];
  readonly named: ReadonlyMap<string, Traversal>;
}

function walk(root: RootSpec, start: ManagedObject, registry: Registry, found: Set<ManagedObject>): void {
  const seen = new Map<Traversal, Set<ManagedObject>>();
  const queue: { readonly from: ManagedObject; readonly steps: readonly Step[] }[] = [
    { from: start, steps: root.steps },
  ];
  for (const { from, steps } of queue) {
    for (const step of steps) {
      const traversal = step.kind === 'traversal' ? step : root.named.get(step.name);
      if (traversal === undefined || !from.isA(traversal.type)) continue;
      const done = seen.get(traversal) ?? new Set();
      seen.set(traversal, done);
      if (done.has(from)) continue;
      done.add(from);
      for (const ref of refsIn(from.get(traversal.path))) {
        const object = registry.find(ref);
        if (object === undefined) continue;
        if (!traversal.skip) found.add(object);
        if (traversal.next.length > 0) queue.push({ from: object, steps: traversal.next });
      }
    }
  }
}

function readPropertySet(set: VimObject): { readonly type: string; readonly paths: readonly string[] } {
  const type = textIn(set, 'type');
  const struct = structType(type);
  if (struct === undefined) throw invalidArgument('specSet.propSet.type');
  if (set['all'] === true) return { type, paths: struct.fields.map((field) => field.name) };
  const paths = (set['pathSet'] as readonly string[] | undefined) ?? [];
  for (const path of paths) {
    if (declaredAt(type, path) === undefined) throw invalidProperty(path);
  }
  return { type, paths };
}

function readRoot(spec: VimObject): RootSpec {
  const named = new Map<string, Traversal>();
  const steps = objects(spec['selectSet']).map((select) => readStep(select, named));
  const obj = spec['obj'];
  if (!(obj instanceof MoRef)) throw invalidArgument('specSet.objectSet.obj');
  return { obj, skip: spec['skip'] === true, steps, named };
}

function readStep(select: VimObject, named: Map<string, Traversal>): Step {
  const name = select['name'];
  if (select.$type === 'SelectionSpec') return { kind: 'named', name: textIn(select, 'name') };
  const type = textIn(select, 'type');
  const path = textIn(select, 'path');
  if (structType(type)?.byName.get(path)?.kind !== 'reference') throw invalidProperty(path);
  const next = objects(select['selectSet']).map((inner) => readStep(inner, named));
  const traversal: Traversal = { kind: 'traversal', type, path, skip: select['skip'] === true, next };
  if (typeof name === 'string') named.set(name, traversal);
  return traversal;
}

function objects(value: VimValue | undefined): readonly VimObject[] {
  return Array.isArray(value) ? value.filter(isVimObject) : [];
}

function textIn(object: VimObject, field: string): string {
  const value = object[field];
  return typeof value === 'string' ? value : '';
}
