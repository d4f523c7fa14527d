import { isTrue, type ConditionDraft } from '../../api/conditions.ts';
import type { Outcome } from '../../api/phases.ts';
import type { ImportError } from '../../api/virtual-machine-import.ts';
import { targetIsToRun } from '../../migration/power.ts';
import type { Logger } from '../../runtime/log.ts';
import * as draft from './draft.ts';
import { rest, tell, type Pass, type RunnerDeps } from './runner-deps.ts';
import type { Session } from './session.ts';

/** Decides the end of an import that does not succeed; the unwind begins with the next pass. */
export function end(
  session: Session,
  outcome: Exclude<Outcome, 'Succeeded'>,
  why: { readonly reason?: string; readonly error?: ImportError },
  deps: RunnerDeps,
  log: Logger,
): void {
  const { reason, error } = why;
  session.status = draft.ending(session.status, outcome, reason, error, deps.clock.now());
  const fields =
    error === undefined ? { reason } : { code: error.code, message: error.message, hint: error.hint };
  log.warn('import ends early', { phase: session.status.phase ?? '', outcome, ...fields });
}

/** Writes the outcome into the draft and tells it, once. */
export function complete(session: Session, outcome: Outcome, deps: RunnerDeps, log: Logger): void {
  const now = deps.clock.now();
  session.status = draft.completed(session.status, outcome, now);
  const message = outcomeMessage(session, outcome);
  // The stable code, so that who reads conditions only (Plan, Migration, kubectl wait) need not read prose.
  const reason = session.status.error?.code ?? session.status.records?.ending?.reason;
  const condition: ConditionDraft = {
    type: outcome,
    category: 'Advisory',
    durable: true,
    ...(outcome !== 'Succeeded' && reason !== undefined && { reason }),
    message,
  };
  session.status = draft.reported(session.status, { message, conditions: [condition] }, now);
  tell(session, [{ type: outcome === 'Failed' ? 'Warning' : 'Normal', reason: outcome, message }], deps);
  log.info('import ended', { phase: session.status.phase ?? '', outcome });
}

/** A newer version began this import and an older one, back in charge, does not know its phase (review.md F63). */
export function leaveUntouched(session: Session, deps: RunnerDeps): Pass {
  const name = session.status.phase ?? '';
  const message = `Phase ${name} belongs to a newer version of Gantry; this one leaves the import untouched.`;
  session.status = draft.reported(
    session.status,
    {
      message,
      waitingFor: 'NewerVersionNeeded',
      conditions: [{ type: 'NewerVersionNeeded', category: 'Critical', message }],
    },
    deps.clock.now(),
  );
  return rest();
}

function outcomeMessage(session: Session, outcome: Outcome): string {
  const { error, records } = session.status;
  switch (outcome) {
    case 'Succeeded':
      return `The VM ${standing(session)} as ${session.object.spec.target.namespace}/${records?.targetName ?? ''}.`;
    case 'Failed':
      return error === undefined
        ? 'Failed.'
        : `${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`;
    case 'Canceled':
      return `Canceled (${records?.ending?.reason ?? 'UserRequested'}); what was made has been taken back.`;
  }
}

function standing(session: Session): string {
  const { context } = session;
  if (!targetIsToRun(context)) return 'stands, powered off,';
  return isTrue(session.status.conditions, 'TargetNotRunning')
    ? 'was started, and did not run yet,'
    : 'runs on';
}
