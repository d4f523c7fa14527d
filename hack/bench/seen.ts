import { isTrue } from '../../src/api/conditions.ts';
import type { KubeObject, ResourceKind, Stored } from '../../src/api/meta.ts';
import type { Plan } from '../../src/api/plan.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Clock } from '../../src/runtime/clock.ts';

/** When things happened, as a watcher sees them. Milliseconds of the clock's monotonic time. */
export class Seen {
  planReady = Number.NaN;
  readonly volumeMade: number[] = [];
  /** By the label of the import. */
  readonly volumeDone = new Map<string, number>();
  readonly vmMade = new Map<string, number>();
  readonly #client: KubeClient;
  readonly #end = new AbortController();

  readonly #clock: Clock;

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async follow(...kinds: readonly ResourceKind[]): Promise<void> {
    for (const kind of kinds) {
      const { resourceVersion } = await this.#client.list(kind);
      void this.#watch(kind, resourceVersion);
    }
  }

  stop(): void {
    this.#end.abort(new Error('done'));
  }

  async #watch(kind: ResourceKind, resourceVersion: string): Promise<void> {
    try {
      for await (const event of this.#client.watch(kind, { resourceVersion }, this.#end.signal)) {
        if (event.type !== 'BOOKMARK') this.#note(kind, event.type, event.object);
      }
    } catch (error) {
      if (!this.#end.signal.aborted) throw error;
    }
  }

  #note(
    kind: ResourceKind,
    type: string,
    object: Stored<KubeObject> & { readonly status?: { readonly phase?: string } },
  ): void {
    const now = this.#clock.monotonicMs();
    const owner = object.metadata.labels?.['gantry.dev/import'] ?? '';
    if (kind.kind === 'Plan' && Number.isNaN(this.planReady)) {
      if (isTrue((object as Stored<Plan>).status?.conditions, 'Ready')) this.planReady = now;
    }
    if (kind.kind === 'DataVolume' && type === 'ADDED') this.volumeMade.push(now);
    if (kind.kind === 'DataVolume' && object.status?.phase === 'Succeeded' && !this.volumeDone.has(owner))
      this.volumeDone.set(owner, now);
    if (kind.kind === 'VirtualMachine' && type === 'ADDED') this.vmMade.set(owner, now);
  }
}
