import { bounded, type ConditionDraft } from '../api/conditions.ts';
import { isOwed, sourcePowerKey } from './ledger.ts';
import type { Advance, Context } from './phase.ts';
import { cutoverSlots } from './slot-requests.ts';
import { rfc3339 } from './time.ts';

/** Whether the users' wish for a cutover is to be followed now. It is honoured between rounds only. */
export function isCutoverDue(context: Context): boolean {
  const at = cutoverAtMs(context);
  return at !== undefined && at <= context.now && !isTooLate(context);
}

/** The cutover that is wished for and has not been tried, milliseconds since 1970; undefined: none. */
export function cutoverAtMs({ spec, records }: Pick<Context, 'spec' | 'records'>): number | undefined {
  const wish = spec.control?.cutoverAt;
  if (wish === undefined || records.cutover?.blocked?.requestedFor === wish) return undefined;
  const at = Date.parse(wish);
  return Number.isNaN(at) ? undefined : at;
}

/** After this moment no power-off begins any more. */
export function isTooLate({ spec, now }: Pick<Context, 'spec' | 'now'>): boolean {
  const until = spec.control?.cutoverUntil;
  return until !== undefined && now >= Date.parse(until);
}

/**
 * Out of the cutover and back to the rounds: the source stays in service, or is put back into it. The same wish is not tried again; who
 * wants a cutover says so anew.
 *
 * @param power what becomes of the obligation to put the power back: `none` was made, it is `met` because the source is on, or a shutdown
 * may still come `late` and is then answered with power-on.
 */
export function leaveCutover(
  context: Context,
  power: 'none' | 'met' | 'late',
  why: { readonly reason: string; readonly message: string },
): Advance {
  const { records, spec, settings, now } = context;
  const wish = spec.control?.cutoverAt;
  const message = bounded(
    `${why.message} The source stays in service; set the cutover anew when this is mended.`,
  );
  const blocked = {
    ...(wish !== undefined && { requestedFor: wish }),
    at: rfc3339(now),
    reason: why.reason,
    message,
  };
  const { before, restore } = records.power ?? {};
  const keeps = power === 'late' && before !== undefined;
  return {
    kind: 'advance',
    to: 'CopyingPaused',
    forget: ['power'],
    records: {
      cutover: { blocked },
      ...(keeps && { power: { before, ...(restore !== undefined && { restore }) } }),
    },
    ...(power === 'met' && { ledger: [{ op: 'strike', key: sourcePowerKey }] }),
    free: cutoverSlots(spec, settings).map(({ resource }) => resource),
    events: [{ type: 'Warning', reason: 'CutoverBlocked', message }],
  };
}

/** Said as long as the rounds go on after a cutover that was left. */
export function blockedCondition({ records }: Pick<Context, 'records'>): readonly ConditionDraft[] {
  const blocked = records.cutover?.blocked;
  if (blocked === undefined) return [];
  return [{ type: 'CutoverBlocked', category: 'Warn', reason: blocked.reason, message: blocked.message }];
}

/** A cutover was given up while the guest might still shut down, and it is not known yet that it does not. */
export function awaitsLateShutdown(context: Pick<Context, 'records' | 'ledger'>): boolean {
  const { blocked } = context.records.cutover ?? {};
  return (
    blocked !== undefined &&
    context.records.power?.offRequestedAt === undefined &&
    isOwed(context, sourcePowerKey)
  );
}

/** Until when a shutdown is taken for the answer to our request, milliseconds since 1970 (review.md F20). */
export function lateShutdownEndsMs({ records, settings }: Pick<Context, 'records' | 'settings'>): number {
  return Date.parse(records.cutover?.blocked?.at ?? '') + settings.latePowerOffSeconds * 1000;
}
