/** RFC 3339 in whole seconds, as records and ledger keep it. `ms` is milliseconds since 1970. */
export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** With milliseconds, where a rate is measured from it. */
export function rfc3339Millis(ms: number): string {
  return new Date(ms).toISOString();
}

/** The first of several moments to come; undefined while none is known. Milliseconds since 1970. */
export function earliest(...moments: readonly (number | undefined)[]): number | undefined {
  const known = moments.filter((moment) => moment !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
