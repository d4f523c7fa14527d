import type { Json } from './json.ts';
import type { ObjectPage } from './reading.ts';
import type { ServedKind } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';
import type { WatchLine } from './watching.ts';

/** What kubectl prints (fact: meta.k8s.io/v1 Table). */
export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: ObjectPage['metadata'];
  readonly columnDefinitions: readonly object[];
  readonly rows: readonly { readonly cells: readonly Json[]; readonly object: object | null }[];
}

type Query = Readonly<Record<string, string>>;

export function tableWanted(accept: string | undefined): boolean {
  return accept?.includes('as=Table') === true;
}

export function asTable(
  served: ServedKind,
  { metadata, items }: Pick<ObjectPage, 'metadata' | 'items'>,
  nowMs: number,
  query: Query,
): Table {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: served.columns.map(({ name, type, format, description, priority }) => ({
      name,
      type,
      format: format ?? '',
      description: description ?? '',
      priority: priority ?? 0,
    })),
    rows: items.map((object) => ({
      cells: served.columns.map((column) => column.cell(object, nowMs)),
      object: rowObject(object, query['includeObject']),
    })),
  };
}

/** A line of a watch whose client wants tables; only the first one carries the head (fact: apiserver watch of tables). */
export function asTableLine(
  served: ServedKind,
  line: WatchLine,
  nowMs: number,
  query: Query,
  isFirst: boolean,
): WatchLine {
  if (line.type === 'ERROR' || line.type === 'BOOKMARK') return line;
  const object = line.object as StoredObject;
  const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' };
  const table = asTable(served, { metadata, items: [object] }, nowMs, query);
  return { type: line.type, object: isFirst ? table : { ...table, columnDefinitions: null } };
}

function rowObject(object: StoredObject, include: string | undefined): object | null {
  if (include === 'None') return null;
  if (include === 'Object') return object;
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}
