import type { PrinterColumn } from '../../api/external/core.ts';
import type { Json } from './json.ts';
import { isObject, textOf } from './json.ts';
import { readPath } from './json-path.ts';
import type { Column } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  priority: 0,
  cell: (object) => object.metadata.name,
};

/** A column as a CRD declares it (fact: apiextensions-apiserver tableconvertor; a date is shown as an age). */
export function declaredColumn(column: PrinterColumn): Column {
  const read = readPath(column.jsonPath);
  return {
    name: column.name,
    type: column.type,
    ...(column.format !== undefined && { format: column.format }),
    description: column.description ?? '',
    priority: column.priority ?? 0,
    cell: (object, nowMs) => {
      const value = read(object as unknown as Json);
      if (value === undefined || value === null) return null;
      switch (column.type) {
        case 'string':
          return textOf(value);
        case 'integer':
          return typeof value === 'number' ? Math.trunc(value) : null;
        case 'number':
          return typeof value === 'number' ? value : null;
        case 'boolean':
          return typeof value === 'boolean' ? value : null;
        case 'date':
          return ageSince(value, nowMs);
        default:
          return null;
      }
    },
  };
}

/** A column of a built-in kind, whose printer is code. */
export function column(
  name: string,
  cell: (object: StoredObject, nowMs: number) => Json | undefined,
  options: { readonly type?: string; readonly wide?: boolean } = {},
): Column {
  return {
    name,
    type: options.type ?? 'string',
    description: '',
    priority: options.wide === true ? 1 : 0,
    cell: (object, nowMs) => cell(object, nowMs) ?? null,
  };
}

export const ageColumn: Column = column('Age', (object, nowMs) =>
  ageSince(object.metadata.creationTimestamp, nowMs),
);

export function ageSince(time: unknown, nowMs: number): string {
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(at) ? '<unknown>' : humanDuration(nowMs - at);
}

/** "5s", "3m20s", "2d4h": fact: apimachinery pkg/util/duration HumanDuration. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (days < 2920) return days % 365 === 0 ? `${years}y` : `${years}y${days % 365}d`;
  return `${years}y`;
}

/** A field by its dotted path, for the printers of built-in kinds. */
export function fieldAt(object: StoredObject, path: string): Json | undefined {
  let value: unknown = object;
  for (const name of path.split('.')) value = isObject(value) ? value[name] : undefined;
  return value as Json | undefined;
}
