import { terminal, volumesRefused } from '../failures.ts';
import { foreignVolume, takenNameHint } from '../foreign-volume.ts';
import { halfThere, isLeaving, untilGone } from '../leaving-volumes.ts';
import { targetObjectsEntry } from '../ledger.ts';
import { growthOf } from '../recopy.ts';
import { firstStage, roundUnderWay } from '../rounds.ts';
import { rfc3339 } from '../time.ts';
import type { VolumeFact } from '../facts.ts';
import { phase, type Action, type Context } from '../phase.ts';

/**
 * One DataVolume a disk, by names known beforehand. A claim or DataVolume of such a name that is not ours is somebody's data: it is named
 * and left alone. Nothing is ever made over a claim that exists (review.md F40).
 */
export const createDataVolumes = phase({
  name: 'CreateDataVolumes',
  step: 'Initialize',
  needs: ['liveVolumes', 'sourceAccess'],
  decide({ liveVolumes, sourceAccess }, context) {
    for (const volume of liveVolumes) {
      const failure = foreignVolume(volume, context) ?? halfThere(volume, context);
      if (failure !== undefined) return failure;
    }
    const leaving = liveVolumes.filter(isLeaving);
    if (leaving.length > 0) return untilGone(leaving, context);
    const absent = liveVolumes.filter((volume) => volume.dataVolume === undefined);
    if (absent.length === 0) return { kind: 'advance' };
    const creates = absent.map((volume) => create(volume, context));
    const given = sourceAccess.state === 'open' ? { version: sourceAccess.credentials } : {};
    return {
      kind: 'act',
      records: { access: { ...given, since: rfc3339(context.now) } },
      ledger: [targetObjectsEntry(context.spec.target.namespace)],
      actions: [{ do: 'createAccess' }, ...creates],
    };
  },
  refused(refusal, context) {
    const { namespace } = context.spec.target;
    if (refusal.code === 'AlreadyExists' && refusal.action.do === 'createAccess') {
      return terminal(
        'AccessNameTaken',
        `An object of another owner has the name under which the importers were to find their access in namespace ${namespace}: ${refusal.text}`,
        'Remove it and start the plan again. It was left untouched.',
      );
    }
    if (refusal.code === 'AlreadyExists') {
      return terminal(
        'ClaimNameTaken',
        `An object of another owner has the name of a disk of this VM in namespace ${namespace}: ${refusal.text}`,
        takenNameHint,
      );
    }
    return volumesRefused(namespace, refusal.text);
  },
});

/** Warm: with the stage that its first snapshot is for. */
function create({ diskKey }: VolumeFact, context: Context): Action {
  const stage = roundUnderWay(context)?.disks[diskKey];
  const growth = growthOf(context, diskKey);
  if (stage === undefined) return { do: 'createDataVolume', diskKey, ...growth };
  return { do: 'createDataVolume', diskKey, ...growth, stage: firstStage(stage, false) };
}
