import { isDeepStrictEqual } from 'node:util';
import type { Records, VirtualMachineImportStatus } from '../../src/api/virtual-machine-import.ts';
import { itineraryFor, phaseByName } from '../../src/migration/itineraries.ts';
import { applyLedger, owedSnapshotEntries } from '../../src/migration/ledger.ts';
import type { FactName, Facts } from '../../src/migration/facts.ts';
import {
  longestRun,
  type Action,
  type Change,
  type Context,
  type Decision,
  type Fail,
  type Phase,
  type UnwindDecision,
} from '../../src/migration/phase.ts';
import { defaultSettings, type EngineSettings } from '../../src/migration/settings.ts';
import { ignoredEdit } from '../../src/migration/cutover-edits.ts';
import { answerLateShutdown, untilPoweredOn } from '../../src/migration/late-shutdown.ts';
import { mustStayOff, sourceRestarted } from '../../src/migration/power.ts';
import { roundMarker, roundUnderWay } from '../../src/migration/rounds.ts';
import { SlotTable } from '../../src/migration/slots.ts';
import { rfc3339 } from '../../src/migration/time.ts';
import { unwindSteps } from '../../src/migration/unwind.ts';
import { Refused, type Meddling, type ModelWorld } from './model-world.ts';

function without(records: Records, names: readonly string[]): Records {
  return Object.fromEntries(Object.entries(records).filter(([name]) => !names.includes(name)));
}

/** The process dies here. */
class Crash extends Error {}

export interface Accident {
  /** At this boundary, counted from 0, ... */
  readonly at: number;
  /**
   * ... the process dies, or the user cancels, or (before an action) the action is refused for good, or (where a disk is done) CDI starts an
   * importer over it once more, which ends well or badly, or somebody deletes what is ours or powers the source on.
   */
  readonly what: 'crash' | 'cancel' | 'refuse' | 'againWell' | 'againBadly' | Meddling;
}

/** From here on a decision to commit may have been taken: who meddles now does it to a running target. */
const committing = ['StartVM', 'WaitForTargetRunning', 'Completed'];

/** What was done while what was true; the laws are tested on it. */
export interface Deed {
  readonly action: Action;
  readonly committed: boolean;
  /** The obligation to restore the power was on the server. */
  readonly powerOwed: boolean;
  /** Markers of snapshots whose entries were on the server. */
  readonly snapshotsOwed: readonly string[];
}

type Status = VirtualMachineImportStatus;
const uid = 'import-uid';
const mostTicks = 2_000;

/**
 * The contract of phase.ts carried out in a toy world: gather, decide, save, act, again; everything not saved is lost in a crash. Each
 * decision is taken twice from the same facts and must come out the same.
 */
export class ModelRunner {
  readonly world: ModelWorld;
  readonly deeds: Deed[] = [];
  readonly seen: string[] = [];
  readonly failures: Fail[] = [];
  readonly settings: EngineSettings;
  boundaries = 0;
  /** What users do while time passes. */
  onTick: ((runner: ModelRunner) => void) | undefined;
  #saved: Status = {};
  #draft: Status = {};
  #slots = new SlotTable(() => undefined);
  #accidents: readonly Accident[];
  #cancelled = false;

  constructor(
    world: ModelWorld,
    accidents: readonly Accident[] = [],
    settings: Partial<EngineSettings> = {},
  ) {
    this.world = world;
    this.#accidents = accidents;
    this.settings = { ...defaultSettings, ...settings };
  }

  get status(): Status {
    return this.#saved;
  }

  /** As a user would. */
  cancel(): void {
    this.#cancelled = true;
  }

  /** Until nothing is owed any more and the end is known. Throws when it takes too long. */
  run(): Status {
    for (let ticks = 0; ticks < mostTicks; ticks += 1) {
      try {
        this.#passes();
        this.#save();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        this.#restart();
        continue;
      }
      if (this.#isClean()) {
        this.world.collect();
        return this.#saved;
      }
      this.world.tick(5);
      this.#importAgain();
      this.onTick?.(this);
    }
    throw new Error(`no end: ${this.#saved.phase ?? ''} ${JSON.stringify(this.#saved.ledger)}`);
  }

  /** Decisions in a row without a wait: an itinerary that turns in circles is found, not suffered. */
  #passes(): void {
    for (let passes = 0; passes < longestRun; passes += 1) if (!this.#pass()) return;
    throw new Error(`${this.#draft.phase ?? ''} turns in circles`);
  }

