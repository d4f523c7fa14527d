import type { ConditionDraft } from '../../../api/conditions.ts';
import type { PhaseName } from '../../../api/phases.ts';
import type { Round, RoundKind } from '../../../api/virtual-machine-import.ts';
import type { PowerReading, SnapshotState, SourceFault } from '../../../model/source-data.ts';
import { isCutoverDue } from '../../cutover.ts';
import { terminal } from '../../failures.ts';
import { faultClass, sourceFailure } from '../../faults.ts';
import { isOwed, snapshotEntry, snapshotKey } from '../../ledger.ts';
import { phase, slotPriorities, type Act, type Context, type Decision, type Phase } from '../../phase.ts';
import { beginRound, roundMarker, withRound } from '../../rounds.ts';
import { heldRoundSlots, hostTurn, missingSlots, roundSlots } from '../../slot-requests.ts';
import { rfc3339 } from '../../time.ts';
import { pauseAfter } from '../../tries.ts';
import { pause } from '../pause.ts';
import { changedForGood, foreignSnapshots, fullDatastores } from './obstacles.ts';
import { sourceIsOn } from './source-is-on.ts';
import { stepOfRound } from './step-of-round.ts';

/** Another task holds the VM; its end may tell nobody. */
const busyMs = 30_000;

const priorityOf: Readonly<Record<RoundKind, number>> = {
  initial: slotPriorities.start,
  next: slotPriorities.round,
  final: slotPriorities.cutover,
};

/**
 * Makes the snapshot of a round. Before that it is looked at whether the source is still what was frozen, since nobody may work on a VM
 * beside a backup product, and whether there is room; slots for the snapshot and for its copy are taken in one go.
 */
export function createSnapshot(kind: RoundKind, name: PhaseName): Phase {
  return phase({
    name,
    step: stepOfRound[kind],
    needs: ['snapshot', 'audit', 'sourcePower'],
    decide({ snapshot, audit, sourcePower }, context) {
      if (isOnItsWay(snapshot, context)) return { kind: 'advance' };
      return (
        (kind === 'final' ? sourceIsOn(sourcePower, context) : undefined) ??
        untilNextTry(snapshot, kind, context) ??
        interruption(kind, context) ??
        changedForGood(audit, context) ??
        foreignSnapshots(audit, kind, context) ??
        fullDatastores(audit, kind, context) ??
        takeSlots(kind, context) ??
        make(snapshot, kind, sourcePower, context)
      );
    },
  });
}

/** What is being made is ours only if we have asked for one; else a backup product is at work. */
function isOnItsWay({ state }: SnapshotState, context: Context): boolean {
  if (state === 'ready') return true;
  return state === 'creating' && isOwed(context, snapshotKey(roundMarker(context)));
}

/** A request may still be on its way to a source that does not show it yet: made twice, there would be two snapshots. */
function untilNextTry(snapshot: SnapshotState, kind: RoundKind, context: Context): Decision | undefined {
  if (snapshot.state === 'creating' || snapshot.state === 'busy') {
    const by = snapshot.state === 'busy' ? snapshot.by : 'a snapshot of somebody else';
    return untilFree(`${by} at the source to end`, context.now + busyMs);
  }
  if (snapshot.state === 'failed' && isQuiesceFault(snapshot, kind, context)) return undefined;
  const { tries = 0, triedAt } = beginRound(context, kind);
  if (triedAt === undefined) return undefined;
  const error = snapshot.state === 'failed' ? snapshot.error : undefined;
  if (error?.kind === 'busy') {
    const until = Date.parse(triedAt) + busyMs;
    return context.now < until ? untilFree(`what holds the VM (${error.message})`, until) : undefined;
  }
  if (error !== undefined && faultClass(error) === 'terminal') return sourceFailure(error);
  const isSpent = tries > context.settings.phaseRetries;
  // A round that does not come about costs nothing but the time until the next; what has been copied stays true.
  if (isSpent && kind !== 'next') return notMade(error, tries, context);
  const until = Date.parse(triedAt) + pauseAfter(tries);
  if (context.now >= until) return undefined;
  return {
    kind: 'wait',
    reason: 'Snapshot',
    for: `another try at the snapshot${error === undefined ? '' : ` (${error.message})`}`,
    until,
    ...(isSpent && { conditions: [failing(error, tries, context)] }),
  };
}

