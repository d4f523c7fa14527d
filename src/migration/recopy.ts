import type { PhaseName } from '../api/phases.ts';
import type { DiskStatus, Round } from '../api/virtual-machine-import.ts';
import type { VolumeFact } from './facts.ts';
import { countRestarts } from './importer-restarts.ts';
import type { EngineSettings } from './settings.ts';

/**
 * An importer that begins anew on a file system counts what the one before it has left as taken, copies the whole disk, and only then finds
 * it too large; so does each one after it (fact: cdi 0.9, 6). Such a volume is of no use any more: a new one takes its place. That is
 * known only when an importer says so: a provisioner may have given a volume with room for both.
 */
const tooLarge = 'larger than the reported available storage';

/**
 * Whether a disk is copied whole: always when it is copied once. The importer of a delta looks at no size, and what is on the volume is
 * what it builds upon (fact: cdi 3.6).
 */
export function isCopiedWhole(round: Pick<Round, 'kind' | 'disks'> | undefined, diskKey: string): boolean {
  return round === undefined || round.kind === 'initial' || round.disks[diskKey]?.recopy === true;
}

/** Where a volume takes the place of one that was given up, with the stage of the round under way; its snapshot stands until all is copied. */
export function renewalPhase(round: Pick<Round, 'kind'> | undefined): PhaseName {
  switch (round?.kind) {
    case 'next':
      return 'AddCheckpoint';
    case 'final':
      return 'AddFinalCheckpoint';
    default:
      return 'CreateDataVolumes';
  }
}

/** A volume that was too small from the start says so at its first try, and then no other one would do either. */
export function isSpoilt({ pod }: VolumeFact, status: DiskStatus, settings: EngineSettings): boolean {
  if (pod?.terminationMessage?.includes(tooLarge) !== true || pod.uid === status.excusedPod) return false;
  const excused = status.excused ?? 0;
  const total = countRestarts(status, undefined).total;
  const isFirst = excused === 0 && (total < 2 || status.firstError?.includes(tooLarge) !== false);
  const isSpent = total - excused - 1 > settings.importerRestarts;
  return !isFirst && !isSpent && (status.recopies ?? 0) < settings.diskRecopies;
}

/** What failed only for what was left behind does not count. Which volume it is that is given up is told by its DataVolume. */
export function givenUp(status: DiskStatus, { pod }: VolumeFact): DiskStatus {
  const { percent: _percent, movedAt: _movedAt, rateBytesPerSecond: _rate, message: _said, ...kept } = status;
  return {
    ...kept,
    state: 'recopy',
    doneBytes: 0,
    recopies: (status.recopies ?? 0) + 1,
    excused: (status.excused ?? 0) + 1,
    ...(pod !== undefined && { excusedPod: pod.uid }),
  };
}

/** Given up in the middle of its copy. At the begin of a round it is done otherwise, and no DataVolume is recorded then. */
export function isGivenUp(status: DiskStatus | undefined): status is DiskStatus {
  return status?.state === 'recopy' && status.dataVolumeUID !== undefined;
}

/** How far the renewal of a volume that was given up is: still there, on its way out, out of the way, or another one in its place. */
export function renewalOf(
  { dataVolume, claim }: VolumeFact,
  previous: DiskStatus,
): 'there' | 'leaving' | 'gone' | 'renewed' {
  if (dataVolume !== undefined && dataVolume.uid !== previous.dataVolumeUID) return 'renewed';
  if (dataVolume !== undefined && !dataVolume.deleting) return 'there';
  return claim === undefined || claim.deleting ? 'gone' : 'leaving';
}

/** What is still true of a disk whose new volume is there. */
export function asNew(previous: DiskStatus): DiskStatus {
  const { dataVolumeUID: _old, ...kept } = previous;
  return { ...kept, state: 'waiting' };
}
