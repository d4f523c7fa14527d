import type { Plan } from '../../api/plan.ts';
import type { VirtualMachineInstance } from '../../api/external/kubevirt.ts';
import { plans, virtualMachineImports, virtualMachineInstances } from '../../api/kinds.ts';
import type { KubeObject, ResourceKind, Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { LinkedAbort } from '../../kube/linked-abort.ts';
import { keyOf } from '../../kube/object-key.ts';
import { Reflector } from '../../kube/reflector.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';

/** What a demo watches of the cluster, as any client could: plans, imports and running instances. */
export class WatchedRun implements AsyncDisposable {
  readonly plans: ObjectCache<Plan>;
  readonly imports: ObjectCache<VirtualMachineImport>;
  /** Milliseconds since 1970 at which an instance was first seen Running, by "namespace/name". */
  readonly runningSince = new Map<string, number>();
  readonly #instances: ObjectCache<VirtualMachineInstance>;
  readonly #end = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  #changedAt: number;
  readonly #clock: Clock;

  constructor(options: {
    readonly client: KubeClient;
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Logger;
  }) {
    const { clock, log: logger } = options;
    this.#clock = clock;
    this.#changedAt = clock.monotonicMs();
    this.plans = new ObjectCache({ logger });
    this.imports = new ObjectCache({ logger });
    this.#instances = new ObjectCache({ logger });
    const { signal } = this.#end;
    const reflect = <T extends KubeObject>(kind: ResourceKind<T>, sink: ObjectCache<T>): Promise<void> => {
      sink.onChange(() => this.#changed());
      const { client, random } = options;
      return new Reflector<T>({ client, kind, sink, clock, random, logger }).run(signal);
    };
    this.#instances.onChange((_, after) => this.#noteRunning(after));
    this.#running = Promise.allSettled([
      reflect(plans, this.plans),
      reflect(virtualMachineImports, this.imports),
      reflect(virtualMachineInstances, this.#instances),
    ]);
  }

  /** Milliseconds in which nothing that is watched has changed. */
  get quietMs(): number {
    return this.#clock.monotonicMs() - this.#changedAt;
  }

  plan(at: { readonly namespace: string; readonly name: string }): Stored<Plan> | undefined {
    return this.plans.get(at);
  }

  /** Resolves at the next change, or after `ms`. Rejects with the signal's reason. */
  async nextChange(ms: number, signal: AbortSignal): Promise<void> {
    const changed = Promise.withResolvers<undefined>();
    const wake = (): void => changed.resolve(undefined);
    this.#waiting.add(wake);
    using limit = new LinkedAbort(signal);
    try {
      await Promise.race([changed.promise, this.#clock.sleep(ms, limit.signal)]);
    } finally {
      limit.abort(new Error('something changed first'));
      this.#waiting.delete(wake);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('nobody watches any more'));
    await this.#running;
  }

  #changed(): void {
    this.#changedAt = this.#clock.monotonicMs();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #noteRunning(instance: Stored<VirtualMachineInstance> | undefined): void {
    if (instance?.status?.phase !== 'Running') return;
    const key = keyOf(instance);
    if (!this.runningSince.has(key)) this.runningSince.set(key, this.#clock.now());
  }
}