function untilFree(what: string, lookAt: number): Decision {
  return { kind: 'wait', reason: 'SourceBusy', for: what, lookAt };
}

function notMade(error: SourceFault | undefined, tries: number, { spec }: Context): Decision {
  return terminal(
    error?.code ?? 'SnapshotLost',
    `No snapshot of VM ${spec.vm.name} could be made in ${tries} tries. ${error?.message ?? 'None of them came to anything.'}`,
    "See the VM's tasks and events at the source, and start the plan again.",
  );
}

function failing(error: SourceFault | undefined, tries: number, { spec }: Context): ConditionDraft {
  return {
    type: 'SnapshotFailing',
    category: 'Warn',
    message:
      `No snapshot of VM ${spec.vm.name} could be made in ${tries} tries; it is tried on. ${error?.message ?? ''}`.trim(),
  };
}

/** Nothing of this round stands at the source yet: a pause, or a cutover that has come due, is heard here too. */
function interruption(kind: RoundKind, context: Context): Decision | undefined {
  if (kind === 'initial') return pause(context);
  if (kind === 'final') return undefined;
  const isPaused = context.spec.control?.paused === true;
  if (!isPaused && !isCutoverDue(context)) return undefined;
  return {
    kind: 'advance',
    to: 'CopyingPaused',
    records: { nextRoundAt: rfc3339(context.now) },
    ...(isPaused && { free: heldRoundSlots(context) }),
  };
}

function takeSlots(kind: RoundKind, context: Context): Decision | undefined {
  const slots = roundSlots(context.spec, context.settings);
  if (missingSlots(slots, context).length === 0) return undefined;
  const priority = priorityOf[kind];
  return { kind: 'acquire', slots, priority, for: hostTurn };
}

function make(
  snapshot: SnapshotState,
  kind: RoundKind,
  sourcePower: PowerReading,
  context: Context,
): Decision {
  const begun = beginRound(context, kind);
  const { tries = 0 } = begun;
  if (snapshot.state === 'failed' && isQuiesceFault(snapshot, kind, context)) {
    return unquieted(snapshot.error, { ...begun, tries }, context);
  }
  const isHeld = snapshot.state === 'failed' && snapshot.error.kind === 'busy';
  const quiesce = sourcePower.state === 'On' && begun.crashConsistent !== true;
  return ask({ ...begun, tries: isHeld ? tries : tries + 1 }, quiesce, context);
}

function isQuiesceFault(
  { quiesceFault }: Extract<SnapshotState, { state: 'failed' }>,
  kind: RoundKind,
  context: Context,
): boolean {
  return quiesceFault && beginRound(context, kind).crashConsistent !== true;
}

/** A guest that cannot be quiesced is taken as it is, and that is said: a copy like after a power cut beats none (review.md F31). */
function unquieted(error: SourceFault, begun: Round, context: Context): Decision {
  return {
    ...ask({ ...begun, crashConsistent: true }, false, context),
    events: [
      {
        type: 'Warning',
        reason: 'NotQuiesced',
        message: `The guest of VM ${context.spec.vm.name} could not be quiesced (${error.message}); round ${begun.n} copies it as a power cut would leave it.`,
      },
    ],
  };
}

function ask(round: Round, quiesce: boolean, context: Context): Act {
  const asked = { ...round, triedAt: rfc3339(context.now) };
  return {
    kind: 'act',
    records: withRound(context, asked),
    ledger: [snapshotEntry(round.marker)],
    actions: [{ do: 'createSnapshot', marker: round.marker, quiesce }],
  };
}
