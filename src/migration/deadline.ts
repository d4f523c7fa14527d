import type { Context } from './phase.ts';

/**
 * When something that the target cluster was to bring about by itself is late: `seconds` after `since` (milliseconds since 1970, the
 * beginning of the phase by default), of which only the time counts that it could be watched in. While the API server is away neither CDI
 * nor the kubelet gets on, and we would not hear of it if they did. Milliseconds since 1970.
 */
export function clusterDeadline(
  context: Context,
  seconds: number,
  since: number = context.phaseSince,
): number {
  return Math.max(since, context.watchingSince) + seconds * 1000;
}
