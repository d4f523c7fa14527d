import type { Records } from '../../../api/virtual-machine-import.ts';
import { delayCutover, isCutoverDue, leaveCutover, putOffCutover } from '../../cutover.ts';
import { marked } from '../../dirty-disks.ts';
import { isPoweringOn } from '../../late-shutdown.ts';
import { phase, slotPriorities, type Context, type Decision } from '../../phase.ts';
import { preflightFailure } from '../../preflight.ts';
import { cutoverSlots, missingSlots } from '../../slot-requests.ts';
import { lostSince } from '../../stale-disks.ts';
import { rfc3339 } from '../../time.ts';
import { changedForGood, foreignSnapshots } from './obstacles.ts';

/** The last look before the source goes out of service: would the target still take the VM, and is nobody else at work on it? */
export const preflightCutover = phase({
  name: 'PreflightCutover',
  step: 'DiskTransfer',
  needs: ['audit', 'preflight'],
  decide({ audit, preflight }, context) {
    const { spec, records } = context;
    const isPaused = spec.control?.paused === true;
    if (isPaused || !isCutoverDue(context) || isPoweringOn(context)) return putOffCutover(context);
    const standing = changedForGood(audit, context) ?? foreignSnapshots(audit, 'next', context);
    if (standing !== undefined) return standing;
    const target = `${spec.target.namespace}/${records.targetName ?? spec.vm.name}`;
    const failure = preflightFailure(preflight, target);
    if (failure?.class === 'retryable') return failure;
    if (failure !== undefined) {
      const hint = failure.hint === undefined ? '' : ` ${failure.hint}`;
      return leaveCutover(context, 'none', { reason: failure.code, message: `${failure.message}${hint}` });
    }
    const lost = lostSince(audit, context);
    if (lost.length > 0) return oneMoreRound(lost, context);
    return takeSlots(context) ?? { kind: 'advance', records: { cutover: accepted(context) } };
  },
});

function oneMoreRound(keys: readonly string[], context: Context): Decision {
  const claims = context.spec.disks.filter(({ key }) => keys.includes(key)).map(({ claimName }) => claimName);
  return { ...delayCutover(claims, context), disks: marked(context.status.disks ?? [], keys) };
}

/** What is said of an earlier cutover stays: a guest may still shut down because of it. */
function accepted({ spec, records, now }: Context): NonNullable<Records['cutover']> {
  const requestedFor = spec.control?.cutoverAt;
  const blocked = records.cutover?.blocked;
  return {
    acceptedAt: rfc3339(now),
    ...(requestedFor !== undefined && { requestedFor }),
    ...(blocked !== undefined && { blocked }),
  };
}

/** They were given back while it waited here. */
function takeSlots({ spec, settings, status }: Context): Decision | undefined {
  const slots = cutoverSlots(spec, settings);
  if (missingSlots(slots, { status }).length === 0) return undefined;
  return { kind: 'acquire', slots, priority: slotPriorities.cutover, for: 'the slots of its cutover' };
}
