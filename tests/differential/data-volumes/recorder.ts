import type { DataVolume } from '../../../src/api/external/cdi.ts';
import type { Event, PersistentVolumeClaim, Pod } from '../../../src/api/external/core.ts';
import { dataVolumes, events, persistentVolumeClaims, pods } from '../../../src/api/kinds.ts';
import type { KubeObject, ResourceKind, Stored } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';

/** A pod as it was last seen, and each way in which its importer ended. */
export interface SeenPod {
  pod: Stored<Pod>;
  readonly ends: string[];
}

/** Everything that happens to the DataVolumes of a namespace, from watches: nothing is missed that an API server tells. */
export class Recorder implements AsyncDisposable {
  readonly volumes: Stored<DataVolume>[] = [];
  readonly claims: Stored<PersistentVolumeClaim>[] = [];
  /** By uid, in the order of their making. */
  readonly pods = new Map<string, SeenPod>();
  readonly events = new Map<string, Stored<Event>>();
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #end = new AbortController();
  readonly #watches: readonly Promise<void>[];

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#watches = [
      this.#watch(dataVolumes, (volume) => this.volumes.push(volume)),
      this.#watch(persistentVolumeClaims, (claim) => this.claims.push(claim)),
      this.#watch(pods, (pod) => this.#see(pod)),
      this.#watch(events, (event) => this.events.set(event.metadata.name, event)),
    ];
  }

  /** Rejects when one of the watches broke off: then the record has a gap. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#watches);
  }

  async #watch<T extends KubeObject>(kind: ResourceKind<T>, see: (object: Stored<T>) => void): Promise<void> {
    const { signal } = this.#end;
    const namespace = this.#namespace;
    try {
      const { items, resourceVersion } = await this.#client.list(kind, { namespace }, signal);
      items.forEach(see);
      let from = resourceVersion;
      for (;;) {
        for await (const event of this.#client.watch(kind, { namespace, resourceVersion: from }, signal)) {
          from = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
          if (event.type !== 'BOOKMARK' && event.type !== 'DELETED') see(event.object);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #see(pod: Stored<Pod>): void {
    const seen = this.pods.get(pod.metadata.uid) ?? { pod, ends: [] };
    seen.pod = pod;
    this.pods.set(pod.metadata.uid, seen);
    const { state, lastState } = pod.status?.containerStatuses?.[0] ?? {};
    for (const { terminated } of [state, lastState].filter((each) => each !== undefined)) {
      const end =
        terminated && `${terminated.exitCode} ${terminated.reason ?? ''}: ${terminated.message ?? ''}`;
      if (end !== undefined && !seen.ends.includes(end)) seen.ends.push(end);
    }
  }
}
