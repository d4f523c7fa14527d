import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { formatDuration } from '../../cli/format.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Sandbox } from '../sandbox.ts';
import type { TraceEntry } from '../world.ts';
import type { DemoController } from './controller.ts';
import type { DemoView } from './demo-view.ts';
import { demoFaults, type DemoMoment, type FaultChoice } from './fault-choice.ts';
import type { WatchedRun } from './watched-run.ts';

/** What was let happen, and how it went on. */
export interface FaultReport {
  readonly name: string;
  /** After the start of the Migrations. */
  readonly afterMs: number;
  /** Sentences. */
  readonly happened: string;
  readonly cured: string;
}

export interface FaultWorld {
  readonly sandbox: Sandbox;
  readonly run: WatchedRun;
  readonly clock: Clock;
  readonly view: DemoView;
  readonly controller: DemoController;
  readonly speed: number;
}

/** Milliseconds before they are divided by the speed. */
const outageMs = 24_000;
const shortestOutageMs = 1_500;
/** From a controller's death to the next one. */
const restartMs = 4_000;
const lookMs = 50;

/** One fault of a run: waits for its moment, lets it happen, and looks how it is cured. */
export class DemoFault {
  readonly #world: FaultWorld;
  readonly #choice: FaultChoice;
  #struckAt: number | undefined;

  constructor(world: FaultWorld, choice: FaultChoice) {
    this.#world = world;
    this.#choice = choice;
  }

  get hasStruck(): boolean {
    return this.#struckAt !== undefined;
  }

