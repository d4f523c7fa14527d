import { AsyncLocalStorage } from 'node:async_hooks';
import type { Rest, RunObserver } from '../../controllers/import/run-observer.ts';
import type { Clock } from '../../runtime/clock.ts';
import { RuntimeMetrics } from '../../runtime/metrics.ts';
import type { QueueObserver } from '../../runtime/queue.ts';
import type { HttpCall, HttpEndpoint } from '../../sources/source.ts';

/**
 * Whose time passes. `controller` is from a wake-up to the next call to the source or the next wait, its requests to the API server
 * included: that makes its figure worse, never better (design: sandbox.md "Downtime, measured").
 */
export type Party = 'source' | 'copy' | 'start' | 'conversion' | 'controller';

/** Milliseconds. The four others add up to the whole; `startMs` is a part of `copyMs`. */
export interface DowntimeSplit {
  /** Calls to the source, and waits for it: its final snapshot, as a rule. */
  readonly sourceMs: number;
  /** The target cluster: CDI, which copies what is left, then KubeVirt, which starts the VM. */
  readonly copyMs: number;
  /** The part of it that comes after the copy: volumes change hands, the VM starts. */
  readonly startMs: number;
  readonly conversionMs: number;
  readonly controllerMs: number;
}

interface Mark {
  /** Milliseconds since 1970, from when on it is this one's time. */
  readonly at: number;
  readonly party: Party;
}

/** Whose time it is, import by import, from moment to moment, however many controllers work on it one after another. */
export class ImportTimes {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #marks = new Map<string, Mark[]>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** For a controller that starts now. */
  instance(): InstanceTimes {
    return new InstanceTimes((key, party) => this.#mark(key, party));
  }

  /** From now on the time of all imports is the controller's: none is there. */
  noController(): void {
    for (const key of this.#marks.keys()) this.#mark(key, 'controller');
  }

  /** How [from, to], milliseconds since 1970, is made up for the import `key` ("namespace/name"). The parts add up to the whole. */
  split(key: string, from: number, to: number): DowntimeSplit {
    const sums: Record<Party, number> = { source: 0, copy: 0, start: 0, conversion: 0, controller: 0 };
    const marks = this.#marks.get(key) ?? [];
    const first: Mark = { at: -Infinity, party: 'controller' };
    [first, ...marks].forEach(({ at, party }, index) => {
      const end = marks[index]?.at ?? Infinity;
      sums[party] += Math.max(0, Math.min(end, to) - Math.max(at, from));
    });
    return {
      sourceMs: sums.source,
      copyMs: sums.copy + sums.start,
      startMs: sums.start,
      conversionMs: sums.conversion,
      controllerMs: sums.controller,
    };
  }

  #mark(key: string, party: Party): void {
    const marks = this.#marks.get(key) ?? [];
    this.#marks.set(key, marks);
    if (marks.at(-1)?.party !== party) marks.push({ at: this.#clock.now(), party });
  }
}

interface State {
  /** Something has happened that it has not been reconciled for. */
  isWoken: boolean;
  isRunning: boolean;
  hasRun: boolean;
  /** To the source, open now. */
  calls: number;
  isEcho: boolean;
  /** While it rests. */
  waitsFor: Party;
}

/** What one controller does, told by its queue, by its runner and by its connections to sources. */
export class InstanceTimes extends RuntimeMetrics implements RunObserver {
  readonly #mark: (key: string, party: Party) => void;
  readonly #states = new Map<string, State>();
  /** On whose behalf code runs: calls are made deep below the reconcile. */
  readonly #current = new AsyncLocalStorage<string>();
  #isOver = false;

  constructor(mark: (key: string, party: Party) => void) {
    super();
    this.#mark = mark;
  }

  /** It has reconciled an import. */
  get hasWorked(): boolean {
    return [...this.#states.values()].some(({ hasRun }) => hasRun);
  }

  /** Nothing that it does from here on counts. */
  end(): void {
    this.#isOver = true;
  }

  override queue(name: string): QueueObserver {
    const observer = super.queue(name);
    if (name !== 'import') return observer;
    return {
      ...observer,
      added: (key) => {
        observer.added(key);
        this.#change(key, { isWoken: true });
      },
    };
  }

  around<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.#current.run(key, async () => {
      this.#change(key, { isWoken: false, isRunning: true, isEcho: false, waitsFor: 'controller' });
      try {
        return await work();
      } finally {
        this.#change(key, { isRunning: false, hasRun: true });
      }
    });
  }

  rests(key: string, rest: Rest): void {
    const { isEcho } = this.#state(key);
    this.#change(key, { waitsFor: isEcho ? 'controller' : partyOf(rest) });
  }

  echoes(key: string): void {
    this.#change(key, { isEcho: true });
  }

  /** The same connection to a source, whose calls are counted. */
  endpoint(endpoint: HttpEndpoint): HttpEndpoint {
    return {
      call: (request: HttpCall, signal: AbortSignal) => this.#called(() => endpoint.call(request, signal)),
      peerThumbprint: (signal) => endpoint.peerThumbprint(signal),
      [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
    };
  }

  async #called<T>(call: () => Promise<T>): Promise<T> {
    const key = this.#current.getStore();
    if (key === undefined) return call();
    this.#change(key, { calls: this.#state(key).calls + 1 });
    try {
      return await call();
    } finally {
      this.#change(key, { calls: this.#state(key).calls - 1 });
    }
  }

  #state(key: string): State {
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const state: State = {
      isWoken: false,
      isRunning: false,
      hasRun: false,
      calls: 0,
      isEcho: false,
      waitsFor: 'controller',
    };
    this.#states.set(key, state);
    return state;
  }

  #change(key: string, change: Partial<State>): void {
    if (this.#isOver) return;
    const state = Object.assign(this.#state(key), change);
    this.#mark(key, whoseTime(state));
  }
}

function whoseTime({ isRunning, calls, isWoken, waitsFor }: State): Party {
  if (isRunning) return calls > 0 ? 'source' : 'controller';
  return isWoken ? 'controller' : waitsFor;
}

const parties: readonly (readonly [Party, readonly string[]])[] = [
  [
    'source',
    [
      'CreateInitialSnapshot',
      'WaitForInitialSnapshot',
      'StoreInitialSnapshotDeltas',
      'CreateSnapshot',
      'WaitForSnapshot',
      'StoreSnapshotDeltas',
      'RemovePreviousSnapshot',
      'WaitForPreviousSnapshotRemoval',
      'StorePowerState',
      'PowerOffSource',
      'WaitForPowerOff',
      'RemovePenultimateSnapshot',
      'WaitForPenultimateSnapshotRemoval',
      'CreateFinalSnapshot',
      'WaitForFinalSnapshot',
      'StoreFinalSnapshotDeltas',
      'RemoveFinalSnapshot',
    ],
  ],
  ['copy', ['CreateDataVolumes', 'CopyDisks', 'AddCheckpoint', 'AddFinalCheckpoint', 'Finalize']],
  ['conversion', ['CreateGuestConversionPod', 'ConvertGuest']],
  ['start', ['CreateVM', 'ReleaseVolumes', 'StartVM', 'WaitForTargetRunning']],
];

/** Who it is that an import waits for. What it cannot name is its own. */
export function partyOf({ phase, reason }: Rest): Party {
  if (reason === undefined) return 'controller';
  if (reason === 'SourceUnavailable') return 'source';
  // The copies of other VMs, under the limit that the user has set.
  if (reason === 'Queued') return 'copy';
  return parties.find(([, phases]) => phases.includes(phase))?.[0] ?? 'controller';
}
