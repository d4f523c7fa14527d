/** How long a container that ended waits for its next start, as a kubelet has it. */
export interface BackOff {
  readonly waitMs: number;
  /** When the wait was last lengthened; ms since 1970. */
  readonly sinceMs: number;
}

const firstMs = 10_000;
const longestMs = 300_000;

/**
 * Milliseconds from the end of a container to its next start. None for the first restart; then 10 s, 20 s, 40 s up to 5 minutes. After ten
 * quiet minutes it begins anew. Fact: Kubernetes 1.36, pkg/kubelet doBackOff with client-go's flowcontrol.Backoff: the first crash finds
 * no entry, and so no wait.
 */
export function waitAfterEnd(backOff: BackOff | undefined, finishedMs: number): number {
  if (backOff === undefined || isExpired(backOff, finishedMs)) return 0;
  return backOff.waitMs;
}

/** As it is once the container has been started again. */
export function lengthen(backOff: BackOff | undefined, finishedMs: number, nowMs: number): BackOff {
  if (backOff === undefined || isExpired(backOff, finishedMs)) return { waitMs: firstMs, sinceMs: nowMs };
  return { waitMs: Math.min(longestMs, backOff.waitMs * 2), sinceMs: nowMs };
}

function isExpired({ sinceMs }: BackOff, finishedMs: number): boolean {
  return finishedMs - sinceMs > 2 * longestMs;
}

/** Whole seconds as Go prints a duration: "10s", "1m20s", "5m0s". */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = [
    ...(hours > 0 ? [`${hours}h`] : []),
    ...(hours > 0 || minutes > 0 ? [`${minutes}m`] : []),
    `${seconds % 60}s`,
  ];
  return parts.join('');
}
