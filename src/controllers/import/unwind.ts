import type { ConditionDraft } from '../../api/conditions.ts';
import { backoffMs } from '../../kube/backoff.ts';
import { isKubeError } from '../../kube/errors.ts';
import { isEqualJson } from '../../kube/merge-patch.ts';
import { owedSnapshotEntries, sourcePowerKey } from '../../migration/ledger.ts';
import type { Action, UnwindDecision, UnwindStep } from '../../migration/phase.ts';
import { earliest } from '../../migration/time.ts';
import { unwindSteps } from '../../migration/unwind.ts';
import { removeSnapshots } from '../../migration/unwind/remove-snapshots.ts';
import { restorePower } from '../../migration/unwind/restore-power.ts';
import { isSourceError } from '../../model/fault.ts';
import type { Logger } from '../../runtime/log.ts';
import * as draft from './draft.ts';
import { gather } from './gather.ts';
import { isAbandoned } from './abandon.ts';
import { act } from './act.ts';
import { complete } from './endings.ts';
import { rest, tell, type Pass, type RunnerDeps } from './runner-deps.ts';
import type { Session } from './session.ts';

const retryRange = { firstMs: 1_000, maxMs: 300_000 };
/** These need a source; where there is none any more, they end only by being given up. */
const atSource: ReadonlySet<string> = new Set([restorePower.name, removeSnapshots.name]);
/** Rounds through one step before the others get their turn. */
const longestStep = 5;

/**
 * Takes back what an import did: every step of the ordered list that applies, in one pass. A step that must wait holds up the later ones
 * only if it blocks. The outcome is told as soon as everything was tried once; the rest goes on in the background for as long as it
 * takes, whatever happens to the Migration meanwhile (design: import.md 2.5).
 */
export async function unwind(
  session: Session,
  deps: RunnerDeps,
  log: Logger,
  signal: AbortSignal,
): Promise<Pass> {
  const waits: string[] = [];
  let until: number | undefined;
  const conditions: ConditionDraft[] = [];
  for (const step of unwindSteps) {
    if (!step.applies(session.context)) continue;
    const result = await unwindOne(step, session, deps, log, signal);
    if (result.done) continue;
    waits.push(result.for);
    conditions.push(...(result.conditions ?? []));
    until = earliest(until, result.lookAt);
    if (step.blocks) break;
  }
  const ending = session.status.records?.ending;
  if (ending !== undefined && session.status.outcome === undefined) {
    complete(session, ending.outcome, deps, log);
  }
  await freeSlots(session, deps, signal);
  reportLeftovers(session, waits, conditions, deps);
  return rest(until);
}

/** What an ended import does not keep, as soon as the server has that. */
async function freeSlots(session: Session, deps: RunnerDeps, signal: AbortSignal): Promise<void> {
  const { uid } = session.context;
  const kept = new Set((session.status.slots ?? []).map((slot) => slot.resource));
  const surplus = [...deps.slots.view(uid).held].filter((resource) => !kept.has(resource));
  if (surplus.length === 0) return;
  await session.save('outcome', signal);
  for (const resource of surplus) deps.slots.free(uid, resource);
}

type StepResult =
  | { readonly done: true }
  | {
      readonly done: false;
      readonly for: string;
      readonly lookAt?: number;
      readonly conditions?: readonly ConditionDraft[];
    };

