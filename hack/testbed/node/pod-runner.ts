import { join } from 'node:path';
import type { PersistentVolumeClaim, StorageClass } from '../../../src/api/external/core.ts';
import { persistentVolumeClaims, storageClasses } from '../../../src/api/kinds.ts';
import type { KubeObject, Stored } from '../../../src/api/meta.ts';
import type { ObjectCache } from '../../../src/kube/cache.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { keyOf } from '../../../src/kube/object-key.ts';
import type { ReconcileResult } from '../../../src/runtime/controller.ts';
import { rfc3339 } from '../../../src/runtime/clock.ts';
import { watchCache } from '../../../src/runtime/watch-cache.ts';
import type { PodRunner } from '../../../src/sandbox/cdi/pod-runner.ts';
import type { RunningStandIn, StandInDeps } from '../../../src/sandbox/stand-in.ts';
import { StandIn } from '../../../src/sandbox/stand-in.ts';
import { selectedNodeAnnotation } from '../../../src/sandbox/storage/binding.ts';
import { podAddress } from '../addresses.ts';
import type { Network } from '../cell/network.ts';
import type { Images } from './images.ts';
import { readProgress } from './importer-metrics.ts';
import { buildNode, nodeName } from './node-object.ts';
import type { NodePod } from './node-pod.ts';
import { nodePods, nodes, subresource } from './node-pod.ts';
import { PodRun } from './pod-run.ts';
import { isOver, newView, viewAfterLoss } from './pod-state.ts';
import { decidePlacement } from './scheduling.ts';

/** On a pod: its node throws it out, with the value as the message. So a test or a person with kubectl makes a node short of something. */
export const evictAnnotation = 'testbed.gantry.dev/evict';

export interface PodRunnerDeps extends StandInDeps {
  /** The testbed's folder; everything of pods goes into its folder "pods", each container's output into a file for each start. */
  readonly folder: string;
  readonly networks: Pick<Network, 'add' | 'remove'>;
  readonly images: Images;
  /** Multiplies the waits before a restart and before another try to get an image: 1 is a kubelet's. Default 1. */
  readonly backoffScale?: number;
}

/** The pods' node as a test may treat it. */
export interface NodeAgent extends PodRunner, RunningStandIn {
  /** Sends SIGKILL to the programs of this pod's containers; they start again by its restart policy. False: none runs. */
  killContainer(pod: { readonly namespace: string; readonly name: string }): Promise<boolean>;
}

/**
 * What a kubelet, and of a scheduler the act of binding, do for the pods of a cluster, with real programs. Memory and processor limits
 * are not enforced, users and capabilities of a security context are not set: every program runs as root in mounts, processes and a
 * network of its own. Fact: cdi 5.4, testbed 7.2.
 */
export function startPodRunner(client: KubeClient, deps: PodRunnerDeps, signal: AbortSignal): NodeAgent {
  const standIn = new StandIn('testbed-node', client, deps);
  const agent = new Agent(standIn, deps, signal);
  const { ready, stopped } = standIn.start(signal, (starting) => agent.register(starting));
  return {
    ready,
    stopped: stopped.then(() => agent.settled()),
    progress: (pod, asking) => agent.progress(pod.metadata.uid, asking),
    killContainer: (pod) => Promise.resolve(agent.find(pod)?.killContainers() ?? false),
  };
}

class Agent {
  readonly #standIn: StandIn;
  readonly #client: KubeClient;
  readonly #deps: PodRunnerDeps;
  readonly #signal: AbortSignal;
  readonly #pods: ObjectCache<NodePod, 'claim'>;
  readonly #claims: ObjectCache<PersistentVolumeClaim>;
  readonly #classes: ObjectCache<StorageClass>;
  readonly #node;
  /** By the pod's key. */
  readonly #runs = new Map<string, PodRun>();
  #addresses = 0;

