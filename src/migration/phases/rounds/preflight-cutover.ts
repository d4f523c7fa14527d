import { blockedCondition, isCutoverDue, leaveCutover } from '../../cutover.ts';
import { phase } from '../../phase.ts';
import { preflightFailure } from '../../preflight.ts';
import { cutoverSlots } from '../../slot-requests.ts';
import { rfc3339 } from '../../time.ts';
import { obstacle } from './snapshot.ts';

/** The last look before the source goes out of service: would the target still take the VM, and is nobody else at work on it? */
export const preflightCutover = phase({
  name: 'PreflightCutover',
  step: 'DiskTransfer',
  needs: ['audit', 'preflight'],
  decide({ audit, preflight }, context) {
    const { spec, records, settings, now } = context;
    const isPaused = spec.control?.paused === true;
    if (isPaused || !isCutoverDue(context)) {
      // Taken back meanwhile.
      const free = cutoverSlots(spec, settings).map(({ resource }) => resource);
      return { kind: 'advance', to: 'CopyingPaused', free };
    }
    const standing = obstacle(audit, 'next', context);
    if (standing?.kind === 'fail') return standing;
    const isForeign = audit.foreign.length > 0;
    if (isForeign && standing?.kind === 'wait') {
      return { ...standing, conditions: [...(standing.conditions ?? []), ...blockedCondition(context)] };
    }
    const target = `${spec.target.namespace}/${records.targetName ?? spec.vm.name}`;
    const failure = preflightFailure(preflight, target);
    if (failure?.kind === 'fail') {
      return leaveCutover(context, 'none', {
        reason: failure.code,
        message: `${failure.message}${failure.hint === undefined ? '' : ` ${failure.hint}`}`,
      });
    }
    if (failure !== undefined) return failure;
    const requestedFor = spec.control?.cutoverAt;
    return {
      kind: 'advance',
      records: { cutover: { acceptedAt: rfc3339(now), ...(requestedFor !== undefined && { requestedFor }) } },
    };
  },
});
