import type { ConditionDraft } from '../../../api/conditions.ts';
import { blockedCondition, cutoverAtMs, isCutoverDue, isTooLate } from '../../cutover.ts';
import { phase, slotPriorities, type Context, type Decision } from '../../phase.ts';
import { conversionSlot, cutoverSlots, missingSlots, roundSlots } from '../../slot-requests.ts';
import { earliest, rfc3339 } from '../../time.ts';
import { pause } from '../pause.ts';

/**
 * Between two rounds: nothing of ours stands at the source, and only here a cutover begins. Its slots are waited for here too, while the
 * source is in service and the wish can still be taken back.
 */
export const copyingPaused = phase({
  name: 'CopyingPaused',
  step: 'DiskTransfer',
  needs: [],
  decide(_facts, context) {
    const paused = pause(context);
    if (paused !== undefined) return { ...paused, conditions: blockedCondition(context) };
    if (isCutoverDue(context))
      return withSlots(context, 'cutover', () => ({ kind: 'advance', to: 'PreflightCutover' }));
    const { nextRoundAt } = context.records;
    const next = nextRoundAt === undefined ? undefined : Date.parse(nextRoundAt);
    if (next !== undefined && context.now >= next) {
      return withSlots(context, 'round', () => ({
        kind: 'advance',
        to: 'CreateSnapshot',
        forget: ['nextRoundAt'],
        // Of a cutover that was taken back when its slots were granted.
        free: [conversionSlot(context.spec, context.settings).resource],
      }));
    }
    return waitForNext(next, context);
  },
});

function withSlots(context: Context, priority: 'cutover' | 'round', go: () => Decision): Decision {
  const slotsOf = priority === 'cutover' ? cutoverSlots : roundSlots;
  const slots = slotsOf(context.spec, context.settings);
  if (missingSlots(slots, context).length === 0) return go();
  const until = earliest(cutoverAtMs(context), cutoverEndMs(context));
  return {
    kind: 'acquire',
    slots,
    priority: slotPriorities[priority],
    for: priority === 'cutover' ? 'the slots of its cutover' : "its turn on the source's host",
    ...(until !== undefined && until > context.now && { until }),
    conditions: blockedCondition(context),
  };
}

function cutoverEndMs({ spec }: Context): number | undefined {
  const until = spec.control?.cutoverUntil;
  return until === undefined ? undefined : Date.parse(until);
}

function waitForNext(next: number | undefined, context: Context): Decision {
  const cutover = cutoverAtMs(context);
  const until = earliest(next, isTooLate(context) ? undefined : cutover);
  const round = next === undefined ? 'no further round' : `the next round at ${rfc3339(next)}`;
  return {
    kind: 'wait',
    reason: cutover === undefined ? 'Precopy' : 'Cutover',
    for: `${cutoverWords(cutover, context)}; ${round}`,
    ...(until !== undefined && { until }),
    conditions: [...blockedCondition(context), ...exhausted(next, context)],
  };
}

function cutoverWords(cutover: number | undefined, context: Context): string {
  if (cutover === undefined) return 'a cutover to be set';
  if (isTooLate(context))
    return `a cutover to be set (none begins after ${context.spec.control?.cutoverUntil ?? ''})`;
  return `the cutover at ${rfc3339(cutover)}`;
}

function exhausted(next: number | undefined, { settings }: Context): readonly ConditionDraft[] {
  if (next !== undefined) return [];
  return [
    {
      type: 'RoundsExhausted',
      category: 'Warn',
      message: `${settings.mostRounds} rounds were copied, or the schedule has no time to come: no further one is made. Set a cutover.`,
    },
  ];
}
