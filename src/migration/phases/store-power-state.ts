import type { PhaseName } from '../../api/phases.ts';
import { leaveCutover } from '../cutover.ts';
import { terminal } from '../failures.ts';
import { phase, type Context } from '../phase.ts';
import { isWarm } from '../rounds.ts';
import { rfc3339 } from '../time.ts';
import { pause } from './pause.ts';

/** Remembers the power state of the source before anybody touches it: no fact could tell it later. */
export const storePowerState = phase({
  name: 'StorePowerState',
  step: 'Initialize',
  needs: ['sourcePower'],
  decide({ sourcePower }, context) {
    if (context.records.power !== undefined) return { kind: 'advance' };
    // A warm import has been asked for its pause before its cutover began.
    const paused = isWarm(context.spec) ? undefined : pause(context);
    if (paused !== undefined) return paused;
    const { state, restore } = sourcePower;
    if (state === 'On' || state === 'Off') {
      const power = { before: state, ...(restore !== undefined && { restore }) };
      if (state === 'On') return { kind: 'advance', records: { power } };
      const offSeenAt = rfc3339(context.now);
      return { kind: 'advance', records: { power: { ...power, offSeenAt } }, ...pastPowerOff(context) };
    }
    const until = context.phaseSince + context.settings.powerUnknownSeconds * 1000;
    if (context.now < until) {
      return { kind: 'wait', reason: 'SourcePower', for: `the source, which is ${shown(state)}`, until };
    }
    if (isWarm(context.spec)) {
      const message = `The power state of VM ${context.spec.vm.name} is still ${shown(state)}.`;
      return leaveCutover(context, 'none', { reason: 'SourcePowerUnknown', message });
    }
    return terminal(
      state === 'Suspended' ? 'SourceSuspended' : 'SourcePowerUnknown',
      `The power state of VM ${context.spec.vm.name} is still ${shown(state)}.`,
      'Bring the VM to a running or a powered-off state and start the plan again.',
    );
  },
});

/** Nothing to power off, and nothing to put back. */
function pastPowerOff({ records }: Context): { readonly to?: PhaseName } {
  const phases = records.itinerary?.phases ?? [];
  const next = phases[phases.indexOf('WaitForPowerOff') + 1] as PhaseName | undefined;
  return next === undefined ? {} : { to: next };
}

export function shown(state: 'Suspended' | 'Unknown'): string {
  return state === 'Suspended' ? 'suspended' : 'in an unknown power state';
}
