import type { ConditionDraft } from '../../api/conditions.ts';
import { isOwed, sourcePowerKey } from '../ledger.ts';
import { unwindStep, type Context, type UnwindDecision } from '../phase.ts';
import { powerRecord, staled } from '../power.ts';
import { rfc3339 } from '../time.ts';

const lookAgainMs = 30_000;

/**
 * Puts the source's power back. Only before the commit point: after it two copies would run. A guest that did not shut down in time may do
 * so later; for a while after the request that is still our doing and is answered, after it somebody else wanted it off (review.md F20).
 */
export const restorePower = unwindStep({
  name: 'RestorePower',
  applies: (context) => isOwed(context, sourcePowerKey) && context.records.committedAt === undefined,
  untold: (context) => (context.records.power?.offSeenAt === undefined ? [] : [leftOff(context)]),
  blocks: false,
  needs: ['sourceVm'],
  decide({ sourceVm }, context) {
    if (sourceVm.state === 'gone') return struck(context, 'the VM is not at its source any more');
    switch (sourceVm.model.power) {
      case 'Off':
        return powerOn(context);
      case 'On':
        return wasOff(context) ? restored(context) : watchForLateOff(context);
      case 'Suspended':
        return struck(context, 'somebody has suspended the VM meanwhile');
      case 'Unknown':
        return {
          kind: 'wait',
          for: 'the power state of the source, which is unknown',
          lookAt: context.now + lookAgainMs,
          conditions: [leftOff(context)],
        };
    }
  },
});

/** Seen off by us, or asked to power on because it was. */
function wasOff({ records }: Context): boolean {
  return records.power?.offSeenAt !== undefined || records.power?.onRequestedAt !== undefined;
}

/** Seen off is saved before the request, so that the next On is known to be the answer. The copies grow old in the same save. */
function powerOn(context: Context): UnwindDecision {
  const offSeenAt = context.records.power?.offSeenAt ?? rfc3339(context.now);
  const { onRequestedAt } = context.records.power ?? {};
  // Asked a moment ago: it takes its time. A request that was lost is made again.
  const againAt = onRequestedAt === undefined ? 0 : Date.parse(onRequestedAt) + lookAgainMs;
  if (context.now < againAt) {
    return { kind: 'wait', for: 'the source to be on', lookAt: againAt, conditions: [leftOff(context)] };
  }
  const restore = context.records.power?.restore;
  return {
    kind: 'act',
    records: { power: powerRecord(context, { offSeenAt, onRequestedAt: rfc3339(context.now) }) },
    disks: staled(context.status.disks ?? []),
    conditions: [leftOff(context)],
    actions: [{ do: 'powerOn', ...(restore !== undefined && { restore }) }],
  };
}

function restored(context: Context): UnwindDecision {
  return {
    kind: 'done',
    records: { power: powerRecord(context, { restoredAt: rfc3339(context.now) }) },
    disks: staled(context.status.disks ?? []),
    ledger: [{ op: 'strike', key: sourcePowerKey }],
    events: [
      {
        type: 'Normal',
        reason: 'SourceRestored',
        message: `VM ${context.spec.vm.name} is on again at its source.`,
      },
    ],
  };
}

function watchForLateOff(context: Context): UnwindDecision {
  const requestedAt = context.records.power?.offRequestedAt;
  const requestedMs = requestedAt === undefined ? context.phaseSince : Date.parse(requestedAt);
  const until = requestedMs + context.settings.latePowerOffSeconds * 1000;
  if (context.now < until) {
    return {
      kind: 'wait',
      for: 'a late shutdown of the guest, which would be answered with power-on',
      lookAt: until,
    };
  }
  return struck(
    context,
    'it stayed on; a shutdown from now on is taken for somebody else’s and is not answered',
  );
}

function struck(context: Context, why: string): UnwindDecision {
  return {
    kind: 'done',
    ledger: [{ op: 'strike', key: sourcePowerKey }],
    events: [
      {
        type: 'Warning',
        reason: 'SourcePowerLetGo',
        message: `The power of VM ${context.spec.vm.name} is not looked after any more: ${why}.`,
      },
    ],
  };
}

function leftOff({ spec }: Context): ConditionDraft {
  return {
    type: 'SourceLeftOff',
    category: 'Warn',
    message: `VM ${spec.vm.name} was powered off for its migration and is not on again yet.`,
  };
}
