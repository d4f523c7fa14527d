import type { PhaseName, StepName } from '../../../api/phases.ts';
import type { DiskStatus, FrozenDisk, Round } from '../../../api/virtual-machine-import.ts';
import type { DiskCheckpoint } from '../../../model/source-data.ts';
import { terminal } from '../../failures.ts';
import { phase, type Context, type Decision, type Phase } from '../../phase.ts';
import { roundBefore, roundUnderWay, withRound } from '../../rounds.ts';
import { staleKeys } from '../../stale-disks.ts';

type RoundDisk = Round['disks'][string];

/**
 * Writes down where every disk stands in the snapshot of the round. The next round starts from this, and the snapshot it was read from will be
 * gone by then. A disk that has grown or moved, or whose changes the platform has lost track of, is to be copied whole.
 */
export function storeDeltas(name: PhaseName, step: StepName): Phase {
  return phase({
    name,
    step,
    needs: ['checkpoints'],
    decide({ checkpoints }, context) {
      const round = roundUnderWay(context);
      if (round === undefined) return { kind: 'advance' };
      const before = roundBefore(context, round);
      const stale = staleKeys(context);
      const disks: Record<string, RoundDisk> = {};
      for (const disk of context.spec.disks.filter(({ mode }) => mode === 'copy')) {
        const checkpoint = checkpoints.get(disk.key);
        if (checkpoint === undefined) return notInSnapshot(disk.claimName, context);
        disks[disk.key] = roundDisk(disk, checkpoint, before?.disks[disk.key], stale.includes(disk.key));
      }
      return recordAll({ ...round, disks }, context);
    },
  });
}

/** What its DataVolume reads it by can only be given to a new one (review.md F29). */
function roundDisk(
  disk: FrozenDisk,
  checkpoint: DiskCheckpoint,
  before: RoundDisk | undefined,
  isStale: boolean,
): RoundDisk {
  const { current, nextPrevious, sizeBytes, epoch, place } = checkpoint;
  const isLost =
    before !== undefined &&
    (isStale || before.epoch !== epoch || before.sizeBytes !== sizeBytes || before.place !== place);
  const sourceId = before === undefined || isLost ? checkpoint.sourceId : before.sourceId;
  return {
    current,
    nextPrevious,
    sizeBytes,
    ...(epoch !== undefined && { epoch }),
    ...(place !== undefined && { place }),
    ...(sourceId !== undefined && sourceId !== disk.sourceId && { sourceId }),
    ...(isLost && { recopy: true }),
  };
}

function notInSnapshot(claimName: string, { spec }: Context): Decision {
  return terminal(
    'DiskSetChanged',
    `The disk of claim ${claimName} is not in the snapshot of VM ${spec.vm.name}.`,
    'Start the plan again; the VM is then migrated as it is now.',
  );
}

function recordAll(round: Round, context: Context): Decision {
  const recopied = Object.keys(round.disks).filter((key) => round.disks[key]?.recopy === true);
  const disks = (context.status.disks ?? []).map((disk) =>
    recopied.includes(disk.key) ? anew(disk, round) : disk,
  );
  const spent = disks.find(
    (disk) => recopied.includes(disk.key) && (disk.recopies ?? 0) > context.settings.diskRecopies,
  );
  if (spent !== undefined) {
    return terminal(
      'TrackingUnreliable',
      `Disk ${spent.claim} would have to be copied whole again and again: its change tracking, its snapshots or its importers do not last. It was copied anew ${context.settings.diskRecopies} times.`,
      'Migrate this VM cold, or see at the source what becomes of its change tracking and of its snapshots.',
    );
  }
  return {
    kind: 'advance',
    records: withRound(context, round),
    ...(recopied.length > 0 && {
      disks,
      events: [
        {
          type: 'Warning' as const,
          reason: 'DiskRecopied',
          message: `Disk ${recopied.join(', ')} of VM ${context.spec.vm.name} has grown or was moved, or nobody knows what has changed on it: copied whole in round ${round.n}.`,
        },
      ],
    }),
  };
}

/** Its volume is given up for a new one; taken again after a crash, the decision counts it once. */
function anew(disk: DiskStatus, round: Round): DiskStatus {
  if (disk.state === 'recopy' && disk.round === round.n) return disk;
  return {
    key: disk.key,
    claim: disk.claim,
    round: round.n,
    state: 'recopy',
    doneBytes: 0,
    totalBytes: round.disks[disk.key]?.sizeBytes ?? disk.totalBytes,
    recopies: (disk.recopies ?? 0) + 1,
    ...(disk.isLarger === true && { isLarger: true }),
  };
}
