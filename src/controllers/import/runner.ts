import type { ConditionDraft } from '../../api/conditions.ts';
import type { Outcome, PhaseName } from '../../api/phases.ts';
import type { Stored } from '../../api/meta.ts';
import type { ImportError, VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { backoffMs } from '../../kube/backoff.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Fence } from '../../kube/lease.ts';
import { isEqualJson } from '../../kube/merge-patch.ts';
import { faultClass, sourceFailure } from '../../migration/faults.ts';
import { itineraryFor, phaseByName } from '../../migration/itineraries.ts';
import {
  longestRun,
  type Acquire,
  type Act,
  type Action,
  type Advance,
  type Change,
  type Decision,
  type EventNote,
  type Fail,
  type Phase,
  type Refusal,
  type Wait,
} from '../../migration/phase.ts';
import type { SlotTable } from '../../migration/slots.ts';
import { SourceError } from '../../model/fault.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import * as draft from './draft.ts';
import { gather, type Subject } from './gather.ts';
import { perform, type PerformDeps } from './perform.ts';
import { Session, type SessionDeps } from './session.ts';
import { restartedSource, type StayOffDeps } from './stay-off.ts';
import { unwind } from './unwind.ts';

export interface RunnerDeps extends SessionDeps, StayOffDeps, PerformDeps {
  readonly slots: SlotTable;
  readonly fence: Fence;
  readonly events: EventRecorder;
  readonly random: () => number;
  readonly log: Logger;
  /** When each import (by UID) last wrote a report, monotonic milliseconds: memory that only spares writes. */
  readonly reportedAt: Map<string, number>;
}

/** What a pass comes to: go on at once, or rest until woken, at the latest at `until` (milliseconds since 1970). */
export type Pass = { readonly go: 'on' } | { readonly go: 'rest'; readonly until?: number };
const on: Pass = { go: 'on' };

/** Reports of one phase are at least so far apart, milliseconds. */
const reportMs = 2_000;
const unreachableRange = { firstMs: 1_000, maxMs: 60_000 };
/** The world has not shown yet what was done a moment ago; its watch will, as a rule sooner than this. */
const echoMs = 1_000;

/**
 * Moves one import as far as it will go. Reads top to bottom as the contract in migration/phase.ts: gather, decide, save, fence, act,
 * again. Everything that judges is a phase; everything here only carries out.
 */
export class ImportRunner {
  readonly #deps: RunnerDeps;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  /** Resolves to when it wants to be called again, milliseconds since 1970, should nothing wake it before. Throws what a save throws. */
  async run(
    object: Stored<VirtualMachineImport>,
    stop: StopReason | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const session = new Session(object, this.#deps);
    const log = this.#deps.log.child(fieldsOf(object));
    let lastActions: readonly Action[] = [];
    for (let passes = 0; passes < longestRun; passes += 1) {
      const pass = await this.#pass(session, stop, lastActions, log, signal);
      if (pass.go === 'rest') return this.#settle(session, pass.until, signal);
      lastActions = pass.actions ?? [];
    }
    await session.save('report', signal);
    return this.#deps.clock.now();
  }

  /**
   * Writes what the import has come to. A report that says nothing but more of the same is held back for a moment, so that a busy minute of
   * a copy is a few writes and not one per event; whoever holds it back comes again in time to write it.
   */
  async #settle(
    session: Session,
    until: number | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { clock, reportedAt } = this.#deps;
    const { uid } = session.context;
    const now = clock.monotonicMs();
    const dueMs = (reportedAt.get(uid) ?? -Infinity) + reportMs - now;
    if (dueMs > 0 && session.isOnlyReport) {
      const due = clock.now() + dueMs;
      return until === undefined ? due : Math.min(until, due);
    }
    if (session.isDirty) reportedAt.set(uid, now);
    await session.save('report', signal);
    return until;
  }

  async #pass(
    session: Session,
    stop: StopReason | undefined,
    lastActions: readonly Action[],
    log: Logger,
    signal: AbortSignal,
  ): Promise<Pass & { readonly actions?: readonly Action[] }> {
    if (session.status.outcome !== undefined || session.status.records?.ending !== undefined) {
      return unwind(session, this.#deps, this, log, signal);
    }
    if (stop !== undefined) {
      this.#end(session, 'Canceled', stop, undefined, log);
      return on;
    }
    if (session.status.records?.itinerary === undefined) this.#begin(session, log);
    const phase = phaseByName(session.status.phase ?? '');
    if (phase === undefined) return this.#unknownPhase(session);

    const subject = subjectOf(session);
    const restarted = await restartedSource(subject.object, subject, phase, this.#deps, signal);
    const decision = restarted ?? (await this.#decide(session, phase, signal));
    if (decision.kind === 'unreachable') return this.#rest(session, decision.until);
    return this.#carryOut(session, phase, decision, lastActions, log, signal);
  }

  async #decide(
    session: Session,
    phase: Phase,
    signal: AbortSignal,
  ): Promise<Decision | { readonly kind: 'unreachable'; readonly until: number }> {
    try {
      const facts = await gather(phase.needs, subjectOf(session), this.#deps, signal);
      this.#reached(session, phase.name);
      return phase.decide(facts, session.context);
    } catch (error) {
      return this.#trouble(session, phase, error, signal);
    }
  }

  async #carryOut(
    session: Session,
    phase: Phase,
    decision: Decision,
    lastActions: readonly Action[],
    log: Logger,
    signal: AbortSignal,
  ): Promise<Pass & { readonly actions?: readonly Action[] }> {
    const { clock } = this.#deps;
    session.status = draft.changed(session.status, decision, clock.now());
    this.#tell(session, decision.events);
    switch (decision.kind) {
      case 'advance':
        this.#advance(session, phase, decision, log);
        this.#free(session, decision);
        return on;
      case 'wait':
        this.#report(session, decision);
        await this.#freeSaved(session, decision, signal);
        return this.#rest(session, decision.until);
      case 'acquire':
        return this.#acquire(session, decision, log);
      case 'fail':
        return this.#fail(session, phase, decision, log);
      case 'act':
        return this.#act(session, phase, decision, lastActions, log, signal);
    }
  }

  // ---- ways of a decision -------------------------------------------------------------------------------------------------------

  #begin(session: Session, log: Logger): void {
    const itinerary = itineraryFor(session.object.spec);
    const [first] = itinerary.phases;
    const phase = first === undefined ? undefined : phaseByName(first);
    if (phase === undefined) throw new RangeError(`itinerary ${itinerary.id} begins with no known phase`);
    const now = this.#deps.clock.now();
    session.status = draft.entered(
      draft.changed(
        session.status,
        { records: { itinerary: { ...itinerary, phases: [...itinerary.phases] } } },
        now,
      ),
      phase.name,
      phase.step,
      now,
    );
    log.info('import begins', { phase: phase.name, itinerary: itinerary.id });
  }

  #advance(session: Session, phase: Phase, decision: Advance, log: Logger): void {
    const now = this.#deps.clock.now();
    session.status = draft.recovered(session.status, phase.name);
    if (phase.name === 'Started')
      session.status = { ...session.status, started: session.status.started ?? rfc3339(now) };
    if (phase.name === 'WaitForTargetRunning') session.status = withDowntime(session.status, now);
    const next = decision.to ?? following(session.status.records?.itinerary?.phases ?? [], phase.name);
    if (next === undefined) {
      this.complete(session, 'Succeeded', log);
      return;
    }
    const nextPhase = phaseByName(next);
    session.status = draft.entered(
      session.status,
      next as PhaseName,
      nextPhase?.step ?? phase.step,
      now,
      decision.warning,
    );
    // What was said on leaving and is to last (TargetNotRunning) is not wiped by the next phase's silence.
    const lasting = (decision.conditions ?? []).filter((condition) => condition.durable === true);
    if (lasting.length > 0) session.status = draft.reported(session.status, { conditions: lasting }, now);
    log.info('phase entered', { phase: next, from: phase.name });
  }

  #report(session: Session, wait: Wait): void {
    const { phaseSince } = session.context;
    const until = wait.until === undefined ? '' : `, until ${rfc3339(wait.until)}`;
    session.status = draft.reported(
      session.status,
      {
        message: `Waiting for ${wait.for} since ${rfc3339(phaseSince)}${until}.`,
        waitingFor: wait.reason,
        conditions: [...(wait.conditions ?? []), ...pausedCondition(session)],
      },
      this.#deps.clock.now(),
    );
  }

  #acquire(session: Session, decision: Acquire, log: Logger): Pass {
    const { slots, clock } = this.#deps;
    const { uid, spec } = session.context;
    const answer = slots.request(uid, decision.slots, decision.priority, {
      run: spec.run.migration.uid,
      order: spec.run.order,
    });
    if (answer.granted) {
      // Saved with whatever is saved next: every effect has its save before it, and until then the slots have no use.
      session.status = draft.withSlots(session.status, decision.slots, clock.now());
      return on;
    }
    const place = `place ${answer.position} of ${answer.length} for ${answer.resource}`;
    log.debug('queued', { place });
    this.#report(session, {
      kind: 'wait',
      reason: 'Queued',
      for: `${decision.for} (${place})`,
      conditions: [
        ...(decision.conditions ?? []),
        { type: 'Pending', category: 'Advisory', reason: 'Queued', message: `Queued: ${place}.` },
      ],
    });
    return this.#rest(session);
  }

  #fail(session: Session, phase: Phase, decision: Fail, log: Logger): Pass {
    const { settings, clock, random } = this.#deps;
    const tries = (session.status.attempts?.[phase.name]?.count ?? 0) + 1;
    if (decision.class === 'retryable' && tries <= settings.phaseRetries) {
      const until = clock.now() + backoffMs(tries, unreachableRange, random);
      session.status = draft.attempted(session.status, phase.name, decision.message, until, clock.now());
      const left = `try ${tries} of ${settings.phaseRetries} failed: ${decision.message}`;
      this.#report(session, { kind: 'wait', reason: decision.code, for: `another try (${left})`, until });
      return this.#rest(session, until);
    }
    const error: ImportError = {
      code: decision.code,
      phase: phase.name,
      class: decision.class,
      message: draft.clip(decision.message, 1024),
      ...(decision.hint !== undefined && { hint: draft.clip(decision.hint, 512) }),
    };
    this.#end(session, decision.outcome ?? 'Failed', decision.outcomeReason, error, log);
    return on;
  }

  async #act(
    session: Session,
    phase: Phase,
    decision: Act,
    lastActions: readonly Action[],
    log: Logger,
    signal: AbortSignal,
  ): Promise<Pass & { readonly actions?: readonly Action[] }> {
    // The same actions twice in a row: their effect has not come back through the watch yet. Repeating them would change nothing.
    if (decision.actions.length > 0 && isEqualJson(decision.actions, lastActions)) {
      return this.#rest(session, this.#deps.clock.now() + echoMs);
    }
    await session.save(decision.actions.map((action) => action.do).join('+'), signal);
    this.#free(session, decision);
    for (const action of decision.actions) {
      try {
        await this.act(session, action, log, signal);
      } catch (error) {
        return this.#actionFailed(session, phase, action, error, log, signal);
      }
    }
    return { go: 'on', actions: decision.actions };
  }

  /** One action, behind the fence, between its two boundaries. */
  async act(session: Session, action: Action, log: Logger, signal: AbortSignal): Promise<void> {
    const { atBoundary, fence } = this.#deps;
    const subject = subjectOf(session);
    const name = `${subject.object.spec.vm.name} ${session.status.phase ?? ''} ${action.do}`;
    await atBoundary({ when: 'before', what: 'act', name });
    fence.check();
    log.info('act', { phase: session.status.phase ?? '', action: action.do });
    await perform(action, subject, this.#deps, signal);
    await atBoundary({ when: 'after', what: 'act', name });
  }

  async #actionFailed(
    session: Session,
    phase: Phase,
    action: Action,
    error: unknown,
    log: Logger,
    signal: AbortSignal,
  ): Promise<Pass> {
    const refusal = refusalOf(action, error);
    if (refusal === undefined) {
      const trouble = this.#trouble(session, phase, error, signal);
      return trouble.kind === 'unreachable'
        ? this.#rest(session, trouble.until)
        : this.#fail(session, phase, trouble, log);
    }
    log.warn('action refused', {
      phase: phase.name,
      action: action.do,
      code: refusal.code,
      text: refusal.text,
    });
    const decision = phase.refused?.(refusal, session.context) ?? refusedForGood(refusal);
    // A phase answers a refusal by waiting, failing or going on; to act at once again would be the same refusal in a hot loop.
    if (decision.kind === 'act') throw new RangeError(`phase ${phase.name} answers a refusal with an action`);
    return this.#carryOut(session, phase, decision, [], log, signal);
  }

  /** A read or an action that got no verdict: the way to the source or to the cluster is in trouble. */
  #trouble(
    session: Session,
    phase: Phase,
    error: unknown,
    signal: AbortSignal,
  ): { readonly kind: 'unreachable'; readonly until: number } | Fail {
    signal.throwIfAborted();
    if (error instanceof SourceError && faultClass(error.fault) !== 'wait') {
      return sourceFailure(error.fault);
    }
    const isSource = error instanceof SourceError;
    if (!isSource && !isKubeError(error)) throw error;
    const { clock, random } = this.#deps;
    const tries = (session.status.attempts?.[phase.name]?.count ?? 0) + 1;
    const until = clock.now() + backoffMs(tries, unreachableRange, random);
    session.status = draft.attempted(session.status, phase.name, error.message, until, clock.now());
    const where = isSource ? 'the source' : 'the target cluster';
    const condition: ConditionDraft = {
      type: isSource ? 'SourceUnavailable' : 'TargetUnavailable',
      category: 'Warn',
      reason: error.code,
      message: error.message,
    };
    this.#report(session, {
      kind: 'wait',
      reason: condition.type,
      for: `${where} (${error.message})`,
      conditions: [condition],
    });
    return { kind: 'unreachable', until };
  }

  /** What a phase needed could be read again: its clock goes on, moved by the time that it stood still. */
  #reached(session: Session, phase: PhaseName): void {
    const outage = session.status.conditions?.find((condition) => condition.type === 'SourceUnavailable');
    if (session.status.attempts?.[phase] === undefined) return;
    if (outage === undefined && session.status.attempts[phase].count === 0) return;
    const stoppedMs =
      outage === undefined ? 0 : this.#deps.clock.now() - Date.parse(outage.lastTransitionTime);
    const { conditions } = session.status;
    if (
      outage !== undefined ||
      conditions?.some((condition) => condition.type === 'TargetUnavailable') === true
    ) {
      session.status = draft.recovered(session.status, phase, Math.max(0, stoppedMs));
      session.status = draft.reported(session.status, { conditions: [] }, this.#deps.clock.now());
    }
  }

  // ---- ends ---------------------------------------------------------------------------------------------------------------------

  #end(
    session: Session,
    outcome: Exclude<Outcome, 'Succeeded'>,
    reason: string | undefined,
    error: ImportError | undefined,
    log: Logger,
  ): void {
    session.status = draft.ending(session.status, outcome, reason, error, this.#deps.clock.now());
    const why =
      error === undefined ? { reason } : { code: error.code, message: error.message, hint: error.hint };
    log.warn('import ends early', { phase: session.status.phase ?? '', outcome, ...why });
  }

  /** Writes the outcome into the draft and tells it, once. */
  complete(session: Session, outcome: Outcome, log: Logger): void {
    const now = this.#deps.clock.now();
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
    this.#tell(session, [{ type: outcome === 'Failed' ? 'Warning' : 'Normal', reason: outcome, message }]);
    log.info('import ended', { phase: session.status.phase ?? '', outcome });
  }

  #unknownPhase(session: Session): Pass {
    const name = session.status.phase ?? '';
    const message = `Phase ${name} belongs to a newer version of Gantry; this one leaves the import untouched.`;
    session.status = draft.reported(
      session.status,
      {
        message,
        waitingFor: 'NewerVersionNeeded',
        conditions: [{ type: 'NewerVersionNeeded', category: 'Critical', message }],
      },
      this.#deps.clock.now(),
    );
    return this.#rest(session);
  }

  // ---- small ones ---------------------------------------------------------------------------------------------------------------

  #rest(_session: Session, until?: number): Pass {
    return until === undefined ? { go: 'rest' } : { go: 'rest', until };
  }

  /** Slots are given back only when the status that no longer holds them is on the server, or a restart would count them twice. */
  async #freeSaved(session: Session, change: Change, signal: AbortSignal): Promise<void> {
    if (change.free === undefined) return;
    await session.save('free', signal);
    this.#free(session, change);
  }

  #free(session: Session, change: Change): void {
    for (const resource of change.free ?? []) this.#deps.slots.free(session.context.uid, resource);
  }

  #tell(session: Session, events: readonly EventNote[] | undefined): void {
    for (const event of events ?? []) this.#deps.events.record(session.object, event);
  }
}

