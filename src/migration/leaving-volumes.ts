import { clusterDeadline } from './deadline.ts';
import { terminal } from './failures.ts';
import type { VolumeFact } from './facts.ts';
import { deleteImporter } from './importers-ending.ts';
import type { Act, Action, Context, Fail, Wait } from './phase.ts';

/** Whether a volume is on its way out, so that another one may take its name later. */
export function isLeaving(volume: VolumeFact): boolean {
  return volume.dataVolume?.deleting === true || volume.claim?.deleting === true || isStray(volume);
}

/**
 * A claim whose DataVolume is gone. The garbage collector takes its time over it: 40 s have been seen where it had just begun to know of
 * DataVolumes. And after a failover of the API server one stood there, unmarked, where the one before was on its way out already: a CDI
 * whose caches are behind makes it once more.
 */
function isStray({ dataVolume, claim }: VolumeFact): boolean {
  return dataVolume === undefined && claim?.ours === true && claim.owner.kind === 'DataVolume';
}

/** A claim of ours that somebody has parted from its DataVolume, and that nobody takes away: who knows what is on it. */
export function halfThere(volume: VolumeFact, { spec }: Context): Fail | undefined {
  if (volume.claim === undefined || volume.dataVolume !== undefined || isLeaving(volume)) return undefined;
  return terminal(
    'DataVolumeDeleted',
    `The DataVolume of claim ${spec.target.namespace}/${volume.claimName} was deleted by somebody.`,
    'Start the plan again; the disk is then copied anew.',
  );
}

/**
 * Until the old volumes are out of the way. A claim stays as long as a pod uses it, and CDI has been seen to leave its importer to crash over
 * and over (seen in CDI 1.65).
 */
export function untilGone(leaving: readonly VolumeFact[], context: Context): Act | Wait | Fail {
  const until = clusterDeadline(context, context.settings.volumeBoundSeconds);
  if (context.now >= until) {
    const claims = leaving.map(({ claimName }) => `${context.spec.target.namespace}/${claimName}`);
    return terminal(
      'VolumeNotGone',
      `The old volume of a disk was deleted and does not go away: ${claims.join(', ')}.`,
      'See what holds it (its finalizers, and pods that use it), and start the plan again.',
    );
  }
  const actions = leaving.flatMap((volume) => [...deleteImporter(volume), ...deleteStray(volume)]);
  if (actions.length > 0) return { kind: 'act', actions };
  return { kind: 'wait', reason: 'VolumeDeletion', for: 'the old volume of a disk to be gone', until };
}

function deleteStray(volume: VolumeFact): readonly Action[] {
  const { claim } = volume;
  if (claim === undefined || claim.deleting || !isStray(volume)) return [];
  return [{ do: 'deleteClaim', name: volume.claimName, uid: claim.uid }];
}
