import type { PhaseName } from '../../../api/phases.ts';
import type { RoundKind } from '../../../api/virtual-machine-import.ts';
import { terminal } from '../../failures.ts';
import { snapshotEntry, snapshotKey } from '../../ledger.ts';
import { phase, type Phase } from '../../phase.ts';
import { beginRound, withRound } from '../../rounds.ts';
import { rfc3339 } from '../../time.ts';
import { stepOfRound } from './step-of-round.ts';

/**
 * A snapshot stands in the tree a moment before its task has ended, and one that fails never comes there: neither end is told by a change
 * of the VM (fact: vs 1.5).
 */
const lookAgainMs = 2_000;

/** Until it is there. One that has vanished, or could not be made as asked for, is made again. */
export function waitForSnapshot(kind: RoundKind, name: PhaseName, create: PhaseName): Phase {
  return phase({
    name,
    step: stepOfRound[kind],
    needs: ['snapshot'],
    decide({ snapshot }, context) {
      const round = beginRound(context, kind);
      if (snapshot.state === 'ready') {
        const ready = { ...round, snapshotId: snapshot.id, readyAt: round.readyAt ?? rfc3339(context.now) };
        return {
          kind: 'advance',
          records: withRound(context, ready),
          ledger: [
            snapshotEntry(round.marker),
            { op: 'identify', key: snapshotKey(round.marker), id: snapshot.id },
          ],
        };
      }
      if (snapshot.state !== 'creating') return { kind: 'advance', to: create };
      const until = context.phaseSince + context.settings.snapshotSeconds * 1000;
      if (context.now < until) {
        return {
          kind: 'wait',
          reason: 'Snapshot',
          for: `snapshot ${round.marker} to be made`,
          until,
          lookAt: context.now + lookAgainMs,
        };
      }
      const minutes = Math.round(context.settings.snapshotSeconds / 60);
      return terminal(
        'SnapshotTimeout',
        `Snapshot ${round.marker} of VM ${context.spec.vm.name} was not made within ${minutes} min.`,
        "See the VM's tasks at the source, and start the plan again.",
      );
    },
  });
}
