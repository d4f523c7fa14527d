import type { PhaseName, StepName } from '../../../api/phases.ts';
import type { Round } from '../../../api/virtual-machine-import.ts';
import { terminal } from '../../failures.ts';
import { foreignVolume } from '../../foreign-volume.ts';
import type { VolumeFact } from '../../facts.ts';
import { keepAccess } from '../../importer-access.ts';
import { halfThere, isLeaving, untilGone } from '../../leaving-volumes.ts';
import { phase, type Action, type Context, type Fail, type Phase } from '../../phase.ts';
import { growthOf } from '../../recopy.ts';
import { firstStage, roundBefore, roundUnderWay } from '../../rounds.ts';

/**
 * Gives every DataVolume the checkpoint of the round, one tested patch a disk; the final one carries finalCheckpoint in the same patch,
 * because CDI looks at it only when it goes on to a new checkpoint (fact: cdi 2.1). A disk that is to be copied whole gets a new
 * DataVolume under the same name.
 */
export function addCheckpoint(
  name: PhaseName,
  step: StepName,
  options: { readonly isFinal: boolean; readonly next: PhaseName },
): Phase {
  return phase({
    name,
    step,
    needs: ['liveVolumes', 'sourceAccess'],
    decide({ liveVolumes, sourceAccess }, context) {
      const round = roundUnderWay(context);
      if (round === undefined) return { kind: 'advance', to: options.next };
      // With the checkpoint an importer starts at once, and logs in with what it is given then.
      const access = keepAccess(sourceAccess, liveVolumes, context);
      if (access !== undefined) return access;
      const steps = liveVolumes.map((volume) => stepFor(volume, round, options.isFinal, context));
      const failed = steps.find((step) => step.is === 'failed');
      if (failed !== undefined) return failed.failure;
      const actions = steps.flatMap((step) => (step.is === 'due' ? [step.action] : []));
      if (actions.length > 0) return { kind: 'act', actions };
      const leaving = steps.flatMap((step) => (step.is === 'leaving' ? [step.volume] : []));
      if (leaving.length > 0) return untilGone(leaving, context);
      return { kind: 'advance', to: options.next };
    },
    /** The test of a patch has failed, or CDI refuses it: what stands there is looked at again a few times, and judged then. */
    refused({ action, code, text }) {
      const failure = terminal(
        'CheckpointRefused',
        `A further stage of the copy was refused: ${text}`,
        'Correct what it objects to and start the plan again.',
      );
      const isTested = action.do === 'appendCheckpoint' && code === 'Invalid';
      return isTested ? { ...failure, class: 'retryable' } : failure;
    },
  });
}

/** `leaving`: the old volume is on its way out. */
type Step =
  | { readonly is: 'done' }
  | { readonly is: 'leaving'; readonly volume: VolumeFact }
  | { readonly is: 'due'; readonly action: Action }
  | { readonly is: 'failed'; readonly failure: Fail };

function stepFor(volume: VolumeFact, round: Round, isFinal: boolean, context: Context): Step {
  const wanted = round.disks[volume.diskKey];
  if (wanted === undefined) return { is: 'done' };
  const { dataVolume } = volume;
  const last = dataVolume?.checkpoints?.at(-1)?.current;
  const isGiven = dataVolume !== undefined && !dataVolume.deleting && last === wanted.current;
  if (isGiven && (!isFinal || dataVolume.finalCheckpoint === true)) return { is: 'done' };
  if (wanted.recopy === true) return renew(volume, wanted, isFinal, context);
  if (dataVolume === undefined || dataVolume.deleting || !dataVolume.ours)
    return { is: 'failed', failure: deleted(volume, context) };
  const before = roundBefore(context, round)?.disks[volume.diskKey];
  if (before === undefined || last !== before.current)
    return { is: 'failed', failure: foreignEdit(volume, context) };
  const action: Action = {
    do: 'appendCheckpoint',
    name: volume.claimName,
    uid: dataVolume.uid,
    after: before.current,
    current: wanted.current,
    previous: before.nextPrevious,
    isFinal,
  };
  return { is: 'due', action };
}

function renew(volume: VolumeFact, wanted: Round['disks'][string], isFinal: boolean, context: Context): Step {
  const { dataVolume, diskKey, claimName } = volume;
  const failure = foreignVolume(volume, context) ?? halfThere(volume, context);
  if (failure !== undefined) return { is: 'failed', failure };
  if (dataVolume !== undefined && !dataVolume.deleting) {
    const { uid } = dataVolume;
    return { is: 'due', action: { do: 'deleteDataVolume', name: claimName, uid, orphanClaim: false } };
  }
  if (isLeaving(volume)) return { is: 'leaving', volume };
  const stage = firstStage(wanted, isFinal);
  return { is: 'due', action: { do: 'createDataVolume', diskKey, ...growthOf(context, diskKey), stage } };
}

function deleted({ claimName }: VolumeFact, { spec }: Context): Fail {
  return terminal(
    'DataVolumeDeleted',
    `DataVolume ${spec.target.namespace}/${claimName} was deleted by somebody between two rounds.`,
    'Start the plan again; the disk is then copied anew.',
  );
}

function foreignEdit({ claimName }: VolumeFact, { spec }: Context): Fail {
  return terminal(
    'ForeignEdit',
    `The checkpoints of DataVolume ${spec.target.namespace}/${claimName} were changed by somebody else.`,
    'Start the plan again, and leave its DataVolumes alone.',
  );
}
