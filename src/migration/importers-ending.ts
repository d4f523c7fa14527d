import { clusterDeadline } from './deadline.ts';
import type { VolumeFact } from './facts.ts';
import type { Context, Decision } from './phase.ts';

/** Whoever uses the claims next waits until the last importer has let go of them. undefined: none is left. */
export function importersEnding(volumes: readonly VolumeFact[], context: Context): Decision | undefined {
  const alive = volumes.flatMap(({ pod }) =>
    pod === undefined || pod.phase === 'Succeeded' || pod.phase === 'Failed' ? [] : [pod],
  );
  if (alive.length === 0) return undefined;
  const until = clusterDeadline(context, context.settings.releaseSeconds);
  if (context.now < until) {
    return {
      kind: 'wait',
      reason: 'ImporterEnd',
      for: `the last importer to end (${alive.map(({ name }) => name).join(', ')})`,
      until,
    };
  }
  // Their disks are complete; what they still do is of no use to anybody.
  return { kind: 'act', actions: alive.map(({ name, uid }) => ({ do: 'deletePod', name, uid })) };
}
