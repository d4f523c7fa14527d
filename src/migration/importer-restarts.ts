import type { DiskStatus } from '../api/virtual-machine-import.ts';
import type { VolumeFact } from './facts.ts';
import type { Context } from './phase.ts';

/** Pods that are kept apart; older ones are one sum. maxProperties of the schema. */
const mostPods = 3;

export interface Restarts {
  readonly restarts: Readonly<Record<string, number>>;
  readonly restartsBefore: number;
  readonly total: number;
}

/**
 * Failures of the importers of one disk and round, summed over the pods seen: a new pod starts at 0, and DataVolume.status.restartCount is
 * the highest ever seen and no sum (review.md F28; fact: cdi 1.3). A pod that failed as a whole counts one more.
 */
export function countRestarts(previous: DiskStatus | undefined, pod: VolumeFact['pod']): Restarts {
  const before = previous?.restarts ?? {};
  const sumBefore = previous?.restartsBefore ?? 0;
  const seen = pod === undefined ? 0 : pod.restarts + (pod.phase === 'Failed' ? 1 : 0);
  if (pod === undefined || (seen === 0 && before[pod.uid] === undefined)) return summed(before, sumBefore);
  const restarts = { ...before, [pod.uid]: Math.max(before[pod.uid] ?? 0, seen) };
  const oldest = Object.keys(restarts)
    .filter((uid) => uid !== pod.uid)
    .sort()[0];
  if (Object.keys(restarts).length <= mostPods || oldest === undefined) return summed(restarts, sumBefore);
  const { [oldest]: dropped = 0, ...kept } = restarts;
  return summed(kept, sumBefore + dropped);
}

/** More failures than are counted already. */
export function haveFailedAnew(
  volumes: readonly Pick<VolumeFact, 'diskKey' | 'pod'>[],
  { status }: Pick<Context, 'status'>,
): boolean {
  const known = new Map((status.disks ?? []).map((disk) => [disk.key, disk]));
  return volumes.some(({ diskKey, pod }) => {
    const before = known.get(diskKey);
    return countRestarts(before, pod).total > countRestarts(before, undefined).total;
  });
}

function summed(restarts: Readonly<Record<string, number>>, restartsBefore: number): Restarts {
  const total = Object.values(restarts).reduce((sum, count) => sum + count, restartsBefore);
  return { restarts, restartsBefore, total };
}