  constructor(standIn: StandIn, deps: PodRunnerDeps, signal: AbortSignal) {
    this.#standIn = standIn;
    this.#client = standIn.client;
    this.#deps = deps;
    this.#signal = signal;
    this.#node = buildNode(standIn.clock.now());
    this.#pods = standIn.cache(nodePods, { indexes: { claim: claimKeysOf } });
    this.#claims = standIn.cache(persistentVolumeClaims);
    this.#classes = standIn.cache(storageClasses);
    const controller = standIn.controller('pods', (key, stop) => this.#reconcile(key, stop), 64);
    watchCache(this.#pods, controller, (before, after) => keysOf(before ?? after));
    watchCache(this.#claims, controller, (before, after) =>
      keysOf(before ?? after).flatMap((key) => this.#pods.byIndex('claim', key).map(keyOf)),
    );
  }

  async register(signal: AbortSignal): Promise<void> {
    await this.#standIn.ensure(nodes, this.#node, signal);
    const { status } = this.#node;
    await this.#client.mergePatch(nodes, { name: nodeName }, { status }, { subresource: 'status' }, signal);
  }

  find({ namespace, name }: { readonly namespace: string; readonly name: string }): PodRun | undefined {
    return this.#runs.get(`${namespace}/${name}`);
  }

  async progress(uid: string, signal: AbortSignal): Promise<number | undefined> {
    const run = [...this.#runs.values()].find((one) => one.uid === uid);
    if (run?.address === undefined || run.isOver) return undefined;
    return run.percent ?? (await readProgress(run.address, signal));
  }

  /** After the abort: resolves when no program runs any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ ended }) => ended));
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const pod = this.#pods.getByKey(key);
    const run = this.#runs.get(key);
    if (run !== undefined && run.uid !== pod?.metadata.uid) {
      // Gone without a farewell: a kubelet gives the programs of such a pod a second.
      await run.stop(1000);
      await this.#forget(key, run);
    }
    if (pod === undefined) return {};
    if (pod.metadata.deletionTimestamp !== undefined) return this.#delete(key, pod, signal);
    if (run?.uid === pod.metadata.uid) await this.#observe(run, pod);
    else if (pod.spec.nodeName === nodeName) this.#begin(key, pod);
    else await this.#place(pod, signal);
    return {};
  }

  async #place(pod: Stored<NodePod>, signal: AbortSignal): Promise<void> {
    try {
      await this.#schedule(pod, signal);
    } catch (error) {
      // It, or a claim of its, is gone, of which the caches will hear.
      if (!isKubeError(error, 'NotFound')) throw error;
    }
  }

  async #observe(run: PodRun, pod: Stored<NodePod>): Promise<void> {
    const why = pod.metadata.annotations?.[evictAnnotation];
    if (why !== undefined) await run.evict(why);
    else await run.observe(pod);
  }

  #begin(key: string, pod: Stored<NodePod>): void {
    if (isOver(pod.status?.phase)) return;
    const nowMs = this.#standIn.clock.now();
    const hasBegun = pod.status?.containerStatuses !== undefined;
    const view = hasBegun ? viewAfterLoss(pod, nowMs) : newView(pod, nowMs);
    const { clock, log } = this.#standIn;
    const { folder, networks, images, backoffScale = 1 } = this.#deps;
    const run = new PodRun(
      pod,
      view,
      {
        client: this.#client,
        clock,
        log,
        images,
        networks,
        nextAddress: () => podAddress((this.#addresses += 1) - 1),
        folder: join(folder, 'pods'),
        nodeName,
        backoffScale,
        event: (about, ...said) => this.#standIn.event(about, ...said, this.#signal),
      },
      this.#signal,
    );
    this.#runs.set(key, run);
  }

  async #delete(key: string, pod: Stored<NodePod>, signal: AbortSignal): Promise<ReconcileResult> {
    const { uid, namespace = '', name, deletionGracePeriodSeconds = 0 } = pod.metadata;
    const run = this.#runs.get(key);
    if (run !== undefined) {
      await run.stop(deletionGracePeriodSeconds * 1000);
      await this.#forget(key, run);
    } else if (pod.spec.nodeName !== nodeName || deletionGracePeriodSeconds === 0) {
      // Not ours; or the farewell is said, and a finalizer of somebody else keeps it.
      return {};
    }
    await this.#client.delete(nodePods, { namespace, name }, { uid, gracePeriodSeconds: 0 }, signal);
    return {};
  }

  async #forget(key: string, run: PodRun): Promise<void> {
    if (this.#runs.get(key) === run) this.#runs.delete(key);
    await run.removeVolumes();
  }

  async #schedule(pod: Stored<NodePod>, signal: AbortSignal): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    const placement = decidePlacement(
      pod,
      this.#node,
      (claim) => this.#claims.getByKey(`${namespace}/${claim}`),
      this.#classes.list(),
    );
    switch (placement.act) {
      case 'none':
      case 'wait':
        return;
      case 'bind': {
        const kind = subresource<Binding>(nodePods, name, 'binding', 'Binding');
        const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
        const metadata = { namespace, name, uid };
        await this.#client.create(kind, { apiVersion: 'v1', kind: 'Binding', metadata, target }, {}, signal);
        return;
      }
      case 'select':
        for (const claim of placement.claims) {
          const annotations = { [selectedNodeAnnotation]: nodeName };
          const patch = { metadata: { uid: claim.metadata.uid, annotations } };
          const at = { namespace, name: claim.metadata.name };
          await this.#client.mergePatch(persistentVolumeClaims, at, patch, {}, signal);
        }
        return;
      case 'refuse':
        await this.#refuse(pod, placement.message, signal);
    }
  }

  async #refuse(pod: Stored<NodePod>, message: string, signal: AbortSignal): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    const before = pod.status?.conditions ?? [];
    const told = before.find(({ type }) => type === 'PodScheduled');
    if (told?.message === message) return;
    const scheduled = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: rfc3339(this.#standIn.clock.now()),
    };
    const conditions = [...before.filter(({ type }) => type !== 'PodScheduled'), scheduled];
    const patch = { metadata: { uid }, status: { conditions } };
    await this.#client.mergePatch(nodePods, { namespace, name }, patch, { subresource: 'status' }, signal);
    await this.#standIn.event(pod, 'Warning', 'FailedScheduling', message, signal);
  }
}

interface Binding extends KubeObject {
  readonly target: { readonly apiVersion: string; readonly kind: string; readonly name: string };
}

function keysOf(object: KubeObject | undefined): readonly string[] {
  return object === undefined ? [] : [keyOf(object)];
}

function claimKeysOf(pod: NodePod): readonly string[] {
  const { namespace = '' } = pod.metadata;
  return (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [`${namespace}/${persistentVolumeClaim.claimName}`],
  );
}
