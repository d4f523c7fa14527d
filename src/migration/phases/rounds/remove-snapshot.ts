import type { ConditionDraft } from '../../../api/conditions.ts';
import type { PhaseName } from '../../../api/phases.ts';
import { readOwedSnapshots } from '../../owed-snapshots.ts';
import { nextRoundAt } from '../../round-schedule.ts';
import { phase, type Change, type Context, type Decision, type Phase } from '../../phase.ts';
import { withRound } from '../../rounds.ts';
import { isRoundOwed } from '../../stale-disks.ts';
import { snapshotSlot } from '../../slot-requests.ts';
import { rfc3339 } from '../../time.ts';

/** A merge that nobody tells the end of is looked at so often. */
const lookAgainMs = 10_000;

/**
 * Asks the snapshot of a copied round away, at once: none stands at the source while the import pauses, since a forgotten one grows until
 * the datastore is full.
 */
export function removeSnapshot(name: PhaseName): Phase {
  return phase({
    name,
    step: 'DiskTransfer',
    needs: ['owedSnapshots'],
    decide({ owedSnapshots }, context) {
      const { actions, ledger } = readOwedSnapshots(owedSnapshots, context.now);
      return actions.length === 0 ? { kind: 'advance', ledger } : { kind: 'act', ledger, actions };
    },
    refused: (refusal, context) => notNow(refusal.text, context),
  });
}

/**
 * Until it is proven gone; a new snapshot during a merge has ruined copies (fact: vs 4.1). However long it takes, it is no failure.
 *
 * @param gone what is recorded then.
 */
export function waitForRemoval(name: PhaseName, gone: (context: Context) => Change): Phase {
  return phase({
    name,
    step: 'DiskTransfer',
    needs: ['owedSnapshots'],
    decide({ owedSnapshots }, context) {
      const { left, actions, ledger } = readOwedSnapshots(owedSnapshots, context.now);
      if (left.length === 0) return { kind: 'advance', ...gone(context), ledger };
      if (actions.length > 0) return { kind: 'act', ledger, actions };
      return {
        kind: 'wait',
        reason: 'Consolidation',
        for: `snapshot ${left.join(', ')} to be merged`,
        lookAt: context.now + lookAgainMs,
        ledger,
        conditions: slow(context),
      };
    },
    refused: (refusal, context) => notNow(refusal.text, context),
  });
}

/** Nothing of the round is left at the source: the next one is set. It begins at once where this one was not copied to its end. */
export function roundIsOver(context: Context): Change {
  const last = context.records.rounds?.at(-1);
  const removed =
    last === undefined
      ? {}
      : withRound(context, { ...last, removedAt: last.removedAt ?? rfc3339(context.now) });
  const next = isRoundOwed(context) ? context.now : nextRoundAt(context);
  return {
    records: { ...removed, ...(next !== undefined && { nextRoundAt: rfc3339(next) }) },
    ...(next === undefined && { forget: ['nextRoundAt'] }),
    free: [snapshotSlot(context.spec, context.settings).resource],
  };
}

/** Asked for once and left to the background: the target need not wait for a merge that nobody writes into (review.md F47). */
export const removeFinalSnapshot = phase({
  name: 'RemoveFinalSnapshot',
  step: 'Cutover',
  needs: ['owedSnapshots'],
  decide({ owedSnapshots }, context) {
    const { actions, ledger } = readOwedSnapshots(owedSnapshots, context.now);
    return actions.length === 0 ? { kind: 'advance', ledger } : { kind: 'act', ledger, actions };
  },
  refused: () => ({ kind: 'advance' }),
});

/** The minutes so far are not told: since when it waits stands in the status, and each of them would be a write. */
function slow({ now, phaseSince, settings, spec }: Context): readonly ConditionDraft[] {
  if (now < phaseSince + settings.consolidationSlowSeconds * 1000) return [];
  const minutes = Math.round(settings.consolidationSlowSeconds / 60);
  return [
    {
      type: 'ConsolidationSlow',
      category: 'Warn',
      message: `The snapshot of VM ${spec.vm.name} has been merged for more than ${minutes} min; the next round waits for it.`,
    },
  ];
}

function notNow(text: string, context: Context): Decision {
  return {
    kind: 'wait',
    reason: 'Consolidation',
    for: `the source to take its snapshot away (it said: ${text})`,
    lookAt: context.now + lookAgainMs,
    conditions: slow(context),
  };
}
