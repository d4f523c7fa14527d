import type { ConditionDraft } from '../../../api/conditions.ts';
import { cutoverAtMs, cutoverEndMs, isCutoverDue, isTooLate } from '../../cutover.ts';
import { isPoweringOn } from '../../late-shutdown.ts';
import { phase, slotPriorities, type Context, type Decision } from '../../phase.ts';
import {
  conversionSlot,
  cutoverSlots,
  heldRoundSlots,
  hostTurn,
  missingSlots,
  roundSlots,
} from '../../slot-requests.ts';
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
    return pause(context) ?? untilOn(context) ?? begin(context) ?? untilNext(context);
  },
});

/** A source that we have just powered on is not asked to go off before it is seen on. */
function untilOn(context: Context): Decision | undefined {
  if (!isPoweringOn(context)) return undefined;
  return { kind: 'wait', reason: 'SourcePower', for: 'the source to be on again' };
}

function begin(context: Context): Decision | undefined {
  if (isCutoverDue(context))
    return withSlots(context, 'cutover', () => ({ kind: 'advance', to: 'PreflightCutover' }));
  const next = nextRoundMs(context);
  if (next === undefined || context.now < next) return undefined;
  return withSlots(context, 'round', () => ({
    kind: 'advance',
    to: 'CreateSnapshot',
    forget: ['nextRoundAt'],
    // Of a cutover that was taken back when its slots were granted.
    free: [conversionSlot(context.spec, context.settings).resource],
  }));
}

function nextRoundMs({ records }: Context): number | undefined {
  return records.nextRoundAt === undefined ? undefined : Date.parse(records.nextRoundAt);
}

function withSlots(context: Context, priority: 'cutover' | 'round', go: () => Decision): Decision {
  const slotsOf = priority === 'cutover' ? cutoverSlots : roundSlots;
  const slots = slotsOf(context.spec, context.settings);
  if (missingSlots(slots, context).length === 0) return go();
  const until = priority === 'cutover' ? cutoverEndMs(context) : cutoverAtMs(context);
  return {
    kind: 'acquire',
    slots,
    priority: slotPriorities[priority],
    for: priority === 'cutover' ? 'the slots of its cutover' : hostTurn,
    ...(until !== undefined && until > context.now && { until }),
  };
}

function untilNext(context: Context): Decision {
  const next = nextRoundMs(context);
  const cutover = cutoverAtMs(context);
  const until = earliest(next, isTooLate(context) ? undefined : cutover);
  const round = next === undefined ? 'no further round' : `the next round at ${rfc3339(next)}`;
  const held = heldRoundSlots(context);
  return {
    kind: 'wait',
    reason: cutover === undefined ? 'Precopy' : 'Cutover',
    for: `${cutoverWords(cutover, context)}; ${round}`,
    ...(until !== undefined && { until }),
    ...(held.length > 0 && { free: held }),
    conditions: exhausted(next, context),
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
