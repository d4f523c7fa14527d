import { clipText, padText, printable, textWidth } from './text-width.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Gives way where the screen is too narrow, down to so many cells, the last column first; columns without it are never cut. */
  readonly least?: number;
  /** Kept at this many cells or more, so that a table which is drawn again and again stays where it is. */
  readonly steady?: number;
}

const gap = '  ';

/**
 * Lines of text, the titles first, columns under each other. `width` in cells is where lines end at the latest; left out, they are as
 * long as they need. Cells are made printable. Trailing spaces are cut.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  const cells = rows.map((row) => row.map(printable));
  const widths = columnWidths(columns, cells, width);
  const lineOf = (row: readonly string[]): string => {
    const parts = columns.map((column, index) => {
      const space = widths[index] ?? 0;
      return padText(clipText(row[index] ?? '', space), space, column.align ?? 'left');
    });
    return clipText(parts.join(gap).trimEnd(), width);
  };
  return [columns.map(({ title }) => title), ...cells].map(lineOf);
}

function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly number[] {
  const wanted = columns.map(({ title, steady = 0 }, index) =>
    Math.max(textWidth(title), steady, ...rows.map((row) => textWidth(row[index] ?? ''))),
  );
  let excess = wanted.reduce((sum, each) => sum + each, gap.length * (columns.length - 1)) - width;
  const widths = [...wanted];
  for (let index = columns.length - 1; index >= 0 && excess > 0; index -= 1) {
    const each = wanted[index] ?? 0;
    const cut = Math.min(excess, Math.max(0, each - (columns[index]?.least ?? each)));
    excess -= cut;
    widths[index] = each - cut;
  }
  return widths;
}