async function unwindOne(
  step: UnwindStep,
  session: Session,
  deps: RunnerDeps,
  log: Logger,
  signal: AbortSignal,
): Promise<StepResult> {
  const attemptKey = `Unwind/${step.name}`;
  const nextAt = session.status.attempts?.[attemptKey]?.nextAt;
  if (nextAt !== undefined && Date.parse(nextAt) > deps.clock.now()) {
    const conditions = step.untold?.(session.context) ?? [];
    return { done: false, for: lastErrorOf(session, attemptKey), conditions, lookAt: Date.parse(nextAt) };
  }
  let lastActions: readonly Action[] = [];
  let conditions: readonly ConditionDraft[] = [];
  try {
    for (let rounds = 0; rounds < longestStep; rounds += 1) {
      const facts = await gather(step.needs, session.subject, deps, signal);
      const decision: UnwindDecision = step.decide(facts, session.context);
      session.status = draft.changed(session.status, decision, deps.clock.now());
      tell(session, decision.events, deps);
      if (decision.kind === 'done') {
        session.status = draft.recovered(session.status, attemptKey);
        await session.save(`unwind ${step.name}`, signal);
        return { done: true };
      }
      if (decision.kind === 'wait') {
        return {
          done: false,
          for: decision.for,
          conditions: decision.conditions ?? [],
          ...(decision.lookAt !== undefined && { lookAt: decision.lookAt }),
        };
      }
      if (isEqualJson(decision.actions, lastActions)) break;
      conditions = decision.conditions ?? [];
      await session.save(`unwind ${step.name}`, signal);
      for (const action of decision.actions) await act(session, action, deps, log, signal);
      lastActions = decision.actions;
    }
    const lookAt = deps.clock.now() + retryRange.firstMs;
    return { done: false, for: `${step.name} to take effect`, conditions, lookAt };
  } catch (error) {
    signal.throwIfAborted();
    if (!isKubeError(error) && !isSourceError(error)) throw error;
    if (atSource.has(step.name) && isAbandoned(session.object, error, deps.clock.now())) {
      await abandon(step, session, error.message, deps, log, signal);
      return { done: true };
    }
    const tries = (session.status.attempts?.[attemptKey]?.count ?? 0) + 1;
    const lookAt = deps.clock.now() + backoffMs(tries, retryRange, deps.random);
    session.status = draft.attempted(session.status, attemptKey, error.message, lookAt, deps.clock.now());
    log.warn('clean-up failed, will be tried again', {
      step: step.name,
      code: error.code,
      error: error.message,
    });
    const told = conditions.length > 0 ? conditions : (step.untold?.(session.context) ?? []);
    return { done: false, for: error.message, conditions: told, lookAt };
  }
}

async function abandon(
  step: UnwindStep,
  session: Session,
  why: string,
  deps: RunnerDeps,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { name } = session.object.spec.vm;
  const snapshots = owedSnapshotEntries(session.context);
  const isPower = step.name === restorePower.name;
  const keys = isPower ? [sourcePowerKey] : snapshots.map(({ key }) => key);
  const message = isPower
    ? `The power of VM ${name} is not looked after any more, it may have been left off: ${why}`
    : `Nobody takes these snapshots off VM ${name} any more, remove them by hand: ${snapshots.map(({ marker }) => marker).join(', ')}: ${why}`;
  session.status = draft.changed(
    session.status,
    { ledger: keys.map((key) => ({ op: 'strike', key })) },
    deps.clock.now(),
  );
  const reason = isPower ? 'SourcePowerLetGo' : 'SnapshotsLetGo';
  tell(session, [{ type: 'Warning', reason, message }], deps);
  log.error('source abandoned', { error: message });
  await session.save('abandon', signal);
}

function lastErrorOf(session: Session, key: string): string {
  return session.status.attempts?.[key]?.lastError ?? 'another try';
}

/** What is still owed, in words, on the import itself: debris that nobody knows of is debris that nobody cleans up. */
function reportLeftovers(
  session: Session,
  waits: readonly string[],
  said: readonly ConditionDraft[],
  deps: RunnerDeps,
): void {
  const owed = session.context.ledger.filter((entry) => entry.doneAt === undefined);
  const what = waits.length === 0 ? '' : ` Waiting for ${waits.join('; ')}.`;
  const pending: ConditionDraft = {
    type: 'CleanupPending',
    category: 'Warn',
    message: `Still to be cleaned up: ${owed.map((entry) => `${entry.kind} ${entry.marker}`).join(', ')}.${what}`,
  };
  session.status = draft.reported(
    session.status,
    {
      ...(session.status.message !== undefined && { message: session.status.message }),
      ...(owed.length > 0 && { waitingFor: 'CleanupPending' }),
      conditions: owed.length > 0 ? [pending, ...said] : [],
    },
    deps.clock.now(),
  );
}
