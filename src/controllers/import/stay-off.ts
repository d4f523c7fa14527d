import { keyOf } from '../../kube/object-key.ts';
import type { Fail, Phase } from '../../migration/phase.ts';
import { mustStayOff, sourceRestarted } from '../../migration/power.ts';
import { isSourceError } from '../../model/fault.ts';
import { gather, type GatherDeps } from './gather.ts';
import type { Subject } from './subject.ts';
import type { SourceWatch } from './source-watch.ts';

export interface StayOffDeps extends GatherDeps {
  readonly sourceWatch: Pick<SourceWatch, 'takeMoved' | 'markMoved'>;
}

/**
 * A source that somebody powers on while it is moved ends the move, in whatever phase it is: looked at when something has happened there,
 * and not only at the commit point, because it may be off again by then. Costs a read an event and none in a quiet copy.
 */
export async function restartedSource(
  subject: Subject,
  phase: Phase,
  deps: StayOffDeps,
  signal: AbortSignal,
): Promise<Fail | undefined> {
  const reads = phase.needs.includes('sourcePower');
  if (reads || !mustStayOff(subject.context)) return undefined;
  const key = keyOf(subject.object);
  if (!deps.sourceWatch.takeMoved(key)) return undefined;
  try {
    const { sourcePower } = await gather(['sourcePower'], subject, deps, signal);
    return sourceRestarted(sourcePower, subject.context);
  } catch (error) {
    deps.sourceWatch.markMoved(key);
    // Out of reach or gone: copies may go on, and the commit point asks again.
    if (isSourceError(error)) return undefined;
    throw error;
  }
}
