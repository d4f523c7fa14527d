import { bounded, type ConditionDraft } from '../api/conditions.ts';
import { isOwed, sourcePowerKey } from './ledger.ts';
import type { Advance, Context } from './phase.ts';
import { roundUnderWay, withoutRound } from './rounds.ts';
import { heldRoundSlots } from './slot-requests.ts';
import { isRoundOwed, recopiedClaims } from './stale-disks.ts';
import { rfc3339 } from './time.ts';

/** Whether the users' wish for a cutover is to be followed now. It is honoured between rounds only. */
export function isCutoverDue(context: Context): boolean {
  const at = cutoverAtMs(context);
  return at !== undefined && at <= context.now && !isTooLate(context) && !isRoundOwed(context);
}

/** The cutover that is wished for and has not been tried, milliseconds since 1970; undefined: none. */
export function cutoverAtMs({ spec, records }: Pick<Context, 'spec' | 'records'>): number | undefined {
  const wish = spec.control?.cutoverAt;
  if (wish === undefined || records.cutover?.blocked?.requestedFor === wish) return undefined;
  const at = Date.parse(wish);
  return Number.isNaN(at) ? undefined : at;
}

/** When power-offs end to begin, milliseconds since 1970; undefined: never. */
export function cutoverEndMs({ spec }: Pick<Context, 'spec'>): number | undefined {
  const until = spec.control?.cutoverUntil;
  return until === undefined ? undefined : Date.parse(until);
}

/** After that moment no power-off begins any more. */
export function isTooLate(context: Pick<Context, 'spec' | 'now'>): boolean {
  const end = cutoverEndMs(context);
  return end !== undefined && context.now >= end;
}

/** Back to the rounds before the source was touched, because the wish was taken back, or all is paused: it may come again. */
export function putOffCutover(context: Context): Advance {
  const blocked = context.records.cutover?.blocked;
  return {
    kind: 'advance',
    to: 'CopyingPaused',
    forget: isOwed(context, sourcePowerKey) ? ['cutover'] : ['cutover', 'power'],
    ...(blocked !== undefined && { records: { cutover: { blocked } } }),
    free: heldRoundSlots(context),
  };
}

/** Back to the rounds for one more, that begins at once: some disks would be copied whole in the downtime. */
export function delayCutover(claims: readonly string[], context: Context): Advance {
  const { records, ...rest } = putOffCutover(context);
  const { name } = context.spec.vm;
  return {
    ...rest,
    records: { ...records, nextRoundAt: rfc3339(context.now) },
    events: [
      {
        type: 'Warning',
        reason: 'CutoverDelayed',
        message: bounded(
          `Disk ${claims.join(', ')} of VM ${name} has grown or was moved, or its changes are not known any more: it is copied whole in one more round before the cutover, while the source is in service.`,
        ),
      },
    ],
  };
}

/**
 * Out of the cutover and back to the rounds: the source stays in service, or is put back into it. The same wish is not tried again; who
 * wants a cutover says so anew.
 *
 * @param power what becomes of the obligation to put the power back: `none` was made for this cutover, it is `met` because the source is
 * on, or a shutdown may still come `late` and is then answered with power-on.
 */
export function leaveCutover(
  context: Context,
  power: 'none' | 'met' | 'late',
  why: { readonly reason: string; readonly message: string },
): Advance {
  const { records, spec, now } = context;
  // What was set while this one was under way is a new wish.
  const { acceptedAt, requestedFor } = records.cutover ?? {};
  const wish = acceptedAt === undefined ? spec.control?.cutoverAt : requestedFor;
  const message = bounded(
    `${why.message} The source stays in service; set the cutover anew when this is mended.`,
  );
  const blocked = {
    ...(wish !== undefined && { requestedFor: wish }),
    at: rfc3339(now),
    reason: why.reason,
    message,
  };
  const begun = roundUnderWay(context);
  const { before, restore } = records.power ?? {};
  // Still owed from a cutover before this one: what the power was then stays known.
  const keeps = power !== 'met' && before !== undefined && isOwed(context, sourcePowerKey);
  return {
    kind: 'advance',
    to: 'CopyingPaused',
    forget: ['power'],
    records: {
      cutover: { blocked },
      ...(keeps && { power: { before, ...(restore !== undefined && { restore }) } }),
      ...(begun?.kind === 'final' && withoutRound(context, begun)),
    },
    ...(power === 'met' && { ledger: [{ op: 'strike', key: sourcePowerKey }] }),
    free: heldRoundSlots(context),
    events: [{ type: 'Warning', reason: 'CutoverBlocked', message }],
  };
}

/** Said as long as a cutover that is due waits for disks that are copied whole before it. */
export function delayedCondition(context: Context): readonly ConditionDraft[] {
  const at = cutoverAtMs(context);
  if (at === undefined || at > context.now || context.records.cutover?.acceptedAt !== undefined) return [];
  const claims = recopiedClaims(context);
  if (claims.length === 0) return [];
  const end = isTooLate(context) ? ' The last moment for it has passed: set it anew.' : '';
  return [
    {
      type: 'CutoverDelayed',
      category: 'Warn',
      message: bounded(
        `The cutover waits for one more round: ${claims.join(', ')} must be copied whole, which is done while the source is in service.${end}`,
      ),
      items: claims,
    },
  ];
}

/** Said as long as the rounds go on after a cutover that was left, and nobody has set it anew. */
export function blockedCondition({
  records,
  spec,
}: Pick<Context, 'records' | 'spec'>): readonly ConditionDraft[] {
  const blocked = records.cutover?.blocked;
  if (blocked === undefined || cutoverAtMs({ records, spec }) !== undefined) return [];
  return [{ type: 'CutoverBlocked', category: 'Warn', reason: blocked.reason, message: blocked.message }];
}
