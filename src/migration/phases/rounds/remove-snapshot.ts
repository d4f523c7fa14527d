import type { ConditionDraft } from '../../../api/conditions.ts';
import type { PhaseName, StepName } from '../../../api/phases.ts';
import type { RoundKind } from '../../../api/virtual-machine-import.ts';
import { nextRoundAt } from '../../round-schedule.ts';
import { readOwedSnapshots, type SnapshotsReading } from '../../owed-snapshots.ts';
import { phase, type Context, type Decision, type Phase } from '../../phase.ts';
import { withRound } from '../../rounds.ts';
import { snapshotSlot } from '../../slot-requests.ts';
import { rfc3339 } from '../../time.ts';
import { sourceIsOn } from './snapshot.ts';

/** A merge that nobody tells the end of is looked at so often. */
const lookAgainMs = 10_000;

/**
 * Asks the snapshot of a copied round away, at once: none stands at the source while the import pauses, since a forgotten one grows until
 * the datastore is full. `during` final: the same for one that is left from before the cutover.
 */
export function removeSnapshot(name: PhaseName, step: StepName, during: RoundKind): Phase {
  return phase({
    name,
    step,
    needs: ['owedSnapshots', 'sourcePower'],
    decide({ owedSnapshots, sourcePower }, context) {
      const restarted = sourceIsOn(during, sourcePower, context);
      if (restarted !== undefined) return restarted;
      const { actions, ledger } = readOwedSnapshots(owedSnapshots);
      return actions.length === 0 ? { kind: 'advance' } : { kind: 'act', ledger, actions };
    },
    refused: (refusal, context) => notNow(refusal.text, context),
  });
}

/** Until it is proven gone; a new snapshot during a merge has ruined copies (fact: vs 4.1). However long it takes, it is no failure. */
export function waitForRemoval(name: PhaseName, step: StepName, during: RoundKind): Phase {
  return phase({
    name,
    step,
    needs: ['owedSnapshots', 'sourcePower'],
    decide({ owedSnapshots, sourcePower }, context) {
      const restarted = sourceIsOn(during, sourcePower, context);
      if (restarted !== undefined) return restarted;
      const reading = readOwedSnapshots(owedSnapshots);
      if (reading.left.length === 0) return gone(reading, during, context);
      if (reading.actions.length > 0)
        return { kind: 'act', ledger: reading.ledger, actions: reading.actions };
      return {
        kind: 'wait',
        reason: 'Consolidation',
        for: `snapshot ${reading.left.join(', ')} to be merged`,
        until: context.now + lookAgainMs,
        ledger: reading.ledger,
        conditions: slow(context),
      };
    },
    refused: (refusal, context) => notNow(refusal.text, context),
  });
}

/** Asked for once and left to the background: the target need not wait for a merge that nobody writes into (review.md F47). */
export const removeFinalSnapshot = phase({
  name: 'RemoveFinalSnapshot',
  step: 'Cutover',
  needs: ['owedSnapshots'],
  decide({ owedSnapshots }) {
    const { actions, ledger } = readOwedSnapshots(owedSnapshots);
    return actions.length === 0 ? { kind: 'advance', ledger } : { kind: 'act', ledger, actions };
  },
  refused: () => ({ kind: 'advance' }),
});

function gone({ ledger }: SnapshotsReading, during: RoundKind, context: Context): Decision {
  if (during === 'final') return { kind: 'advance', ledger };
  const last = context.records.rounds?.at(-1);
  const removed =
    last === undefined
      ? {}
      : withRound(context, { ...last, removedAt: last.removedAt ?? rfc3339(context.now) });
  const next = nextRoundAt(context);
  return {
    kind: 'advance',
    ledger,
    records: { ...removed, ...(next !== undefined && { nextRoundAt: rfc3339(next) }) },
    ...(next === undefined && { forget: ['nextRoundAt'] }),
    free: [snapshotSlot(context.spec, context.settings).resource],
  };
}

function slow(context: Context): readonly ConditionDraft[] {
  const since = context.phaseSince + context.settings.consolidationSlowSeconds * 1000;
  if (context.now < since) return [];
  const minutes = Math.round((context.now - context.phaseSince) / 60_000);
  return [
    {
      type: 'ConsolidationSlow',
      category: 'Warn',
      message: `The snapshot of VM ${context.spec.vm.name} has been merged for ${minutes} min; the next round waits for it.`,
    },
  ];
}

function notNow(text: string, context: Context): Decision {
  return {
    kind: 'wait',
    reason: 'Consolidation',
    for: `the source to take its snapshot away (it said: ${text})`,
    until: context.now + lookAgainMs,
  };
}
