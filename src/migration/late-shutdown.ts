import type { PowerReading } from '../model/source-data.ts';
import { awaitsLateShutdown, lateShutdownEndsMs } from './cutover.ts';
import { sourcePowerKey } from './ledger.ts';
import type { Act, Context } from './phase.ts';
import { powerRecord } from './power.ts';
import { rfc3339 } from './time.ts';

/** A request to power on that shows no effect is made again. */
const againMs = 30_000;

/**
 * A guest that did not shut down in time for a cutover may do so later, in the middle of a round: that is still our doing and is answered
 * with power-on. undefined: nothing to be done now.
 */
export function answerLateShutdown({ state }: PowerReading, context: Context): Act | undefined {
  if (!awaitsLateShutdown(context)) return undefined;
  const { power } = context.records;
  if (state === 'Off') {
    const asked = power?.onRequestedAt;
    if (asked !== undefined && context.now < Date.parse(asked) + againMs) return undefined;
    return {
      kind: 'act',
      records: { power: powerRecord(context, { onRequestedAt: rfc3339(context.now) }) },
      actions: [{ do: 'powerOn', ...(power?.restore !== undefined && { restore: power.restore }) }],
    };
  }
  const isAnswered = state === 'On' && power?.onRequestedAt !== undefined;
  if (!isAnswered && context.now < lateShutdownEndsMs(context)) return undefined;
  const { name } = context.spec.vm;
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
