import type { Json } from './json.ts';
import { badRequest } from './refusal.ts';
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

export function asTable(
  served: ServedKind,
  { metadata, items }: Pick<ObjectPage, 'metadata' | 'items'>,
  nowMs: number,
  query: Query,
): Table {
  const include = query['includeObject'] ?? '';
  if (!['', 'Metadata', 'Object', 'None'].includes(include)) {
    const why = "must be 'Metadata', 'Object', 'None', or empty";
    throw badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: ${why}`,
    );
  }
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
