import type { Round } from '../../../api/virtual-machine-import.ts';
import type { SnapshotState } from '../../../model/source-data.ts';
import { terminal } from '../../failures.ts';
import type { Action, Context, Decision } from '../../phase.ts';
import { withRound } from '../../rounds.ts';
import { copySlot } from '../../slot-requests.ts';
import { withStale } from '../../stale-disks.ts';
import { rfc3339 } from '../../time.ts';

/**
 * An importer has failed in the middle of a round: does the snapshot still stand that it reads? If somebody has removed it, no retry of
 * that stage can succeed, and CDI offers none of a later one before it (fact: cdi 2.1). So the round ends with the disks that are copied;
 * the others lose their volumes, and the next round, which begins at once, copies them whole from a snapshot of its own.
 */
export function lookAtSnapshot({ state }: SnapshotState, round: Round, context: Context): Decision {
  // While somebody else's is being made nobody can tell; the next failure looks again.
  if (state === 'ready' || state === 'creating')
    return { kind: 'advance', to: round.kind === 'final' ? 'Finalize' : 'CopyDisks' };
  return round.kind === 'final' ? lostInCutover(round, context) : endWithout(round, context);
}

/** A whole copy would fall into the downtime, of volumes of which some are closed already. */
function lostInCutover({ marker }: Round, { spec }: Context): Decision {
  return terminal(
    'SnapshotLost',
    `Snapshot ${marker} of VM ${spec.vm.name} was removed by somebody while the last changes were copied from it.`,
    "Start the plan again, and leave this migration's snapshots alone until it has ended.",
  );
}

function endWithout(round: Round, context: Context): Decision {
  const uncopied = (context.status.disks ?? []).filter(({ state }) => state !== 'copied');
  const disks = withStale(
    uncopied.map(({ key }) => key),
    context,
  );
  if (uncopied.some(({ dirty }) => dirty !== true)) {
    const claims = uncopied.map(({ claim }) => claim).join(', ');
    const actions: readonly Action[] = uncopied.flatMap(({ claim: name, dataVolumeUID: uid }) =>
      uid === undefined ? [] : [{ do: 'deleteDataVolume', name, uid, orphanClaim: false }],
    );
    const message = `Snapshot ${round.marker} of VM ${context.spec.vm.name} was removed by somebody while it was copied: disk ${claims} is copied whole in another round.`;
    return { kind: 'act', disks, actions, events: [{ type: 'Warning', reason: 'SnapshotLost', message }] };
  }
  const slot = copySlot(context.spec, context.settings);
  return {
    kind: 'advance',
    to: 'RemovePreviousSnapshot',
    records: withRound(context, { ...round, copiedAt: rfc3339(context.now) }),
    ...(slot !== undefined && { free: [slot.resource] }),
  };
}
