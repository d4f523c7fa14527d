import { leaveCutover } from '../cutover.ts';
import { terminal } from '../failures.ts';
import { phase, type Context, type Decision } from '../phase.ts';
import { powerOffDeadlineMs, powerRecord } from '../power.ts';
import { isWarm } from '../rounds.ts';
import { rfc3339 } from '../time.ts';

/**
 * Until the source is off. A guest that does not listen fails the import (a late shutdown is answered by the unwind, which keeps the
 * obligation) or is powered off hard, as the policy says (review.md F20).
 */
export const waitForPowerOff = phase({
  name: 'WaitForPowerOff',
  step: 'Initialize',
  needs: ['sourcePower'],
  decide({ sourcePower }, context) {
    if (sourcePower.state === 'Off') {
      const offSeenAt = context.records.power?.offSeenAt ?? rfc3339(context.now);
      return { kind: 'advance', records: { power: powerRecord(context, { offSeenAt }) } };
    }
    const deadline = context.phaseSince + powerOffDeadlineMs(context);
    if (context.now < deadline) return ask('guest', deadline, context);
    if (context.spec.policies.powerOff === 'abortCutover' && isWarm(context.spec)) return abort(context);
    if (context.spec.policies.powerOff !== 'force') return tooLate(context);
    const lastDeadline = deadline + powerOffDeadlineMs(context);
    return context.now < lastDeadline ? force(deadline, lastDeadline, context) : tooLate(context);
  },
  /** A guest that is half-way down refuses to be asked once more; the deadline judges, not the refusal. */
  refused(refusal, context) {
    return {
      kind: 'wait',
      reason: 'PowerOff',
      for: `the source to be off (asked again it said: ${refusal.text})`,
      lookAt: context.now + context.settings.powerOffRepeatSeconds * 1000,
    };
  },
});

/** Back to the rounds; a late shutdown is answered with power-on. */
function abort(context: Context): Decision {
  const minutes = Math.round(powerOffDeadlineMs(context) / 60_000);
  return leaveCutover(context, 'late', {
    reason: 'PowerOffTimeout',
    message: `VM ${context.spec.vm.name} did not power off within ${minutes} min.`,
  });
}

function tooLate(context: Context): Decision {
  const minutes = Math.round(powerOffDeadlineMs(context) / 60_000);
  return terminal(
    'PowerOffTimeout',
    `VM ${context.spec.vm.name} did not power off within ${minutes} min.`,
    'Shut it down by hand and start the plan again, or set the power-off policy to force.',
  );
}

/** Asks again after a while: the first request may have been lost. */
function ask(how: 'guest' | 'hard', deadline: number, context: Context): Decision {
  const repeatAt = lastRequestMs(context) + context.settings.powerOffRepeatSeconds * 1000;
  if (context.now < repeatAt) {
    return {
      kind: 'wait',
      reason: how === 'guest' ? 'GuestShutdown' : 'PowerOff',
      for: how === 'guest' ? 'the guest to shut down' : 'the source to be off',
      until: Math.min(deadline, repeatAt),
    };
  }
  return {
    kind: 'act',
    records: { power: powerRecord(context, { offRequestedAt: rfc3339(context.now) }) },
    actions: [{ do: 'powerOff', how }],
  };
}

function force(deadline: number, lastDeadline: number, context: Context): Decision {
  if (lastRequestMs(context) >= deadline) return ask('hard', lastDeadline, context);
  return {
    kind: 'act',
    records: { power: powerRecord(context, { offRequestedAt: rfc3339(context.now) }) },
    actions: [{ do: 'powerOff', how: 'hard' }],
    events: [
      {
        type: 'Warning',
        reason: 'PowerOffForced',
        message: `VM ${context.spec.vm.name} did not shut down in time and is powered off hard.`,
      },
    ],
  };
}

function lastRequestMs(context: Context): number {
  const at = context.records.power?.offRequestedAt;
  return at === undefined ? context.phaseSince : Date.parse(at);
}
