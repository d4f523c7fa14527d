import type { ConditionDraft } from '../../../api/conditions.ts';
import type { PhaseName, StepName } from '../../../api/phases.ts';
import type { RoundKind } from '../../../api/virtual-machine-import.ts';
import type { Audit, PowerReading, SnapshotState } from '../../../model/source-data.ts';
import { leaveCutover } from '../../cutover.ts';
import { terminal } from '../../failures.ts';
import { sourceFailure } from '../../faults.ts';
import { snapshotEntry, snapshotKey } from '../../ledger.ts';
import { phase, slotPriorities, type Context, type Decision, type Phase } from '../../phase.ts';
import { sourceRestarted } from '../../power.ts';
import { beginRound, withRound } from '../../rounds.ts';
import { missingSlots, roundSlots } from '../../slot-requests.ts';
import { rfc3339 } from '../../time.ts';

/** What holds a snapshot up, or fills a datastore, is looked at again after this: nothing tells of it. */
const lookAgainMs = 60_000;

const stepOf: Readonly<Record<RoundKind, StepName>> = {
  initial: 'Initialize',
  next: 'DiskTransfer',
  final: 'Cutover',
};

/**
 * Makes the snapshot of a round. Before that it is looked at whether the source is still what was frozen, since nobody may work on a VM
 * beside a backup product, and whether there is room; slots for the snapshot and for its copy are taken in one go.
 */
export function createSnapshot(kind: RoundKind, name: PhaseName): Phase {
  return phase({
    name,
    step: stepOf[kind],
    needs: ['snapshot', 'audit', 'sourcePower'],
    decide({ snapshot, audit, sourcePower }, context) {
      if (snapshot.state === 'creating' || snapshot.state === 'ready') return { kind: 'advance' };
      return (
        sourceIsOn(kind, sourcePower, context) ??
        obstacle(audit, kind, context) ??
        takeSlots(kind, context) ??
        make(snapshot, kind, sourcePower, context)
      );
    },
  });
}

/** Until it is there. One that has vanished, or could not be made as asked for, is made again. */
export function waitForSnapshot(kind: RoundKind, name: PhaseName, create: PhaseName): Phase {
  return phase({
    name,
    step: stepOf[kind],
    needs: ['snapshot'],
    decide({ snapshot }, context) {
      const round = beginRound(context, kind);
      if (snapshot.state === 'ready') {
        const ready = { ...round, snapshotId: snapshot.id, readyAt: round.readyAt ?? rfc3339(context.now) };
        return {
          kind: 'advance',
          records: withRound(context, ready),
          ledger: [{ op: 'identify', key: snapshotKey(round.marker), id: snapshot.id }],
        };
      }
      if (snapshot.state !== 'creating') return { kind: 'advance', to: create };
      const until = context.phaseSince + context.settings.snapshotSeconds * 1000;
      if (context.now < until) {
        return { kind: 'wait', reason: 'Snapshot', for: `snapshot ${round.marker} to be made`, until };
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

/** Somebody has powered the source on in the middle of its cutover: it stays in service. */
export function sourceIsOn(
  kind: RoundKind,
  sourcePower: PowerReading,
  context: Context,
): Decision | undefined {
  if (kind !== 'final') return undefined;
  const restarted = sourceRestarted(sourcePower, context);
  return restarted === undefined
    ? undefined
    : leaveCutover(context, 'met', {
        reason: 'SourceRestarted',
        message: `VM ${context.spec.vm.name} was powered on at its source by somebody during its cutover.`,
      });
}

/** What speaks against a snapshot now; undefined: nothing. */
export function obstacle(audit: Audit, kind: RoundKind, context: Context): Decision | undefined {
  const { name } = context.spec.vm;
  if (audit.diskSet === 'changed') {
    return terminal(
      'DiskSetChanged',
      `VM ${name} has other disks than when its migration began.`,
      'Start the plan again; the VM is then migrated as it is now.',
    );
  }
  if (audit.foreign.length > 0) {
    const snapshots = audit.foreign.join(', ');
    if (kind === 'initial') {
      return terminal(
        'ForeignSnapshot',
        `VM ${name} has snapshots that are not of this migration: ${snapshots}.`,
        'Remove them, and start the plan again.',
      );
    }
    return waitWith(context, {
      type: 'ForeignSnapshot',
      category: 'Warn',
      message: `VM ${name} has snapshots of somebody else (${snapshots}); the next round waits until they are gone.`,
      items: [...audit.foreign],
    });
  }
  if (kind === 'final') return undefined;
  const limit = context.settings.datastoreFreePercent;
  const full = audit.datastores.filter(
    ({ freeBytes, capacityBytes }) => capacityBytes > 0 && (100 * freeBytes) / capacityBytes < limit,
  );
  if (full.length === 0) return undefined;
  const datastores = full.map((datastore) => datastore.name);
  return waitWith(context, {
    type: 'DatastoreSpaceLow',
    category: 'Warn',
    message: `Less than ${limit} % is free on ${datastores.join(', ')}; no snapshot is made there while the VM runs.`,
    items: datastores,
  });
}

function waitWith(context: Context, condition: ConditionDraft): Decision {
  const gone =
    condition.type === 'ForeignSnapshot' ? 'foreign snapshots to be gone' : 'room on the datastores';
  return {
    kind: 'wait',
    reason: condition.type,
    for: gone,
    until: context.now + lookAgainMs,
    conditions: [condition],
  };
}

function takeSlots(kind: RoundKind, context: Context): Decision | undefined {
  const slots = roundSlots(context.spec, context.settings);
  if (missingSlots(slots, context).length === 0) return undefined;
  return {
    kind: 'acquire',
    slots,
    priority: { initial: slotPriorities.start, next: slotPriorities.round, final: slotPriorities.cutover }[
      kind
    ],
    for: "its turn on the source's host",
  };
}

/** A guest that cannot be quiesced is taken as it is, and that is said: a copy like after a power cut beats none. */
function make(
  snapshot: Exclude<SnapshotState, { state: 'creating' | 'ready' }>,
  kind: RoundKind,
  sourcePower: PowerReading,
  context: Context,
): Decision {
  const begun = beginRound(context, kind);
  if (snapshot.state === 'busy') {
    return {
      kind: 'wait',
      reason: 'SourceBusy',
      for: `${snapshot.by} at the source to end`,
      until: context.now + lookAgainMs,
    };
  }
  const isUnquiet = snapshot.state === 'failed' && snapshot.quiesceFault && begun.crashConsistent !== true;
  if (snapshot.state === 'failed' && !isUnquiet) return sourceFailure(snapshot.error);
  const round = isUnquiet ? { ...begun, crashConsistent: true } : begun;
  const quiesce = sourcePower.state === 'On' && round.crashConsistent !== true;
  return {
    kind: 'act',
    records: withRound(context, round),
    ledger: [snapshotEntry(round.marker)],
    actions: [{ do: 'createSnapshot', marker: round.marker, quiesce }],
    ...(isUnquiet && {
      events: [
        {
          type: 'Warning',
          reason: 'NotQuiesced',
          message: `The guest of VM ${context.spec.vm.name} could not be quiesced (${snapshot.error.message}); round ${round.n} copies it as a power cut would leave it.`,
        },
      ],
    }),
  };
}
