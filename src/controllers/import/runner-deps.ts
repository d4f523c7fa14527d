import type { EventRecorder } from '../../kube/events.ts';
import type { Fence } from '../../kube/lease.ts';
import type { EventNote } from '../../migration/phase.ts';
import type { SlotTable } from '../../migration/slots.ts';
import type { Logger } from '../../runtime/log.ts';
import type { PerformDeps } from './perform.ts';
import type { RunObserver } from './run-observer.ts';
import type { Session, SessionDeps } from './session.ts';
import type { StayOffDeps } from './stay-off.ts';

/** What the runner and its parts work with. */
export interface RunnerDeps extends SessionDeps, StayOffDeps, PerformDeps {
  readonly slots: SlotTable;
  /** Asked before actions at the source; the client asks by itself before it writes. */
  readonly fence: Fence;
  readonly events: EventRecorder;
  readonly random: () => number;
  readonly log: Logger;
  /** When each import (by UID) last wrote a report, monotonic milliseconds: memory that only spares writes. */
  readonly reportedAt: Map<string, number>;
  readonly observer?: RunObserver;
}

/** What a pass comes to: go on at once, or rest until woken, at the latest at `until` (milliseconds since 1970). */
export type Pass = { readonly go: 'on' } | { readonly go: 'rest'; readonly until?: number };

export const goOn: Pass = { go: 'on' };

export function rest(until?: number): Pass {
  return until === undefined ? { go: 'rest' } : { go: 'rest', until };
}

export function tell(session: Session, events: readonly EventNote[] | undefined, deps: RunnerDeps): void {
  for (const event of events ?? []) deps.events.record(session.object, event);
}
