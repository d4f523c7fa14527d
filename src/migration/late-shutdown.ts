import type { PowerReading } from '../model/source-data.ts';
import { isOwed, sourcePowerKey } from './ledger.ts';
import type { Act, Context, Refusal, Wait } from './phase.ts';
import { powerRecord } from './power.ts';
import { rfc3339 } from './time.ts';

/** A request to power on that shows no effect is made again. */
const againMs = 30_000;

/** A cutover was given up while the guest might still shut down, and it is not known yet that it does not. */
export function awaitsLateShutdown(context: Pick<Context, 'records' | 'ledger'>): boolean {
  const { blocked } = context.records.cutover ?? {};
  return (
    blocked !== undefined &&
    context.records.power?.offRequestedAt === undefined &&
    isOwed(context, sourcePowerKey)
  );
}

/** The obligation is older than what this cutover has asked for: the guest may still do what an earlier one asked. */
export function mayFollowEarlierRequest({ records, ledger }: Pick<Context, 'records' | 'ledger'>): boolean {
  const owed = ledger.find(({ key }) => key === sourcePowerKey);
  const askedAt = records.power?.offRequestedAt;
  return owed !== undefined && askedAt !== undefined && Date.parse(owed.intentAt) < Date.parse(askedAt);
}

/** It did shut down, and was asked to power on a moment ago. */
export function isPoweringOn({ records }: Pick<Context, 'records'>): boolean {
  return records.cutover?.blocked !== undefined && records.power?.onRequestedAt !== undefined;
}

/** When the power is to be looked at though nothing tells of a change, milliseconds since 1970. undefined: never. */
export function lateShutdownDueMs(
  context: Pick<Context, 'records' | 'ledger' | 'settings'>,
): number | undefined {
  if (!awaitsLateShutdown(context)) return undefined;
  const asked = context.records.power?.onRequestedAt;
  return asked === undefined ? endMs(context) : Date.parse(asked) + againMs;
}

/** Until when a shutdown is taken for the answer to our request (review.md F20). */
function endMs({ records, settings }: Pick<Context, 'records' | 'settings'>): number {
  return Date.parse(records.cutover?.blocked?.at ?? '') + settings.latePowerOffSeconds * 1000;
}

/**
 * A guest that did not shut down in time for a cutover may do so later, in the middle of a round: that is still our doing and is answered
 * with power-on. undefined: nothing to be done now.
 */
export function answerLateShutdown({ state }: PowerReading, context: Context): Act | undefined {
  if (!awaitsLateShutdown(context)) return undefined;
  const { power } = context.records;
  const asked = power?.onRequestedAt;
  if (state === 'Off') {
    if (asked !== undefined && context.now < Date.parse(asked) + againMs) return undefined;
    return {
      kind: 'act',
      records: { power: powerRecord(context, { onRequestedAt: rfc3339(context.now) }) },
      actions: [{ do: 'powerOn', ...(power?.restore !== undefined && { restore: power.restore }) }],
    };
  }
  const isAnswered = state === 'On' && asked !== undefined;
  if (!isAnswered && context.now < endMs(context)) return undefined;
  return letGo(isAnswered, context);
}

/** It cannot be powered on: nothing else is worth doing before it can. */
export function untilPoweredOn(refusal: Refusal, context: Context): Wait {
  const { name } = context.spec.vm;
  return {
    kind: 'wait',
    reason: 'SourceLeftOff',
    for: `the source to be powered on again, which is refused: ${refusal.text}`,
    lookAt: context.now + againMs,
    conditions: [
      {
        type: 'SourceLeftOff',
        category: 'Warn',
        reason: refusal.code,
        message: `VM ${name} has shut down late, after its cutover was given up, and cannot be powered on: ${refusal.text}`,
      },
    ],
  };
}

function letGo(isAnswered: boolean, { spec }: Context): Act {
  const { name } = spec.vm;
  return {
    kind: 'act',
    actions: [],
    forget: ['power'],
    ledger: [{ op: 'strike', key: sourcePowerKey }],
    events: [
      isAnswered
        ? {
            type: 'Normal',
            reason: 'SourceRestored',
            message: `VM ${name} has shut down late and is on again.`,
          }
        : {
            type: 'Normal',
            reason: 'SourcePowerLetGo',
            message: `VM ${name} has not shut down; a shutdown from now on is taken for somebody else's.`,
          },
    ],
  };
}
