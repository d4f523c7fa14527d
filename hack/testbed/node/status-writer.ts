import type { Stored } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { isKubeError, isTransientKubeError } from '../../../src/kube/errors.ts';
import { keyOf } from '../../../src/kube/object-key.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Logger } from '../../../src/runtime/log.ts';
import type { NodePod } from './node-pod.ts';
import { nodePods } from './node-pod.ts';
import type { ContainerView, PodView } from './pod-state.ts';
import { statusOf } from './pod-state.ts';

const retryMs = 500;

/** Keeps a pod's status in step with what its node knows: one write after another, each of the whole view, until the pod is gone. */
export class StatusWriter {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  #pod: Stored<NodePod>;
  #view: PodView;
  #isGone = false;
  #last: Promise<void> = Promise.resolve();

  /** `signal`: after it nothing is written any more. */
  constructor(
    pod: Stored<NodePod>,
    view: PodView,
    { client, clock, log }: { readonly client: KubeClient; readonly clock: Clock; readonly log: Logger },
    signal: AbortSignal,
  ) {
    this.#pod = pod;
    this.#view = view;
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
    this.#signal = signal;
  }

  get view(): PodView {
    return this.#view;
  }

  /** Goes out with the next write. */
  amend(change: (view: PodView) => PodView): void {
    this.#view = change(this.#view);
  }

  /** Resolves when it is written, and quietly when the pod is gone or the signal aborts. Never rejects. */
  update(change: (view: PodView) => PodView): Promise<void> {
    this.#view = change(this.#view);
    return this.#write(this.#view);
  }

  updateContainer(name: string, change: (view: ContainerView) => ContainerView): Promise<void> {
    const map = (views: readonly ContainerView[]) =>
      views.map((view) => (view.name === name ? change(view) : view));
    return this.update((view) => ({ ...view, init: map(view.init), main: map(view.main) }));
  }

  /** The pod was changed by others, on whose conditions its readiness may depend. */
  observe(pod: Stored<NodePod>): Promise<void> {
    const before = JSON.stringify(statusOf(this.#pod, this.#view, 0));
    this.#pod = pod;
    if (JSON.stringify(statusOf(pod, this.#view, 0)) === before) return Promise.resolve();
    return this.#write(this.#view);
  }

  #write(view: PodView): Promise<void> {
    this.#last = this.#last.then(() => this.#insist(view));
    return this.#last;
  }

  async #insist(view: PodView): Promise<void> {
    while (!this.#isEnded()) {
      try {
        await this.#attempt(view);
        return;
      } catch (error) {
        if (this.#isEnded()) return;
        if (isKubeError(error, 'NotFound')) {
          this.#isGone = true;
          return;
        }
        if (!isTransientKubeError(error)) {
          this.#log.error('status of a pod not written', { error, pod: keyOf(this.#pod) });
          return;
        }
      }
      await this.#clock.sleep(retryMs, this.#signal).catch(() => undefined);
    }
  }

  #isEnded(): boolean {
    return this.#isGone || this.#signal.aborted;
  }

  /** Against one version of the pod, since others write conditions into the same list; a newer version is taken and tried again. */
  async #attempt(view: PodView): Promise<void> {
    const { namespace = '', name, uid } = this.#pod.metadata;
    const at = { namespace, name };
    for (;;) {
      const { resourceVersion } = this.#pod.metadata;
      const status = statusOf(this.#pod, view, this.#clock.now());
      const patch = { metadata: { uid, resourceVersion }, status };
      try {
        this.#pod = await this.#client.mergePatch(
          nodePods,
          at,
          patch,
          { subresource: 'status' },
          this.#signal,
        );
        return;
      } catch (error) {
        if (!isKubeError(error, 'Conflict')) throw error;
      }
      const pod = await this.#client.get(nodePods, at, this.#signal);
      if (pod?.metadata.uid !== uid) {
        this.#isGone = true;
        return;
      }
      this.#pod = pod;
    }
  }
}
