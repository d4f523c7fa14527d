import type { DataVolume, DataVolumeCheckpoint } from '../../api/external/cdi.ts';
import type { Annotations } from './annotations.ts';
import {
  checkpointDoneAnnotation,
  checkpointPodAnnotation,
  copiedAnnotation,
  copiedPrefix,
  currentCheckpointAnnotation,
  finalCheckpointAnnotation,
  podPhaseAnnotation,
  previousCheckpointAnnotation,
} from './annotations.ts';
import { cdiImportPodAnnotation } from '../../api/labels.ts';

/**
 * The bookkeeping of an import in stages: one entry of the list, one importer pod. All of it stands in the claim's annotations, and the
 * list is walked from its start at each look. Pure. Fact: cdi 2.1.
 */

interface Stage extends DataVolumeCheckpoint {
  readonly isFinal: boolean;
}

/** A stage was begun and the last one is not over. Then a pod that succeeded means Paused, not Succeeded. */
export function isStaged(annotations: Annotations): boolean {
  return currentCheckpointAnnotation in annotations && !(checkpointDoneAnnotation in annotations);
}

/** What a new claim is given, whatever the source: the first entry of the list. */
export function firstStage({ spec }: DataVolume): Annotations {
  const stage = nextStage({}, spec);
  return stage === undefined ? {} : stageAnnotations(stage);
}

/** The annotations of a bound claim that nobody has begun to fill in stages, though its DataVolume asks for them. */
export function withStages(annotations: Annotations, { spec }: DataVolume): Annotations {
  const { checkpoints = [] } = spec;
  const isKnown = currentCheckpointAnnotation in annotations || checkpointDoneAnnotation in annotations;
  return checkpoints.length === 0 || isKnown ? annotations : advanced(annotations, spec);
}

/**
 * The annotations after a look at a claim whose importer has succeeded: this entry is marked as copied and the next one begins, or, once
 * the final one is marked, all marks but `done` go. Unchanged while there is nothing to go on to.
 */
export function afterStage(annotations: Annotations, { spec }: DataVolume): Annotations {
  if (!isStaged(annotations)) return annotations;
  const current = annotations[currentCheckpointAnnotation] ?? '';
  const isFinal = annotations[finalCheckpointAnnotation] === 'true';
  const isCopied = copiedAnnotation(current) in annotations;
  return isFinal && isCopied ? withoutMarks(annotations) : advanced(markCopied(annotations, current), spec);
}

/** By the pod that did it; a pod that has marked one entry does not mark another. */
function markCopied(annotations: Annotations, current: string): Annotations {
  const podId = annotations[checkpointPodAnnotation] ?? '';
  const isUsed = Object.entries(annotations).some(
    ([key, value]) => key.startsWith(copiedPrefix) && value === podId,
  );
  return isUsed || current === '' ? annotations : { ...annotations, [copiedAnnotation(current)]: podId };
}

/** Whether an entry is final is decided here, when it begins, and never again. */
function advanced(annotations: Annotations, spec: DataVolume['spec']): Annotations {
  const stage = nextStage(annotations, spec);
  if (stage === undefined) return annotations;
  const begun = { ...annotations, ...stageAnnotations(stage) };
  if (begun[podPhaseAnnotation] !== 'Succeeded') return begun;
  const { [cdiImportPodAnnotation]: _pod, ...rest } = begun;
  return { ...rest, [podPhaseAnnotation]: 'Unknown' };
}

/** The first entry that is not marked: so an entry that repeats an earlier `current` counts as copied (fact: cdi 0.3). */
function nextStage(annotations: Annotations, spec: DataVolume['spec']): Stage | undefined {
  const { checkpoints = [], finalCheckpoint = false } = spec;
  const isLast = (index: number) => finalCheckpoint && index === checkpoints.length - 1;
  const isBegun = (annotations[currentCheckpointAnnotation] ?? '') !== '';
  const index = isBegun
    ? checkpoints.findIndex(({ current }) => current !== '' && !(copiedAnnotation(current) in annotations))
    : 0;
  const found = checkpoints[index];
  return found && { previous: found.previous, current: found.current, isFinal: isLast(index) };
}

function stageAnnotations({ previous, current, isFinal }: Stage): Annotations {
  return {
    [currentCheckpointAnnotation]: current,
    [previousCheckpointAnnotation]: previous,
    [finalCheckpointAnnotation]: String(isFinal),
  };
}

/** Only `done` stays. */
function withoutMarks(annotations: Annotations): Annotations {
  const gone = [
    currentCheckpointAnnotation,
    previousCheckpointAnnotation,
    finalCheckpointAnnotation,
    checkpointPodAnnotation,
  ];
  const kept = Object.entries(annotations).filter(
    ([key]) => !gone.includes(key) && !key.startsWith(copiedPrefix),
  );
  return { ...Object.fromEntries(kept), [checkpointDoneAnnotation]: 'true' };
}
