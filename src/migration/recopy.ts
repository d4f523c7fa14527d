import type { PhaseName } from '../api/phases.ts';
import type { DiskStatus, Round } from '../api/virtual-machine-import.ts';
import type { VolumeFact } from './facts.ts';
import { countRestarts } from './importer-restarts.ts';
import type { Context } from './phase.ts';
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

/** A volume that an importer finds too small: what stands in the way, and so what would help. */
export type Cure =
  /** What an earlier try has left: a new volume of the same size. */
  | 'anew'
  /** Its file system takes more for itself than CDI has added: a larger one, once. */
  | 'larger'
  /** It was made larger already. */
  | 'none';

/**
 * By how many percent a volume is made larger. CDI adds 6 % for a file system, and ext4 has been seen to take 8 % (fact: cdi 6).
 */
const largerPercent = 5;

/**
 * A volume that was too small from the start says so at its first try. undefined: its importer does not complain of the size, or so often
 * that it counts as any other failure.
 */
export function cureOf({ pod }: VolumeFact, status: DiskStatus, settings: EngineSettings): Cure | undefined {
  if (pod?.terminationMessage?.includes(tooLarge) !== true || pod.uid === status.excusedPod) return undefined;
  const { excused = 0, isLarger = false, firstError } = status;
  const failures = countRestarts(status, undefined).total - excused;
  const isFresh = excused === (isLarger ? 1 : 0);
  const isFirst = firstError === undefined ? failures < 2 : firstError.includes(tooLarge);
  if (isFresh && isFirst) return isLarger ? 'none' : 'larger';
  const isSpent = failures - 1 > settings.importerRestarts;
  return !isSpent && (status.recopies ?? 0) < settings.diskRecopies ? 'anew' : undefined;
}

/** What failed only for its volume does not count. Which volume it is that is given up is told by its DataVolume. */
export function givenUp(status: DiskStatus, { pod }: VolumeFact, cure: Exclude<Cure, 'none'>): DiskStatus {
  const {
    percent: _percent,
    movedAt: _movedAt,
    rateBytesPerSecond: _rate,
    message: _said,
    firstError,
    ...kept
  } = status;
  return {
    ...kept,
    state: 'recopy',
    doneBytes: 0,
    ...(cure === 'larger' && { isLarger: true }),
    ...(cure === 'anew' && { recopies: (status.recopies ?? 0) + 1 }),
    ...(cure === 'anew' && firstError !== undefined && { firstError }),
    excused: (status.excused ?? 0) + 1,
    ...(pod !== undefined && { excusedPod: pod.uid }),
  };
}

/** A disk that was done and is not any more; what its importers did so far counts no longer. */
export function copiedAnew(status: DiskStatus, volume: VolumeFact): DiskStatus {
  const { claimUID: _filled, ...kept } = givenUp(status, volume, 'anew');
  return { ...kept, excused: countRestarts(status, undefined).total };
}

/** By how much the volume of a disk is to be larger than the disk. */
export function growthOf(
  { status }: Pick<Context, 'status'>,
  diskKey: string,
): { readonly growPercent?: number } {
  const disk = status.disks?.find(({ key }) => key === diskKey);
  return disk?.isLarger === true ? { growPercent: largerPercent } : {};
}

/** Given up in the middle of its copy. At the begin of a round it is done otherwise, and no DataVolume is recorded then. */
export function isGivenUp(status: DiskStatus | undefined): status is DiskStatus {
  return status?.state === 'recopy' && status.dataVolumeUID !== undefined;
}

/** How far the renewal of a volume that was given up is: still there, on its way out or gone, or another one in its place. */
export function renewalOf({ dataVolume }: VolumeFact, previous: DiskStatus): 'there' | 'leaving' | 'renewed' {
  if (dataVolume === undefined) return 'leaving';
  if (dataVolume.uid !== previous.dataVolumeUID) return 'renewed';
  return dataVolume.deleting ? 'leaving' : 'there';
}

/** What is still true of a disk whose new volume is there. */
export function asNew(previous: DiskStatus): DiskStatus {
  const { dataVolumeUID: _old, ...kept } = previous;
  return { ...kept, state: 'waiting' };
}