  /** From the start of the Migrations; resolves when it is cured. Rejects with the signal's reason. */
  async run(signal: AbortSignal): Promise<FaultReport> {
    const { clock } = this.#world;
    const startedAt = clock.monotonicMs();
    await this.#moment(signal);
    const { happened, cured } = await this.#strike(signal);
    const afterMs = Math.round((this.#struckAt ?? startedAt) - startedAt);
    this.#world.view.say({ text: `✓ Cured: ${cured}`, tone: 'good' });
    return { name: this.#choice.name, afterMs, happened, cured };
  }

  async #moment(signal: AbortSignal): Promise<void> {
    const { when } = this.#choice;
    const { clock, run } = this.#world;
    if (typeof when === 'number') await clock.sleep(when * 1000, signal);
    else await this.#until(() => run.imports.list().some((object) => isAt(when, object)), signal);
  }

  #strike(signal: AbortSignal): Promise<{ happened: string; cured: string }> {
    switch (this.#choice.name) {
      case 'vcenter-down':
        return this.#sourceOutage(signal);
      case 'api-outage':
        return this.#apiOutage(signal);
      case 'kill-controller':
        return this.#kill(signal);
      case 'importer-crash':
        return this.#crash(signal);
      case 'slow-consolidation':
        return this.#slowMerge(signal);
    }
  }

  /** Says what, lets it be for a while and meanwhile calls `look`. */
  async #outage(
    name: 'vcenter-down' | 'api-outage',
    who: string,
    look: () => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { sandbox, clock, speed } = this.#world;
    const forMs = Math.max(shortestOutageMs, outageMs / speed);
    const happened = this.#struck(`The ${who} answered nobody for ${formatDuration(forMs)}`);
    using _fault = sandbox.faults.start(name);
    const end = clock.monotonicMs() + forMs;
    await this.#until(() => {
      look();
      return clock.monotonicMs() >= end;
    }, signal);
    return happened;
  }

  async #sourceOutage(signal: AbortSignal) {
    const { clock, run } = this.#world;
    const affected = new Set<string>();
    const waiting = (): readonly string[] => {
      const names = run.imports
        .list()
        .filter(({ status }) => status?.conditions?.some(({ type }) => type === 'SourceUnavailable') === true)
        .map(({ spec }) => spec.vm.name);
      for (const name of names) affected.add(name);
      return names;
    };
    const happened = await this.#outage('vcenter-down', 'vCenter', waiting, signal);
    const overAt = clock.monotonicMs();
    await this.#until(() => waiting().length === 0, signal);
    const after = formatDuration(clock.monotonicMs() - overAt);
    const cured =
      affected.size === 0
        ? 'no VM had to wait for it.'
        : `${[...affected].join(', ')} waited for it, and went on by themselves ${after} after it was back.`;
    return { happened, cured };
  }

  /** While it lasts nobody can say anything in the cluster; the first that is heard again tells that it is over. */
  async #apiOutage(signal: AbortSignal) {
    const { clock, run } = this.#world;
    const happened = await this.#outage('api-outage', 'API server', () => undefined, signal);
    const overAt = clock.monotonicMs();
    const versions = (): string =>
      run.imports
        .list()
        .map(({ metadata }) => metadata.resourceVersion)
        .join();
    const before = versions();
    await this.#until(() => versions() !== before, signal);
    const after = formatDuration(clock.monotonicMs() - overAt);
    return {
      happened,
      cured: `what was under way went on at the source and in the pods, and the imports were written again ${after} after it was back.`,
    };
  }

  async #kill(signal: AbortSignal) {
    const { clock, controller, run, speed } = this.#world;
    const gapMs = restartMs / speed;
    const phases = run.imports
      .list()
      .filter(({ status }) => status?.outcome === undefined)
      .map(({ spec, status }) => `${spec.vm.name} in ${status?.phase ?? 'no phase yet'}`);
    controller.kill();
    const happened = this.#struck(`The controller was killed, with ${phases.join(', ')}`);
    await clock.sleep(gapMs, signal);
    const startedAt = clock.monotonicMs();
    controller.start();
    await this.#until(() => controller.hasWorked, signal);
    const after = formatDuration(clock.monotonicMs() - startedAt);
    const cured = `another one started ${formatDuration(gapMs)} later, read all it had to know from the cluster and went on after ${after}.`;
    return { happened, cured };
  }

  async #crash(signal: AbortSignal) {
    const { sandbox, clock, run } = this.#world;
    using _fault = sandbox.faults.start('importer-crash', { times: 1 });
    const { on: claim } = await this.#strikeOf('importer-crash', signal);
    const vm = run.imports.list().find(({ spec }) => spec.disks.some(({ claimName }) => claimName === claim));
    const happened = this.#struck(
      `The importer of ${vm?.spec.vm.name ?? 'a VM'}'s disk ${claim} crashed in its copy`,
    );
    const since = clock.monotonicMs();
    const find = () =>
      run.imports
        .list()
        .flatMap(({ status }) => status?.disks ?? [])
        .find((disk) => disk.claim === claim);
    const recopies = find()?.recopies ?? 0;
    const round = vm?.status?.records?.rounds?.at(-1)?.n ?? 1;
    await this.#until(() => {
      const disk = find();
      return disk !== undefined && disk.round >= round && ['copied', 'done'].includes(disk.state);
    }, signal);
    const took = formatDuration(clock.monotonicMs() - since);
    const cured =
      (find()?.recopies ?? 0) > recopies
        ? `beside what it had left there was no room for another try, so the disk was given a new volume, and copied ${took} later.`
        : `the kubelet started it again, and the disk was copied ${took} later.`;
    return { happened, cured };
  }

  async #slowMerge(signal: AbortSignal) {
    const { sandbox, clock, run } = this.#world;
    using _fault = sandbox.faults.start('consolidation-slow', { times: 1 });
    const { on: vm } = await this.#strikeOf('consolidation-slow', signal);
    const happened = this.#struck(`A snapshot of ${vm} took a hundred times as long to be merged`);
    const since = clock.monotonicMs();
    const find = () => run.imports.list().find(({ spec }) => spec.vm.name === vm);
    const wasOff = find()?.status?.records?.power?.offSeenAt !== undefined;
    await this.#until(() => {
      const ledger = find()?.status?.ledger ?? [];
      return ledger.every(({ kind, doneAt }) => kind !== 'Snapshot' || doneAt !== undefined);
    }, signal);
    const took = formatDuration(clock.monotonicMs() - since);
    const cured = wasOff
      ? `it was merged in the background, for ${took}; the VM did not wait for it.`
      : `the next round waited ${took} for it, and the VM ran on meanwhile.`;
    return { happened, cured };
  }

  /** Says so, once, with what was going on. */
  #struck(what: string): string {
    this.#struckAt = this.#world.clock.monotonicMs();
    const { name } = this.#choice;
    this.#world.view.say({ text: `! Fault ${name} (${demoFaults[name]}): ${what}.`, tone: 'bad' });
    return `${what}.`;
  }

  async #strikeOf(name: string, signal: AbortSignal): Promise<TraceEntry> {
    const { trace } = this.#world.sandbox;
    const find = () => trace.entries.find(({ who, what }) => who === 'fault' && what === name);
    await this.#until(() => find() !== undefined, signal);
    const found = find();
    if (found === undefined) throw new RangeError(`the fault ${name} has not struck`);
    return found;
  }

  async #until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isSo()) await this.#world.run.nextChange(lookMs, signal);
  }
}

function isAt(moment: DemoMoment, { spec, status }: VirtualMachineImport): boolean {
  const { phase, records, disks } = status ?? {};
  switch (moment) {
    case 'copy':
      return phase === 'CopyDisks' && disks?.some(({ state }) => state === 'copying') === true;
    case 'pause':
      return phase === 'CopyingPaused';
    case 'cutover':
      return (
        spec.strategy.type === 'warm' &&
        records?.power?.offSeenAt !== undefined &&
        records.committedAt === undefined
      );
  }
}
