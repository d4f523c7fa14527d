import { virtualMachineImports } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { diffMerge, isEqualJson } from '../../kube/merge-patch.ts';
import type { Sight } from '../../kube/sight.ts';
import type { Context } from '../../migration/phase.ts';
import type { EngineSettings } from '../../migration/settings.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { AtBoundary } from './boundary.ts';
import { summarised, type Status } from './draft.ts';
import type { Subject } from './subject.ts';

export interface SessionDeps {
  readonly client: KubeClient;
  readonly imports: Pick<ObjectCache<VirtualMachineImport>, 'put'>;
  readonly clock: Clock;
  /** Of what imports make in the target cluster. */
  readonly sight: Pick<Sight, 'since'>;
  readonly settings: EngineSettings;
  readonly version: string;
  readonly atBoundary: AtBoundary;
}

/** Phases whose deadline is a promise to the people at the source: it runs on while the source is out of reach (import.md 2.0). */
const clockNeverStops: ReadonlySet<string> = new Set(['PowerOffSource', 'WaitForPowerOff']);

/**
 * One reconcile of one import: the object as the server has it, and the status as it is to become. Decisions change the draft; `save`
 * makes it true on the server, and is the barrier before every effect (design: DESIGN.md 4.1).
 */
export class Session {
  readonly #deps: SessionDeps;
  #stored: Stored<VirtualMachineImport>;
  status: Status;

  constructor(stored: Stored<VirtualMachineImport>, deps: SessionDeps) {
    this.#deps = deps;
    this.#stored = stored;
    this.status = stored.status ?? {};
  }

  get object(): Stored<VirtualMachineImport> {
    return this.#stored;
  }

  /** What gatherers and actions work on. */
  get subject(): Subject {
    return { object: this.#stored, context: this.context };
  }

  get context(): Context {
    const { metadata, spec } = this.#stored;
    const phase = this.status.phase ?? '';
    const stoppedMs = clockNeverStops.has(phase) ? 0 : (this.status.attempts?.[phase]?.stoppedMs ?? 0);
    const now = this.#deps.clock.now();
    return {
      uid: metadata.uid,
      name: metadata.name,
      namespace: metadata.namespace ?? '',
      spec,
      status: this.status,
      records: this.status.records ?? {},
      ledger: this.status.ledger ?? [],
      settings: this.#deps.settings,
      now,
      phaseSince:
        (this.status.phaseSince === undefined ? now : Date.parse(this.status.phaseSince)) + stoppedMs,
      watchingSince: this.#deps.sight.since,
    };
  }

  get isDirty(): boolean {
    return !isEqualJson(this.#stored.status ?? {}, this.status);
  }

  /** What is new is only a figure or a word about waiting: nothing that anybody decides on, and no step forward. */
  get isOnlyReport(): boolean {
    return isEqualJson(substance(this.#stored.status ?? {}), substance(this.status));
  }

  /**
   * Writes the draft, if it says anything new, and returns when the server has it. `what` names the boundary. Throws KubeError; Conflict
   * means that somebody else wrote this status, which only a second leader would do.
   */
  async save(what: string, signal: AbortSignal): Promise<void> {
    if (!this.isDirty) return;
    const name = `${this.#stored.spec.vm.name} ${this.status.phase ?? 'new'} ${what}`;
    await this.#deps.atBoundary({ when: 'before', what: 'save', name });
    await this.#write(signal);
    await this.#deps.atBoundary({ when: 'after', what: 'save', name });
  }

  async #write(signal: AbortSignal): Promise<void> {
    const wanted = this.#stamped();
    for (;;) {
      try {
        await this.#patch(wanted, signal);
        return;
      } catch (error) {
        if (!isKubeError(error, 'Conflict')) throw error;
        // spec.control or a finalizer was changed: the status is still what this draft was made from, so it holds.
        const fresh = await this.#read(signal);
        if (fresh === undefined || !isEqualJson(fresh.status ?? {}, this.#stored.status ?? {})) throw error;
        this.#stored = fresh;
      }
    }
  }

  #stamped(): Status {
    const { generation } = this.#stored.metadata;
    return {
      ...summarised(this.status),
      writtenBy: this.#deps.version,
      ...(generation !== undefined && { observedGeneration: generation }),
    };
  }

  async #patch(wanted: Status, signal: AbortSignal): Promise<void> {
    const { name, namespace, resourceVersion } = this.#stored.metadata;
    const at = { name, ...(namespace !== undefined && { namespace }) };
    const patch = diffMerge(this.#stored.status ?? {}, wanted) ?? {};
    const body = { metadata: { resourceVersion }, status: patch };
    const stored = await this.#deps.client.mergePatch(
      virtualMachineImports,
      at,
      body,
      { subresource: 'status' },
      signal,
    );
    this.#deps.imports.put(stored);
    this.#stored = stored;
    this.status = stored.status ?? {};
  }

  #read(signal: AbortSignal): Promise<Stored<VirtualMachineImport> | undefined> {
    const { name, namespace } = this.#stored.metadata;
    return this.#deps.client.get(
      virtualMachineImports,
      { name, ...(namespace !== undefined && { namespace }) },
      signal,
    );
  }
}

/** What of a disk is more than a figure to be shown: counts of restarts and recopies are records. */
const diskRecords = [
  'key',
  'state',
  'restarts',
  'restartsBefore',
  'excused',
  'excusedPod',
  'recopies',
  'isLarger',
  'dirty',
  'dataVolumeUID',
] as const;

/** A status without what is shown alone. */
function substance(status: Status): object {
  const {
    message: _message,
    percent: _percent,
    forecast: _forecast,
    observedGeneration: _generation,
    ...rest
  } = status;
  return {
    ...rest,
    conditions: (status.conditions ?? []).map(({ type, reason }) => [type, reason]),
    disks: (status.disks ?? []).map((disk) => diskRecords.map((name) => disk[name])),
  };
}
