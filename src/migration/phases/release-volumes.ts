import { clusterDeadline } from '../deadline.ts';
import { targetDeleted, terminal } from '../failures.ts';
import { lostClaim } from '../foreign-volume.ts';
import { deleteImporter, diskOverwritten, importedOverConverted, writersOf } from '../importers-ending.ts';
import type { VolumeFact } from '../facts.ts';
import { phase, type Action, type Context, type Fail } from '../phase.ts';

/** An owner that was read a moment too early is read again after this. */
const lookAgainMs = 5_000;

/**
 * The claims change their owner from DataVolume to VirtualMachine, and the DataVolumes go without taking them along. Each claim is given
 * before its DataVolume is deleted, by one tested patch, so that it is safe to die anywhere in between (review.md F39).
 */
export const releaseVolumes = phase({
  name: 'ReleaseVolumes',
  step: 'VirtualMachineCreation',
  needs: ['liveVolumes', 'targetVm'],
  decide({ liveVolumes, targetVm }, context) {
    // First: claims that were given to it already go with it, and would be taken for the cause.
    if (targetVm.state !== 'ours' || targetVm.deleting) return targetDeleted(context);
    const vmUid = context.records.targetUid ?? '';
    for (const volume of liveVolumes) {
      const failure = misplaced(volume, vmUid, context);
      if (failure !== undefined) return failure;
    }
    const overConverted = importedOverConverted(liveVolumes, context);
    if (overConverted !== undefined) return overConverted;
    const until = clusterDeadline(context, context.settings.releaseSeconds);
    // The first importer of each disk has ended well before the VM was made: this one writes over what that has copied.
    const writers = writersOf(liveVolumes);
    if (writers.length > 0) {
      if (context.now >= until) return diskOverwritten(writers);
      return {
        kind: 'wait',
        reason: 'ImporterEnd',
        for: 'an importer that CDI has started once more',
        until,
      };
    }
    const actions = [
      ...liveVolumes.flatMap((volume) => give(volume, vmUid)),
      ...liveVolumes.flatMap(deleteDataVolume),
      ...liveVolumes.flatMap(deleteImporter),
    ];
    if (liveVolumes.every(isReleased)) return { kind: 'advance' };
    if (context.now >= until) return tooLate(context);
    if (actions.length > 0) return { kind: 'act', actions };
    return { kind: 'wait', reason: 'VolumeRelease', for: 'the DataVolumes and importers to be gone', until };
  },
  refused(refusal, context) {
    const until = clusterDeadline(context, context.settings.releaseSeconds);
    if (context.now >= until) {
      return terminal(
        'ReleaseRefused',
        `The volumes cannot be given to the VirtualMachine: ${refusal.text}`,
        'See who owns the claims, and start the plan again.',
      );
    }
    return {
      kind: 'wait',
      reason: 'VolumeRelease',
      for: `the volumes to be read again (${refusal.text})`,
      until,
      lookAt: context.now + lookAgainMs,
    };
  },
});

function isReleased({ dataVolume, pod }: VolumeFact): boolean {
  return dataVolume === undefined && pod === undefined;
}

/** Fails where a claim is gone or belongs to neither its DataVolume nor our VirtualMachine. */
function misplaced(volume: VolumeFact, vmUid: string, context: Context): Fail | undefined {
  const { claim } = volume;
  const lost = lostClaim(volume, context);
  if (lost !== undefined || claim === undefined) return lost;
  const { kind, uid } = claim.owner;
  const isPlaced = (kind === 'VirtualMachine' && uid === vmUid) || (kind === 'DataVolume' && claim.ours);
  if (isPlaced) return undefined;
  return terminal(
    'ClaimOwnerForeign',
    `The claim of a disk has an owner that is neither its DataVolume nor the new VirtualMachine: ${claim.describedAs}.`,
    'Find out who took it, and start the plan again. It was left untouched.',
  );
}

function give({ claim, claimName }: VolumeFact, vmUid: string): readonly Action[] {
  if (claim?.owner.kind !== 'DataVolume') return [];
  const dataVolumeUid = claim.owner.uid ?? '';
  return [{ do: 'giveClaimToVm', claim: claimName, claimUid: claim.uid, dataVolumeUid, vmUid }];
}

function deleteDataVolume({ dataVolume, claimName }: VolumeFact): readonly Action[] {
  if (dataVolume === undefined || dataVolume.deleting) return [];
  return [{ do: 'deleteDataVolume', name: claimName, uid: dataVolume.uid, orphanClaim: true }];
}

function tooLate({ settings }: Context): Fail {
  return terminal(
    'ReleaseTimeout',
    `The DataVolumes or importers are not gone after ${Math.round(settings.releaseSeconds / 60)} min.`,
    'See what holds them (finalizers, a node that is lost), and start the plan again.',
  );
}