  #isClean(): boolean {
    const { outcome, records, ledger } = this.#saved;
    return (outcome !== undefined || records?.ending !== undefined) && (ledger ?? []).length === 0;
  }

  #restart(): void {
    this.#draft = this.#saved;
    this.#slots = new SlotTable(() => undefined);
    this.#slots.rebuild([{ holder: uid, slots: this.#saved.slots ?? [] }]);
  }

  /** True: go on at once. */
  #pass(): boolean {
    if (this.#draft.outcome !== undefined || this.#draft.records?.ending !== undefined) return this.#unwind();
    if (this.#cancelled) {
      this.#end('Canceled');
      return true;
    }
    if (this.#draft.records?.itinerary === undefined) {
      const itinerary = itineraryFor(this.world.spec);
      const first = itinerary.phases[0]!;
      this.#draft = { ...this.#draft, records: { itinerary } };
      this.#enter(first);
    }
    const phase = phaseByName(this.#draft.phase!)!;
    const late = this.#lateShutdown(phase);
    if (late !== undefined) return this.#carryOut({ ...phase, refused: untilPoweredOn }, late);
    const intervention = this.#restarted(phase) ?? ignoredEdit(this.context());
    if (intervention !== undefined) return this.#carryOut(phase, intervention);
    const facts = this.#gather(phase.needs);
    return this.#carryOut(
      phase,
      twice(() => phase.decide(facts, this.context())),
    );
  }

  /** As the edge does for a cutover that was given up. */
  #lateShutdown(phase: Phase): Decision | undefined {
    const phases = this.#draft.records?.itinerary?.phases ?? [];
    if (phases.indexOf(phase.name) > phases.indexOf('PreflightCutover')) return undefined;
    return answerLateShutdown({ state: this.world.power }, this.context());
  }

  /** As the edge does in phases that do not look at the power themselves. */
  #restarted(phase: Phase): Decision | undefined {
    const context = this.context();
    if (phase.needs.includes('sourcePower') || !mustStayOff(context)) return undefined;
    return sourceRestarted({ state: this.world.power }, context);
  }

  #carryOut(phase: Phase, decision: Decision): boolean {
    this.#change(decision);
    switch (decision.kind) {
      case 'advance': {
        const phases = this.#draft.records!.itinerary!.phases;
        const next = decision.to ?? phases[phases.indexOf(phase.name) + 1];
        if (next === undefined) this.#draft = { ...this.#draft, outcome: 'Succeeded' };
        else this.#enter(next);
        return true;
      }
      case 'wait':
        this.#slots.keepOnly(
          uid,
          (this.#draft.slots ?? []).map(({ resource }) => resource),
        );
        return false;
      case 'acquire': {
        const answer = this.#slots.request(uid, decision.slots, decision.priority, { run: 'r', order: 0 });
        if (!answer.granted) return false;
        const held = new Set((this.#draft.slots ?? []).map(({ resource }) => resource));
        const added = decision.slots.filter(({ resource }) => !held.has(resource));
        const grantedAt = rfc3339(this.world.now);
        const slots = added.map(({ resource, cost }) => ({ resource, cost, grantedAt }));
        this.#draft = { ...this.#draft, slots: [...(this.#draft.slots ?? []), ...slots] };
        this.#save();
        return true;
      }
      case 'fail':
        this.failures.push(decision);
        this.#end(decision.outcome ?? 'Failed');
        return true;
      case 'act':
        this.#save();
        return this.#act(decision.actions, (refused, action) => {
          const refusal = { action, code: refused.code, text: refused.message };
          const answer = phase.refused?.(refusal, this.context());
          const failure: Fail = { kind: 'fail', class: 'terminal', code: refused.code, message: '' };
          return this.#carryOut(phase, answer ?? failure);
        });
    }
  }

  #act(actions: readonly Action[], onRefused: (refused: Refused, action: Action) => boolean): boolean {
    for (const action of actions) {
      try {
        this.#boundary(action);
        this.world.perform(action, this.#draft.records?.targetName ?? '');
        this.deeds.push({
          action,
          committed: this.#saved.records?.committedAt !== undefined,
          powerOwed: (this.#saved.ledger ?? []).some(({ kind }) => kind === 'SourcePower'),
          snapshotsOwed: owedSnapshotEntries({ ledger: this.#saved.ledger ?? [] }).map(
            ({ marker }) => marker,
          ),
        });
        this.#boundary();
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return onRefused(error, action);
      }
    }
    return true;
  }

  #unwind(): boolean {
    for (const step of unwindSteps) {
      for (let rounds = 0; rounds < 5 && step.applies(this.context()); rounds += 1) {
        const facts = this.#gather(step.needs);
        const decision: UnwindDecision = twice(() => step.decide(facts, this.context()));
        this.#change(decision);
        this.#save();
        if (decision.kind !== 'act') break;
        // An unwind never gives up: what was refused is tried again in the next pass.
        if (!this.#act(decision.actions, () => false)) break;
      }
    }
    return false;
  }

  context(): Context {
    const status = this.#draft;
    return {
      uid,
      name: 'import',
      namespace: 'mtv',
      spec: this.world.spec,
      status,
      records: status.records ?? {},
      ledger: status.ledger ?? [],
      settings: this.settings,
      now: this.world.now,
      phaseSince: Date.parse(status.phaseSince ?? rfc3339(this.world.now)),
      watchingSince: 0,
    };
  }

  #gather(needs: readonly FactName[]): Facts<FactName> {
    const targetName = this.#draft.records?.targetName ?? '';
    const entries = needs.map((name) => {
      if (name === 'priorImports') return [name, []];
      if (name === 'slots') return [name, this.#slots.view(uid)];
      const context = this.context();
      const view = {
        marker: roundMarker(context),
        snapshotId: roundUnderWay(context)?.snapshotId,
        owed: owedSnapshotEntries(context),
      };
      return [name, structuredClone(this.world.gather(name, targetName, view))];
    });
    return Object.fromEntries(entries) as Facts<FactName>;
  }

  #enter(phase: string): void {
    this.seen.push(phase);
    this.#draft = { ...this.#draft, phase, phaseSince: rfc3339(this.world.now) };
  }

  #end(outcome: 'Failed' | 'Canceled'): void {
    const ending = { outcome, at: rfc3339(this.world.now), phase: this.#draft.phase ?? '' };
    this.#draft = { ...this.#draft, records: { ...this.#draft.records, ending } };
  }

  #change(change: Change): void {
    const free = new Set(change.free ?? []);
    for (const resource of free) this.#slots.free(uid, resource);
    this.#draft = {
      ...this.#draft,
      records: { ...without(this.#draft.records ?? {}, change.forget ?? []), ...change.records },
      ledger: applyLedger(this.#draft.ledger ?? [], change.ledger ?? [], rfc3339(this.world.now)),
      slots: (this.#draft.slots ?? []).filter(({ resource }) => !free.has(resource)),
      ...(change.disks && { disks: change.disks }),
    };
  }

  #save(): void {
    if (isDeepStrictEqual(this.#saved, this.#draft)) return;
    this.#boundary();
    this.#saved = this.#draft;
    this.#boundary();
  }

  #boundary(action?: Action): void {
    const here = this.boundaries;
    this.boundaries += 1;
    const accident = this.#accidents.find(({ at }) => at === here);
    if (accident === undefined) return;
    const { what } = accident;
    if (!this.#happens(what, action))
      this.#accidents = [...this.#accidents.filter((other) => other !== accident), { at: here + 1, what }];
  }

  /** CDI does not wait for our boundaries: what was not possible at the last one may be by now. */
  #importAgain(): void {
    const due = this.#accidents.find(({ at, what }) => at <= this.boundaries && what.startsWith('again'));
    if (due !== undefined && this.#happens(due.what, undefined))
      this.#accidents = this.#accidents.filter((other) => other !== due);
  }

  #isCommitting(): boolean {
    const { phase = '', records } = this.#draft;
    return (
      records?.committedAt !== undefined || (committing.includes(phase) && records?.ending === undefined)
    );
  }

  /** False: not here; it is for the next boundary. */
  #happens(what: Accident['what'], action: Action | undefined): boolean {
    switch (what) {
      case 'crash':
        throw new Crash();
      case 'cancel':
        this.#cancelled = true;
        return true;
      case 'refuse':
        if (action !== undefined) throw new Refused('Invalid', 'refused by the test');
        return false;
      case 'againWell':
        return this.world.startImporterAgain('well');
      case 'againBadly':
        return this.world.startImporterAgain('badly');
      case 'powerOn':
      case 'claimGone':
      case 'dataVolumeGone':
      case 'vmGone':
        return !this.#isCommitting() && this.world.meddle(what);
    }
  }
}

function twice<T>(decide: () => T): T {
  const first = decide();
  const second = decide();
  if (!isDeepStrictEqual(first, second)) throw new Error('two decisions on the same facts differ');
  return first;
}
