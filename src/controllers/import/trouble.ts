import type { ConditionDraft } from '../../api/conditions.ts';
import type { PhaseName } from '../../api/phases.ts';
import { backoffMs } from '../../kube/backoff.ts';
import { isKubeError } from '../../kube/errors.ts';
import { blockedCondition, delayedCondition } from '../../migration/cutover.ts';
import type { SourceAccess } from '../../migration/facts.ts';
import { faultClass, sourceFailure } from '../../migration/faults.ts';
import type { Action, Fail, Phase, Refusal, Wait } from '../../migration/phase.ts';
import { SourceError } from '../../model/fault.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import * as draft from './draft.ts';
import type { RunnerDeps } from './runner-deps.ts';
import type { Session } from './session.ts';

/** Waits between tries where the source or the cluster cannot be reached, and between the tries of a retryable failure. */
export const retryRange = { firstMs: 1_000, maxMs: 60_000 };

export type Unreachable = { readonly kind: 'unreachable'; readonly until: number };

/** Says in the import what it waits for, since when and, where there is a deadline, until when. */
export function reportWait(session: Session, wait: Wait, deps: RunnerDeps): void {
  const { phaseSince } = session.context;
  const until = wait.until === undefined ? '' : `, until ${rfc3339(wait.until)}`;
  session.status = draft.reported(
    session.status,
    {
      message: `Waiting for ${wait.for} since ${rfc3339(phaseSince)}${until}.`,
      waitingFor: wait.reason,
      conditions: [...(wait.conditions ?? []), ...pausedCondition(session), ...leftCutover(session)],
    },
    deps.clock.now(),
  );
}

/**
 * A read or an action that got no verdict: the way to the source or to the cluster is in trouble, and the import waits, however long it
 * takes. Throws what is neither.
 */
export function trouble(
  session: Session,
  phase: Phase,
  error: unknown,
  deps: RunnerDeps,
  signal: AbortSignal,
): Unreachable | Fail {
  signal.throwIfAborted();
  const isSource = error instanceof SourceError;
  if (isSource && faultClass(error.fault) !== 'wait') return sourceFailure(error.fault);
  if (!isSource && !isKubeError(error)) throw error;
  const tries = (session.status.attempts?.[phase.name]?.count ?? 0) + 1;
  const until = deps.clock.now() + backoffMs(tries, retryRange, deps.random);
  session.status = draft.attempted(session.status, phase.name, error.message, until, deps.clock.now());
  const type = isSource ? 'SourceUnavailable' : 'TargetUnavailable';
  const where = isSource ? 'the source' : 'the target cluster';
  const condition: ConditionDraft = { type, category: 'Warn', reason: error.code, message: error.message };
  const wait: Wait = {
    kind: 'wait',
    reason: type,
    for: `${where} (${error.message})`,
    conditions: [condition],
  };
  reportWait(session, wait, deps);
  return { kind: 'unreachable', until };
}

/**
 * What a phase needed could be read again: its clock goes on, moved by the time that it stood still. A phase that only asks whether the
 * source can be reached has its answer in `access`.
 */
export function reached(
  session: Session,
  phase: PhaseName,
  access: SourceAccess | undefined,
  deps: RunnerDeps,
): void {
  const { conditions = [], attempts } = session.status;
  const outage = conditions.find((condition) => condition.type === 'SourceUnavailable');
  const isBack = outage !== undefined && access?.state === 'open';
  if (access?.state === 'shut' || (attempts?.[phase] === undefined && !isBack)) return;
  if (outage === undefined && !conditions.some((condition) => condition.type === 'TargetUnavailable')) return;
  const now = deps.clock.now();
  const stoppedMs = outage === undefined ? 0 : Math.max(0, now - Date.parse(outage.lastTransitionTime));
  session.status = draft.reported(draft.recovered(session.status, phase, stoppedMs), { conditions: [] }, now);
}

/**
 * The refusal in an error, if it is one: the server or the source has looked at what was asked and said no. A conflict is none: the world
 * moved, gather again.
 */
export function refusalOf(action: Action, error: unknown): Refusal | undefined {
  if (isKubeError(error, 'BadRequest', 'Forbidden', 'Invalid', 'AlreadyExists', 'NotFound')) {
    return { action, code: error.code, text: error.message };
  }
  if (error instanceof SourceError && faultClass(error.fault) === 'terminal') {
    return { action, code: error.code, text: error.message };
  }
  return undefined;
}

export function refusedForGood(refusal: Refusal): Fail {
  return {
    kind: 'fail',
    class: 'terminal',
    code: refusal.code,
    message: `${refusal.action.do}: ${refusal.text}`,
    hint: 'Correct what it objects to and start the plan again.',
  };
}

/** Why no cutover is under way: one was given up, or waits for a round. */
function leftCutover({ context }: Session): readonly ConditionDraft[] {
  if (context.records.committedAt !== undefined) return [];
  return [...blockedCondition(context), ...delayedCondition(context)];
}

function pausedCondition(session: Session): readonly ConditionDraft[] {
  if (session.object.spec.control?.paused !== true) return [];
  return [{ type: 'Paused', category: 'Advisory', message: 'Paused: what runs ends, nothing new starts.' }];
}
