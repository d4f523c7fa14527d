import { keyOf } from '../../kube/object-key.ts';
import { answerLateShutdown, awaitsLateShutdown, lateShutdownDueMs } from '../../migration/late-shutdown.ts';
import type { Act, Phase } from '../../migration/phase.ts';
import { isSourceError } from '../../model/fault.ts';
import { gather } from './gather.ts';
import type { StayOffDeps } from './stay-off.ts';
import type { Subject } from './subject.ts';

/**
 * The counterpart of `restartedSource` for a cutover that was given up: a guest that shuts down after all, in whatever phase of a round, is
 * powered on again. The power is read only when something has happened at the source, or should have.
 */
export async function lateShutdown(
  subject: Subject,
  phase: Phase,
  deps: StayOffDeps,
  signal: AbortSignal,
): Promise<Act | undefined> {
  const { context } = subject;
  if (!awaitsLateShutdown(context) || isInCutover(phase.name, subject)) return undefined;
  const key = keyOf(subject.object);
  const isDue = context.now >= (lateShutdownDueMs(context) ?? Infinity);
  if (!deps.sourceWatch.takeMoved(key) && !isDue) return undefined;
  try {
    const { sourcePower } = await gather(['sourcePower'], subject, deps, signal);
    return answerLateShutdown(sourcePower, context);
  } catch (error) {
    deps.sourceWatch.markMoved(key);
    if (isSourceError(error)) return undefined;
    throw error;
  }
}

/** When `lateShutdown` wants to look though nothing wakes the import, milliseconds since 1970. */
export function lateShutdownLook(subject: Subject): number | undefined {
  const { context } = subject;
  const { outcome, phase = '' } = context.status;
  if (outcome !== undefined || context.records.ending !== undefined || isInCutover(phase, subject))
    return undefined;
  const due = lateShutdownDueMs(context);
  // The source could not be read: the import is woken when it can.
  return due === undefined ? undefined : Math.max(due, context.now + soonestMs);
}

const soonestMs = 10_000;

/** There the phases themselves look after the power. */
function isInCutover(phase: string, { context }: Subject): boolean {
  const phases = context.records.itinerary?.phases ?? [];
  return phases.indexOf(phase) > phases.indexOf('PreflightCutover');
}
