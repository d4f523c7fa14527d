import type { KnownDifference } from './known-differences.ts';

/** One place at which the sandbox said something else than the real programs did. Absent on one side: undefined. */
export interface Difference {
  /** Words from the outside in, joined by " > "; inside a document dots and indexes: "api > story > step > body.spec.vms[0].name". */
  readonly where: string;
  readonly real: unknown;
  readonly sandbox: unknown;
}

/** Every place where two JSON documents differ, the deepest that say so. */
export function differencesBetween(real: unknown, sandbox: unknown, where: string): readonly Difference[] {
  if (Object.is(real, sandbox)) return [];
  if (Array.isArray(real) && Array.isArray(sandbox)) {
    const length = Math.max(real.length, sandbox.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      differencesBetween(real[index], sandbox[index], `${where}[${index}]`),
    );
  }
  if (isRecord(real) && isRecord(sandbox)) {
    const names = [...new Set([...Object.keys(real), ...Object.keys(sandbox)])].sort();
    return names.flatMap((name) => differencesBetween(real[name], sandbox[name], `${where}.${name}`));
  }
  return [{ where, real, sandbox }];
}

/**
 * The differences that a second look finds as well. Of programs that race each other: what has changed since the record differs at every
 * look, what is chance does not.
 */
export async function lastingDifferences(
  look: () => Promise<readonly Difference[]>,
): Promise<readonly Difference[]> {
  const first = await look();
  if (first.length === 0) return [];
  const places = new Set(first.map(({ where }) => where));
  return (await look()).filter(({ where }) => places.has(where));
}

export interface Judged {
  /** Differences that nobody has owned up to. */
  readonly unexplained: readonly Difference[];
  /** Known differences that no longer differ: to be taken out of the list. */
  readonly healed: readonly KnownDifference[];
}

/** `suite` is the first word of `where`: the entries of other suites are not judged. */
export function judge(
  differences: readonly Difference[],
  known: readonly KnownDifference[],
  suite: string,
): Judged {
  const ours = known.filter(({ where }) => where.startsWith(`${suite} > `));
  const patterns = ours.map((entry) => ({ entry, pattern: patternOf(entry.where) }));
  return {
    unexplained: differences.filter(({ where }) => !patterns.some(({ pattern }) => pattern.test(where))),
    healed: patterns
      .filter(({ pattern }) => !differences.some(({ where }) => pattern.test(where)))
      .map(({ entry }) => entry),
  };
}

/** A `*` stands for any text; a place stands for all that is inside it. */
function patternOf(where: string): RegExp {
  const source = where
    .split('*')
    .map((part) => part.replaceAll(/[\\^$.+?()[\]{}|]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}(?:$|[.[]| > )`, 's');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
