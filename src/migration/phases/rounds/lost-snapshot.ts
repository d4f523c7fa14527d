import type { DiskStatus, Round } from '../../../api/virtual-machine-import.ts';
import { marked } from '../../dirty-disks.ts';
import { terminal } from '../../failures.ts';
import type { Action, Advance, Context, Decision } from '../../phase.ts';
import { withRound } from '../../rounds.ts';
import { copySlot } from '../../slot-requests.ts';
import { rfc3339 } from '../../time.ts';

/**
 * Somebody has removed the snapshot that importers read: no retry of that stage can succeed, and CDI begins no later one before it (fact:
 * cdi 2.1). So the volumes of the disks that are not copied are given up, the round ends with those that are, and the next one, which
 * begins at once, copies the others whole from a snapshot of its own.
 */
export function withoutSnapshot(round: Round, disks: readonly DiskStatus[], context: Context): Decision {
  const { name } = context.spec.vm;
  if (round.kind === 'final') {
    // A whole copy would fall into the downtime, and some volumes may be closed already.
    return terminal(
      'SnapshotLost',
      `Snapshot ${round.marker} of VM ${name} was removed by somebody while the last changes were copied from it.`,
      'Start the plan again, and leave the snapshots of the migration alone until it has ended.',
    );
  }
  const lost = disks.filter(({ state }) => state !== 'copied');
  const actions: readonly Action[] = lost.flatMap(({ claim, dataVolumeUID: uid }) =>
    uid === undefined ? [] : [{ do: 'deleteDataVolume', name: claim, uid, orphanClaim: false }],
  );
  const claims = lost.map(({ claim }) => claim).join(', ');
  const message = `Snapshot ${round.marker} of VM ${name} was removed by somebody while it was copied: disk ${claims} is copied whole in another round.`;
  return {
    kind: 'act',
    disks: marked(
      disks,
      lost.map(({ key }) => key),
    ),
    actions,
    events: [{ type: 'Warning', reason: 'SnapshotLost', message }],
  };
}

/** What is left of its snapshot is seen to before the next one is made. */
export function endWithout(round: Round, context: Context): Advance {
  const slot = copySlot(context.spec, context.settings);
  return {
    kind: 'advance',
    to: 'RemovePreviousSnapshot',
    records: withRound(context, { ...round, copiedAt: rfc3339(context.now) }),
    ...(slot !== undefined && { free: [slot.resource] }),
  };
}
