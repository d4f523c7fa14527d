import { keyOf } from '../../kube/object-key.ts';
import { awaitsLateShutdown, lateShutdownEndsMs } from '../../migration/cutover.ts';
import { answerLateShutdown } from '../../migration/late-shutdown.ts';
import type { Act, Phase } from '../../migration/phase.ts';
import { isSourceError } from '../../model/fault.ts';
import { gather } from './gather.ts';
import type { StayOffDeps } from './stay-off.ts';
import type { Subject } from './subject.ts';

/**
 * The counterpart of `restartedSource` for a cutover that was given up: a guest that shuts down after all, in whatever phase of a round, is
 * powered on again. The power is read only when something has happened at the source.
 */
export async function lateShutdown(
  subject: Subject,
  phase: Phase,
  deps: StayOffDeps & { readonly clock: { now(): number } },
  signal: AbortSignal,
): Promise<Act | undefined> {
  const { context } = subject;
  if (!awaitsLateShutdown(context) || isInCutover(phase, subject)) return undefined;
  const key = keyOf(subject.object);
  const isAsked = context.records.power?.onRequestedAt !== undefined;
  const isOver = deps.clock.now() >= lateShutdownEndsMs(context);
  if (!deps.powerWatch.takeMoved(key) && !isAsked && !isOver) return undefined;
  try {
    const { sourcePower } = await gather(['sourcePower'], subject, deps, signal);
    return answerLateShutdown(sourcePower, context);
  } catch (error) {
    deps.powerWatch.markMoved(key);
    if (isSourceError(error)) return undefined;
    throw error;
  }
}

/** There the phases themselves look after the power. */
function isInCutover(phase: Phase, { context }: Subject): boolean {
  const phases = context.records.itinerary?.phases ?? [];
  return phases.indexOf(phase.name) >= phases.indexOf('PreflightCutover');
}
