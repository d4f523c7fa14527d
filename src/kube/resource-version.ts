/**
 * Order of two resourceVersions of one resource: negative when `a` is older, 0 when equal, undefined when they cannot be compared.
 * Kubernetes documents them as comparable decimal integers since 1.35 (KEP-5504), and etcd-backed servers have always sent such; they
 * may exceed 2^53, so they are compared as text.
 */
export function compareVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!isDecimal(a) || !isDecimal(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

/** True only when both are known and `a` is older. */
export function isOlder(a: string, b: string): boolean {
  return (compareVersions(a, b) ?? 0) < 0;
}

function isDecimal(version: string): boolean {
  return /^(0|[1-9]\d*)$/.test(version);
}