/** Why an import is to stop: the user said so, it or its Migration was deleted, or its Migration is not there. */
export type StopReason = 'UserRequested' | 'Deleted';

export function subjectOf(session: Session): Subject {
  return { object: session.object, context: session.context };
}

function fieldsOf({ metadata, spec }: Stored<VirtualMachineImport>): Record<string, string> {
  return {
    plan: `${metadata.namespace ?? ''}/${spec.run.plan.name}`,
    migration: spec.run.migration.name,
    vm: spec.vm.name,
    import: metadata.name,
  };
}

function following(phases: readonly string[], name: string): string | undefined {
  return phases[phases.indexOf(name) + 1];
}

/** Codes of an API server that has looked at what was asked and said no. A conflict is none: the world moved, gather again. */
function refusalOf(action: Action, error: unknown): Refusal | undefined {
  if (isKubeError(error, 'BadRequest', 'Forbidden', 'Invalid', 'AlreadyExists', 'NotFound')) {
    return { action, code: error.code, text: error.message };
  }
  if (error instanceof SourceError && faultClass(error.fault) === 'terminal') {
    return { action, code: error.code, text: error.message };
  }
  return undefined;
}

function refusedForGood(refusal: Refusal): Fail {
  return {
    kind: 'fail',
    class: 'terminal',
    code: refusal.code,
    message: `${refusal.action.do}: ${refusal.text}`,
    hint: 'Correct what it objects to and start the plan again.',
  };
}

function pausedCondition(session: Session): readonly ConditionDraft[] {
  if (session.object.spec.control?.paused !== true) return [];
  return [{ type: 'Paused', category: 'Advisory', message: 'Paused: what runs ends, nothing new starts.' }];
}

function withDowntime(status: draft.Status, now: number): draft.Status {
  const off = status.records?.power?.offSeenAt;
  if (off === undefined || status.records?.power?.before !== 'On') return status;
  return { ...status, downtimeSeconds: Math.max(0, (now - Date.parse(off)) / 1000) };
}

function outcomeMessage(session: Session, outcome: Outcome): string {
  const { error, records } = session.status;
  switch (outcome) {
    case 'Succeeded':
      return `The VM runs on as ${session.object.spec.target.namespace}/${records?.targetName ?? ''}.`;
    case 'Failed':
      return error === undefined
        ? 'Failed.'
        : `${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`;
    case 'Canceled':
      return `Canceled (${records?.ending?.reason ?? 'UserRequested'}); what was made has been taken back.`;
  }
}
