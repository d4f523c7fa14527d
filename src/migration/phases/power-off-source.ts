import { isTooLate, leaveCutover, putOffCutover } from '../cutover.ts';
import { terminal } from '../failures.ts';
import { isOwed, sourcePowerEntry, sourcePowerKey } from '../ledger.ts';
import { mayFollowEarlierRequest } from '../late-shutdown.ts';
import { phase, type Action, type Context, type Decision, type Fail } from '../phase.ts';
import { powerRecord } from '../power.ts';
import { preflightFailure } from '../preflight.ts';
import { isWarm } from '../rounds.ts';
import { rfc3339 } from '../time.ts';
import { pause } from './pause.ts';
import { shown } from './store-power-state.ts';

/**
 * Asks the source to go off, after one more look at whether the target would take the VM: up to here a refusal costs nothing. The
 * obligation to restore the power is written before the request (design: DESIGN.md 4.3).
 */
export const powerOffSource = phase({
  name: 'PowerOffSource',
  step: 'Initialize',
  needs: ['sourcePower', 'preflight'],
  decide({ sourcePower, preflight }, context) {
    if (wasRequested(context)) return { kind: 'advance' };
    const { spec } = context;
    const target = `${spec.target.namespace}/${context.records.targetName ?? spec.vm.name}`;
    const refusedNow = preflightFailure(preflight, target);
    if (isWarm(spec)) {
      const left = leaves(refusedNow, context);
      if (left !== undefined) return left;
    } else {
      const stopped = pause(context) ?? refusedNow;
      if (stopped !== undefined) return stopped;
    }
    switch (sourcePower.state) {
      case 'Off':
        return { kind: 'advance' };
      case 'On':
        return request(context);
      case 'Suspended':
      case 'Unknown':
        return unclear(sourcePower.state, context);
    }
  },
  /** Its tools may have stopped since the plan was judged. Where force was chosen, its time comes after the deadline. */
  refused(refusal, context) {
    if (context.spec.policies.powerOff === 'force') return { kind: 'advance' };
    if (isWarm(context.spec)) {
      const message = `VM ${context.spec.vm.name} cannot be shut down: ${refusal.text}`;
      const power = mayFollowEarlierRequest(context) ? 'late' : 'met';
      return leaveCutover(context, power, { reason: 'PowerOffRefused', message });
    }
    return terminal(
      'PowerOffRefused',
      `VM ${context.spec.vm.name} cannot be shut down: ${refusal.text}`,
      'Mend that, or shut it down by hand, or set the power-off policy to force; then start the plan again.',
    );
  },
});

/** A warm import still has a source in service to go back to, and rounds to go on with. */
function leaves(failure: Fail | undefined, context: Context): Decision | undefined {
  if (context.spec.control?.paused === true) return putOffCutover(context);
  if (isTooLate(context)) {
    const message = `It was past ${context.spec.control?.cutoverUntil ?? ''}, after which no power-off begins.`;
    return leaveCutover(context, 'none', { reason: 'CutoverTooLate', message });
  }
  if (failure === undefined || failure.class === 'retryable') return failure;
  const hint = failure.hint === undefined ? '' : ` ${failure.hint}`;
  return leaveCutover(context, 'none', { reason: failure.code, message: `${failure.message}${hint}` });
}

/** The request itself may have been lost: WaitForPowerOff makes it again. */
function wasRequested(context: Context): boolean {
  return isOwed(context, sourcePowerKey) && context.records.power?.offRequestedAt !== undefined;
}

function request(context: Context): Decision {
  return {
    kind: 'act',
    records: { power: powerRecord(context, { offRequestedAt: rfc3339(context.now) }) },
    ledger: [sourcePowerEntry()],
    actions: [firstRequest(context)],
  };
}

/** Where force was chosen and nobody in the guest could hear a request, it is not made. */
function firstRequest({ spec }: Context): Action {
  const isDeaf = spec.model.guest.agent === 'absent' || spec.model.guest.agent === 'stopped';
  return { do: 'powerOff', how: spec.policies.powerOff === 'force' && isDeaf ? 'hard' : 'guest' };
}

function unclear(state: 'Suspended' | 'Unknown', context: Context): Decision {
  const until = context.phaseSince + context.settings.powerUnknownSeconds * 1000;
  if (context.now < until) {
    return { kind: 'wait', reason: 'SourcePower', for: `the source, which is ${shown(state)}`, until };
  }
  if (isWarm(context.spec)) {
    const message = `VM ${context.spec.vm.name} cannot be shut down: it is ${shown(state)}.`;
    return leaveCutover(context, 'none', { reason: 'SourcePowerUnknown', message });
  }
  return terminal(
    state === 'Suspended' ? 'SourceSuspended' : 'SourcePowerUnknown',
    `VM ${context.spec.vm.name} cannot be shut down: it is ${shown(state)}.`,
    'Bring the VM to a running or a powered-off state and start the plan again.',
  );
}
