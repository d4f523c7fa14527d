import type { Change, ManagedObject, Registry } from './managed-object.ts';
import { liesWithin, parsePath, valueAt } from './property-path.ts';
import type { PropertySelection } from './property-selection.ts';
import { noPermission } from './vim-fault.ts';
import { vim } from './vim-schema.ts';
import { AnyValue, type MoRef, type VimObject } from './vim-value.ts';

/** May this session read the object? Privileges show up in missingSet, not as a fault (fact: vs 1.4). */
export type MayRead = (object: ManagedObject) => boolean;

/** One object of an answer to come. What it says of the object is written when its page goes out. */
export interface PendingUpdate {
  readonly kind: 'enter' | 'modify' | 'leave';
  readonly object: ManagedObject;
  readonly since: number;
}

interface Mark {
  readonly at: number;
  /** When the element of a list came into being; 0: it is older than this filter. */
  readonly addedAt: number;
}
interface Member {
  readonly enteredAt: number;
  readonly marks: Map<string, Mark>;
}

/**
 * What one filter has to tell since a given version. Versions are the registry's sequence; a filter keeps a mark for each changed
 * property and forgets it when the client has acknowledged a version after it.
 */
export class PropertyFilter {
  readonly ref: MoRef;
  readonly #selection: PropertySelection;
  readonly #partialUpdates: boolean;
  readonly #registry: Registry;
  readonly #mayRead: MayRead;
  readonly #members = new Map<ManagedObject, Member>();
  readonly #left = new Map<ManagedObject, number>();
  #stale = true;

  constructor(
    ref: MoRef,
    spec: { readonly selection: PropertySelection; readonly partialUpdates: boolean },
    registry: Registry,
    mayRead: MayRead,
  ) {
    this.ref = ref;
    this.#selection = spec.selection;
    this.#partialUpdates = spec.partialUpdates;
    this.#registry = registry;
    this.#mayRead = mayRead;
  }

