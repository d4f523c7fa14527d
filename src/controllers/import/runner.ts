import { bounded } from '../../api/conditions.ts';
import type { PhaseName } from '../../api/phases.ts';
import type { Stored } from '../../api/meta.ts';
import type { ImportError, VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { backoffMs } from '../../kube/backoff.ts';
import { isEqualJson } from '../../kube/merge-patch.ts';
import { ignoredEdit } from '../../migration/cutover-edits.ts';
import { untilPoweredOn } from '../../migration/late-shutdown.ts';
import { earliest } from '../../migration/time.ts';
import { keyOf } from '../../kube/object-key.ts';
import { itineraryFor, phaseByName, stepOf } from '../../migration/itineraries.ts';
import {
  longestRun,
  type Acquire,
  type Act,
  type Action,
  type Advance,
  type Change,
  type Decision,
  type Fail,
  type Phase,
  type Wait,
} from '../../migration/phase.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { act } from './act.ts';
import * as draft from './draft.ts';
import { complete, end, leaveUntouched } from './endings.ts';
import { gather } from './gather.ts';
import { goOn, rest, tell, type Pass, type RunnerDeps } from './runner-deps.ts';
import { lateShutdown, lateShutdownLook } from './late-power.ts';
import { Session } from './session.ts';
import { restartedSource } from './stay-off.ts';
import {
  reached,
  refusalOf,
  refusedForGood,
  reportWait,
  retryRange,
  trouble,
  type Unreachable,
} from './trouble.ts';
import { unwind } from './unwind.ts';

/** A pass, and what it has just done: the next one must not do the very same again. */
type ActedPass = Pass & { readonly actions?: readonly Action[] };

/** Reports of one phase are at least so far apart, milliseconds. */
const reportMs = 2_000;
/** The world has not shown yet what was done a moment ago; its watch will, as a rule sooner than this. */
const echoMs = 1_000;

/** One look a second over all that wait, and the place that is shown is never older than five minutes. */
const queueLook = { msEach: 1_000, longestMs: 300_000 };

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
      if (pass.go === 'rest') {
        return this.#settle(session, earliest(pass.until, lateShutdownLook(session.subject)), signal);
      }
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
      return earliest(until, clock.now() + dueMs);
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
  ): Promise<ActedPass> {
    if (session.status.outcome !== undefined || session.status.records?.ending !== undefined) {
      return unwind(session, this.#deps, log, signal);
    }
    if (stop !== undefined) {
      end(session, 'Canceled', { reason: stop }, this.#deps, log);
      return goOn;
    }
    if (session.status.records?.itinerary === undefined) this.#begin(session, log);
    const phase = phaseByName(session.status.phase ?? '');
    if (phase === undefined) return leaveUntouched(session, this.#deps);

    const late = await lateShutdown(session.subject, phase, this.#deps, signal);
    if (late !== undefined)
      return this.#carryOut(session, { ...phase, refused: untilPoweredOn }, late, lastActions, log, signal);
    const decision =
      (await restartedSource(session.subject, phase, this.#deps, signal)) ??
      ignoredEdit(session.context) ??
      (await this.#decide(session, phase, signal));
    if (decision.kind === 'unreachable') return rest(decision.until);
    return this.#carryOut(session, phase, decision, lastActions, log, signal);
  }

  async #decide(session: Session, phase: Phase, signal: AbortSignal): Promise<Decision | Unreachable> {
    try {
      const facts = await gather(phase.needs, session.subject, this.#deps, signal);
      const access = phase.needs.includes('sourceAccess') ? facts.sourceAccess : undefined;
      reached(session, phase.name, access, this.#deps);
      return phase.decide(facts, session.context);
    } catch (error) {
      return trouble(session, phase, error, this.#deps, signal);
    }
  }

  async #carryOut(
    session: Session,
    phase: Phase,
    decision: Decision,
    lastActions: readonly Action[],
    log: Logger,
    signal: AbortSignal,
  ): Promise<ActedPass> {
    const { clock } = this.#deps;
    session.status = draft.changed(session.status, decision, clock.now());
    tell(session, decision.events, this.#deps);
    switch (decision.kind) {
      case 'advance':
        this.#advance(session, phase, decision, log);
        this.#free(session, decision);
        return goOn;
      case 'wait':
        // What was asked for and is not wanted any more must not be granted to somebody who does not use it.
        this.#deps.slots.keepOnly(session.context.uid, heldSlots(session.status));
        reportWait(session, decision, this.#deps);
        await this.#freeSaved(session, decision, signal);
        return rest(earliest(decision.until, decision.lookAt));
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
      stepOf(itinerary, phase.name) ?? phase.step,
      now,
    );
    log.info('import begins', { phase: phase.name, itinerary: itinerary.id });
  }

  #advance(session: Session, phase: Phase, decision: Advance, log: Logger): void {
    const now = this.#deps.clock.now();
    session.status = draft.recovered(session.status, phase.name);
    if (phase.name === 'Started')
      session.status = { ...session.status, started: session.status.started ?? rfc3339(now) };
    if (phase.name === 'WaitForTargetRunning' && decision.warning === undefined)
      session.status = withDowntime(session.status, now);
    const next = decision.to ?? following(session.status.records?.itinerary?.phases ?? [], phase.name);
    if (next === undefined) {
      complete(session, 'Succeeded', this.#deps, log);
      return;
    }
    const itinerary = session.status.records?.itinerary ?? { id: '' };
    session.status = draft.entered(
      session.status,
      next as PhaseName,
      stepOf(itinerary, next) ?? phase.step,
      now,
      decision.warning,
    );
    // What was said on leaving and is to last (TargetNotRunning) is not wiped by the next phase's silence.
    const lasting = (decision.conditions ?? []).filter((condition) => condition.durable === true);
    if (lasting.length > 0) session.status = draft.reported(session.status, { conditions: lasting }, now);
    log.info('phase entered', { phase: next, from: phase.name });
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
      return goOn;
    }
    const place = `place ${answer.position} of ${answer.length} for ${answer.resource}`;
    log.debug('queued', { place });
    const wait: Wait = {
      kind: 'wait',
      reason: 'Queued',
      for: `${decision.for} (${place})`,
      conditions: [
        ...(decision.conditions ?? []),
        { type: 'Pending', category: 'Advisory', reason: 'Queued', message: `Queued: ${place}.` },
      ],
    };
    reportWait(session, wait, this.#deps);
    // A grant wakes it. Only its place moves on unasked: the longer the queue, the less often that is looked at.
    const look = clock.now() + Math.min(queueLook.longestMs, queueLook.msEach * answer.length);
    return rest(earliest(look, decision.until));
  }

  #fail(session: Session, phase: Phase, decision: Fail, log: Logger): Pass {
    const { settings, clock, random } = this.#deps;
    const tries = (session.status.attempts?.[phase.name]?.count ?? 0) + 1;
    if (decision.class === 'retryable' && tries <= settings.phaseRetries) {
      const until = clock.now() + backoffMs(tries, retryRange, random);
      session.status = draft.attempted(session.status, phase.name, decision.message, until, clock.now());
      const left = `try ${tries} of ${settings.phaseRetries} failed: ${decision.message}`;
      const again: Wait = { kind: 'wait', reason: decision.code, for: `another try (${left})`, until };
      reportWait(session, again, this.#deps);
      return rest(until);
    }
    const error: ImportError = {
      code: decision.code,
      phase: phase.name,
      class: decision.class,
      message: bounded(decision.message, 1024),
      ...(decision.hint !== undefined && { hint: bounded(decision.hint, 512) }),
    };
    const reason = decision.outcomeReason;
    end(
      session,
      decision.outcome ?? 'Failed',
      { error, ...(reason !== undefined && { reason }) },
      this.#deps,
      log,
    );
    return goOn;
  }

  async #act(
    session: Session,
    phase: Phase,
    decision: Act,
    lastActions: readonly Action[],
    log: Logger,
    signal: AbortSignal,
  ): Promise<ActedPass> {
    // The same actions twice in a row: their effect has not come back through the watch yet. Repeating them would change nothing.
    if (decision.actions.length > 0 && isEqualJson(decision.actions, lastActions)) {
      this.#deps.observer?.echoes(keyOf(session.object));
      return rest(this.#deps.clock.now() + echoMs);
    }
    await session.save(decision.actions.map((action) => action.do).join('+'), signal);
    this.#free(session, decision);
    for (const action of decision.actions) {
      try {
        await act(session, action, this.#deps, log, signal);
      } catch (error) {
        return this.#actionFailed(session, phase, action, error, log, signal);
      }
    }
    return { go: 'on', actions: decision.actions };
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
      const found = trouble(session, phase, error, this.#deps, signal);
      return found.kind === 'unreachable' ? rest(found.until) : this.#fail(session, phase, found, log);
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

  /** Slots are given back only when the status that no longer holds them is on the server, or a restart would count them twice. */
  async #freeSaved(session: Session, change: Change, signal: AbortSignal): Promise<void> {
    if (change.free === undefined) return;
    await session.save('free', signal);
    this.#free(session, change);
  }

  #free(session: Session, change: Change): void {
    for (const resource of change.free ?? []) this.#deps.slots.free(session.context.uid, resource);
  }
}

/** Why an import is to stop: the user said so, it or its Migration was deleted, or its Migration is not there. */
export type StopReason = 'UserRequested' | 'Deleted';

function fieldsOf({ metadata, spec }: Stored<VirtualMachineImport>): Record<string, string> {
  return {
    plan: `${metadata.namespace ?? ''}/${spec.run.plan.name}`,
    migration: spec.run.migration.name,
    vm: spec.vm.name,
    import: metadata.name,
  };
}

function heldSlots(status: draft.Status): readonly string[] {
  return (status.slots ?? []).map(({ resource }) => resource);
}

function following(phases: readonly string[], name: string): string | undefined {
  return phases[phases.indexOf(name) + 1];
}

function withDowntime(status: draft.Status, now: number): draft.Status {
  const off = status.records?.power?.offSeenAt;
  if (off === undefined || status.records?.power?.before !== 'On') return status;
  return { ...status, downtimeSeconds: Math.max(0, (now - Date.parse(off)) / 1000) };
}
