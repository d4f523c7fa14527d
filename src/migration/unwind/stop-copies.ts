import { owesTargetObjects } from '../ledger.ts';
import type { Facts, VolumeFact } from '../facts.ts';
import { unwindStep, type Action, type Context } from '../phase.ts';
import { converters, notYetDeleted, podActions } from '../target-objects.ts';
import { keepsClaim } from './whole-claims.ts';

/** Importers get a while to let go of what they read; their end wakes the import sooner. */
const lookAgainMs = 15_000;

/**
 * Ends the copies: DataVolumes go first, so that CDI makes no new importer, then the importers. A claim that is whole and is to stay with
 * the user outlives its DataVolume; every other one goes with it.
 */
export const stopCopies = unwindStep({
  name: 'StopCopies',
  applies: (context) => owesTargetObjects(context) && context.records.committedAt === undefined,
  blocks: false,
  needs: ['targetObjects', 'liveVolumes'],
  decide({ targetObjects, liveVolumes }, context) {
    const { dataVolumes, pods } = targetObjects;
    if (converters(targetObjects).length > 0) {
      return { kind: 'wait', for: 'the conversion pod to end', lookAt: context.now + lookAgainMs };
    }
    if (dataVolumes.length === 0 && pods.length === 0) return { kind: 'done' };
    const actions = [...deleteDataVolumes(dataVolumes, liveVolumes, context), ...podActions(targetObjects)];
    if (actions.length > 0) return { kind: 'act', actions };
    return { kind: 'wait', for: 'the importers to end', lookAt: context.now + lookAgainMs };
  },
});

function deleteDataVolumes(
  dataVolumes: Facts<'targetObjects'>['targetObjects']['dataVolumes'],
  volumes: readonly VolumeFact[],
  context: Context,
): readonly Action[] {
  return notYetDeleted(dataVolumes).map(({ name, uid }) => ({
    do: 'deleteDataVolume',
    name,
    uid,
    orphanClaim: keepsClaim(name, volumes, context),
  }));
}