  note(change: Change): void {
    if (change.kind === 'membership') {
      this.#stale = true;
      return;
    }
    const { object, path, added, before } = change;
    const [first] = parsePath(path);
    if (first !== undefined && this.#selection.linkFields.has(first.field)) this.#stale = true;
    const member = this.#members.get(object);
    if (member === undefined) return;
    for (const selected of this.#selection.pathsOf(object.type) ?? []) {
      if (liesWithin(selected.path, path)) {
        // A whole object was replaced: a part of it that is as before has not changed.
        const isSame = before !== undefined && valueAt(before, selected.steps) === object.at(selected.steps);
        if (!isSame) this.#mark(member, selected.path, false);
      } else if (liesWithin(path, selected.path)) {
        // fact: vs 1.4: without partial updates a nested change sends the whole requested property again.
        if (this.#partialUpdates) this.#mark(member, path, added);
        else this.#mark(member, selected.path, false);
      }
    }
  }

  #mark(member: Member, path: string, added: boolean): void {
    const at = this.#registry.sequence;
    member.marks.set(path, { at, addedAt: added ? at : (member.marks.get(path)?.addedAt ?? 0) });
  }

  /** Enters first, then changes, then leaves. */
  updatesSince(since: number): readonly PendingUpdate[] {
    this.#refresh();
    const entered: PendingUpdate[] = [];
    const modified: PendingUpdate[] = [];
    for (const [object, member] of this.#members) {
      if (member.enteredAt > since) entered.push({ kind: 'enter', object, since });
      else if (hasMarkSince(member, since)) modified.push({ kind: 'modify', object, since });
    }
    const left = [...this.#left].flatMap(([object, at]) =>
      at > since ? [{ kind: 'leave' as const, object, since }] : [],
    );
    return [...entered, ...modified, ...left];
  }

  /** The client has everything up to this version: no need to be able to say it again. */
  forgetUpTo(version: number): void {
    for (const [object, at] of this.#left) if (at <= version) this.#left.delete(object);
    for (const member of this.#members.values()) {
      for (const [path, mark] of member.marks) if (mark.at <= version) member.marks.delete(path);
    }
  }

  /** undefined when the object has gone since: its leave comes with a later version. */
  render({ kind, object, since }: PendingUpdate): VimObject | undefined {
    if (kind === 'leave') return vim('ObjectUpdate', { kind, obj: object.ref });
    const member = this.#members.get(object);
    if (member === undefined || !this.#registry.has(object)) return undefined;
    if (!this.#mayRead(object)) {
      return vim('ObjectUpdate', { kind, obj: object.ref, missingSet: missingSet(this.#selection, object) });
    }
    const changeSet = kind === 'enter' ? this.#allOf(object) : changesOf(object, member, since);
    return vim('ObjectUpdate', { kind, obj: object.ref, changeSet });
  }

  #allOf(object: ManagedObject): readonly VimObject[] {
    return (this.#selection.pathsOf(object.type) ?? []).flatMap(({ path, steps, declared }) => {
      const value = object.at(steps);
      if (value === undefined) return [];
      return [{ $type: 'PropertyChange', name: path, op: 'assign', val: new AnyValue(declared, value) }];
    });
  }

  #refresh(): void {
    if (!this.#stale) return;
    this.#stale = false;
    const at = this.#registry.sequence;
    const now = new Set(this.#selectionNow());
    for (const object of this.#members.keys()) {
      if (now.has(object)) continue;
      this.#members.delete(object);
      this.#left.set(object, at);
    }
    for (const object of now) {
      if (this.#members.has(object)) continue;
      this.#left.delete(object);
      this.#members.set(object, { enteredAt: at, marks: new Map() });
    }
  }

  /** A root that was deleted leaves nothing to select; asked for at creation it would have been a fault. */
  #selectionNow(): readonly ManagedObject[] {
    try {
      return this.#selection.objects(this.#registry);
    } catch {
      return [];
    }
  }
}

function hasMarkSince(member: Member, since: number): boolean {
  for (const mark of member.marks.values()) if (mark.at > since) return true;
  return false;
}

/** Unset is an assign without val; an element of a list is added or removed by its key (fact: vs 1.4; unset: inferred). */
function changesOf(object: ManagedObject, member: Member, since: number): readonly VimObject[] {
  const fresh = [...member.marks].filter(([, mark]) => mark.at > since).sort(([a], [b]) => (a < b ? -1 : 1));
  const paths = fresh.map(([path]) => path);
  return fresh.flatMap(([path, mark]) => {
    const covered = paths.some((other) => other !== path && liesWithin(path, other));
    const declared = object.declared(path);
    if (covered || declared === undefined) return [];
    const value = object.get(path);
    const isElement = path.endsWith(']');
    if (value === undefined)
      return [vim('PropertyChange', { name: path, op: isElement ? 'remove' : 'assign' })];
    const op = isElement && mark.addedAt > since ? 'add' : 'assign';
    return [vim('PropertyChange', { name: path, op, val: new AnyValue(declared, value) })];
  });
}

/** fact: vs 1.4: [{path, fault}]. */
export function missingSet(selection: PropertySelection, object: ManagedObject): readonly VimObject[] {
  const { localized } = noPermission(object.ref, 'System.Read');
  const paths = selection.pathsOf(object.type) ?? [];
  return paths.map(({ path }) => vim('MissingProperty', { path, fault: localized }));
}

/** One object of RetrievePropertiesEx. A property that is not set is left out. */
export function objectContent(
  selection: PropertySelection,
  object: ManagedObject,
  mayRead: MayRead,
): VimObject {
  const obj = object.ref;
  if (!mayRead(object)) return vim('ObjectContent', { obj, missingSet: missingSet(selection, object) });
  const propSet = (selection.pathsOf(object.type) ?? []).flatMap(({ path, steps, declared }) => {
    const value = object.at(steps);
    return value === undefined
      ? []
      : [{ $type: 'DynamicProperty', name: path, val: new AnyValue(declared, value) }];
  });
  return vim('ObjectContent', { obj, propSet });
}
