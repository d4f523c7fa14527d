import type { PersistentVolumeClaim, Pod } from '../../api/external/core.ts';
import { configMaps, persistentVolumeClaims, pods, secrets, storageClasses } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { LinkedAbort } from '../../kube/linked-abort.ts';
import { keyOf } from '../../kube/object-key.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { watchCache } from '../../runtime/watch-cache.ts';
import { isConversionPod } from '../conversion/conversion-node.ts';
import type { RunningStandIn, StandInDeps } from '../stand-in.ts';
import { StandIn } from '../stand-in.ts';
import { findClass, isBound, selectedNodeAnnotation, waitsForConsumer } from '../storage/binding.ts';
import { importerLabel, importerValue } from './annotations.ts';
import type { PodRunner, Program, ProgramExit } from './pod-runner.ts';
import type { PodParts } from './pod-parts.ts';
import { gatherParts } from './pod-parts.ts';
import {
  backoffMs,
  crashLooping,
  creating,
  ended,
  evicted,
  killed,
  running,
  type ContainerHistory,
} from './pod-status.ts';
import type { CdiSettings } from './settings.ts';

export interface KubeletDeps extends StandInDeps {
  readonly settings: CdiSettings;
  /** What runs in importer pods. Other pods are given their volumes' node and nothing else. */
  readonly importer: Program;
}

export interface Kubelet extends PodRunner, RunningStandIn {}

/** A container that has ended is seen as such for a moment before the wait for its restart is (inferred). */
const shownEndMs = 1000;

/** Simulated kubelet, and of the scheduler the one act that binds claims: the choice of a node. Fact: cdi 5.4. */
export function startKubelet(client: KubeClient, deps: KubeletDeps, signal: AbortSignal): Kubelet {
  const standIn = new StandIn('kubelet', client, deps);
  const kubelet = new SimulatedKubelet(standIn, deps, signal);
  const { ready, stopped } = standIn.start(signal);
  return {
    ready,
    stopped: stopped.then(() => kubelet.settled()),
    progress: (pod) => Promise.resolve(kubelet.progress(pod)),
  };
}

interface Run {
  readonly abort: LinkedAbort;
  percent: number | undefined;
  isOver: boolean;
  readonly ended: Promise<void>;
}

class SimulatedKubelet {
  readonly #standIn: StandIn;
  readonly #client: KubeClient;
  readonly #deps: KubeletDeps;
  readonly #signal: AbortSignal;
  readonly #pods: ObjectCache<Pod, 'claim'>;
  readonly #claims: ObjectCache<PersistentVolumeClaim>;
  readonly #classes;
  /** By pod uid. */
  readonly #runs = new Map<string, Run>();
  /** Runs by the pod's key, to end them when the pod is gone without a farewell. */
  readonly #uids = new Map<string, string>();

  constructor(standIn: StandIn, deps: KubeletDeps, signal: AbortSignal) {
    this.#standIn = standIn;
    this.#client = standIn.client;
    this.#deps = deps;
    this.#signal = signal;
    this.#pods = standIn.cache(pods, { indexes: { claim: claimKeysOf } });
    this.#claims = standIn.cache(persistentVolumeClaims);
    this.#classes = standIn.cache(storageClasses);
    const controller = standIn.controller('pods', (key, stop) => this.#reconcile(key, stop), 32);
    watchCache(this.#pods, controller, (before, after) =>
      [before ?? after].flatMap((pod) => (pod === undefined ? [] : [keyOf(pod)])),
    );
    watchCache(this.#claims, controller, (before, after) => {
      const claim = after ?? before;
      if (claim === undefined) return [];
      return this.#pods.byIndex('claim', keyOf(claim)).map(keyOf);
    });
  }

  progress(pod: Stored<Pod>): number | undefined {
    return this.#runs.get(pod.metadata.uid)?.percent;
  }

  /** After the abort: resolves when no program runs any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ ended }) => ended));
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const pod = this.#pods.getByKey(key);
    const known = this.#uids.get(key);
    if (known !== undefined && known !== pod?.metadata.uid) await this.#end(key, known);
    if (pod === undefined || isConversionPod(pod)) return {};
    const { uid, namespace = '', name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      const run = this.#runs.get(uid);
      const isWorking = run?.isOver === false && run.percent !== undefined;
      await this.#end(key, uid);
      if (isWorking) {
        await this.#standIn.clock.sleep(
          this.#deps.settings.terminationMs / this.#deps.settings.speed,
          signal,
        );
        await this.#write(pod, killed(pod, this.#standIn.clock.now()), signal);
      }
      await this.#client.delete(pods, { namespace, name }, { uid, gracePeriodSeconds: 0 }, signal);
      return {};
    }
    if (isOver(pod)) return {};
    await this.#chooseNode(pod, signal);
    const isImporter = pod.metadata.labels?.[importerLabel] === importerValue;
    if (!isImporter || this.#runs.has(uid)) return {};
    const isMountable = claimKeysOf(pod).every((claimKey) => {
      const claim = this.#claims.getByKey(claimKey);
      return claim !== undefined && isBound(claim);
    });
    if (isMountable) this.#begin(key, pod);
    else if (pod.status?.containerStatuses === undefined) {
      const missing = { reason: 'ContainerCreating' } as const;
      const status = creating(pod, { restartCount: 0 }, missing, this.#standIn.clock.now());
      await this.#write(pod, status, signal);
    }
    return {};
  }

  /** The scheduler's choice, by which a claim that waits for its first consumer may be bound (fact: cdi 5.6). */
  async #chooseNode(pod: Stored<Pod>, signal: AbortSignal): Promise<void> {
    for (const key of claimKeysOf(pod)) {
      const claim = this.#claims.getByKey(key);
      if (claim === undefined || isBound(claim)) continue;
      const storageClass = findClass(claim.spec.storageClassName, this.#classes.list());
      const isChosen = claim.metadata.annotations?.[selectedNodeAnnotation] !== undefined;
      if (!waitsForConsumer(storageClass) || isChosen) continue;
      const annotations = { [selectedNodeAnnotation]: this.#deps.settings.nodeName };
      const { namespace = '', name, uid } = claim.metadata;
      const patch = { metadata: { uid, annotations } };
      await this.#client.mergePatch(persistentVolumeClaims, { namespace, name }, patch, {}, signal);
    }
  }

  #begin(key: string, pod: Stored<Pod>): void {
    const abort = new LinkedAbort(this.#signal);
    const run: Run = {
      abort,
      percent: undefined,
      isOver: false,
      // Begins in a turn of its own, so that the run is known before its first act.
      ended: Promise.resolve().then(() => this.#live(pod, run)),
    };
    this.#runs.set(pod.metadata.uid, run);
    this.#uids.set(key, pod.metadata.uid);
  }

  async #end(key: string, uid: string): Promise<void> {
    const run = this.#runs.get(uid);
    run?.abort.abort(new Error('SIGTERM'));
    await run?.ended;
    run?.abort[Symbol.dispose]();
    this.#runs.delete(uid);
    if (this.#uids.get(key) === uid) this.#uids.delete(key);
  }

  /** The pod's life in one go; ends quietly when the pod is gone or the run is aborted. */
  async #live(pod: Stored<Pod>, run: Run): Promise<void> {
    const { signal } = run.abort;
    try {
      await this.#runContainer(pod, run, signal);
    } catch (error) {
      const isExpected = signal.aborted || isKubeError(error, 'NotFound', 'Conflict');
      if (!isExpected) this.#standIn.log.error('pod run failed', { error, pod: keyOf(pod) });
    } finally {
      run.percent = undefined;
      run.isOver = true;
    }
  }

  /** Fact: cdi 5.4 (statuses, restarts with growing waits, phase stays Running), sandbox.md (waits of 10, 20, 40 s). */
  async #runContainer(pod: Stored<Pod>, run: Run, signal: AbortSignal): Promise<void> {
    const { clock } = this.#standIn;
    const { speed, importerStartMs } = this.#deps.settings;
    let history: ContainerHistory = {
      restartCount: pod.status?.containerStatuses?.[0]?.restartCount ?? 0,
    };
    await this.#gather(pod, history, signal);
    await clock.sleep(importerStartMs / speed, signal);
    for (;;) {
      // Anew at each start: a Secret that was rewritten since is seen by the restarted container alone (fact: cdi 5.4).
      const parts = await this.#gather(pod, history, signal);
      const startedMs = clock.now();
      await this.#write(pod, running(pod, history, startedMs), signal);
      run.percent = 0;
      const exit = await this.#deps.importer(
        { ...parts, report: (percent) => (run.percent = percent) },
        signal,
      );
      run.percent = undefined;
      if ('evicted' in exit) {
        await this.#write(pod, evicted(pod, history, startedMs, exit.evicted, clock.now()), signal);
        return;
      }
      history = await this.#note(pod, history, startedMs, exit, signal);
      if (exit.exitCode === 0) return;
    }
  }

  /** The end of one container, and after a crash the wait for the next. */
  async #note(
    pod: Stored<Pod>,
    history: ContainerHistory,
    startedMs: number,
    exit: Extract<ProgramExit, { exitCode: number }>,
    signal: AbortSignal,
  ): Promise<ContainerHistory> {
    const { clock } = this.#standIn;
    const { speed } = this.#deps.settings;
    const status = ended(pod, history, startedMs, exit, clock.now());
    await this.#write(pod, status, signal);
    if (exit.exitCode === 0) return history;
    const waitMs = backoffMs(history.restartCount);
    await clock.sleep(shownEndMs / speed, signal);
    const last = status?.containerStatuses?.[0]?.state;
    const after: ContainerHistory = {
      restartCount: history.restartCount,
      ...(last !== undefined && { lastState: last }),
    };
    if (waitMs > shownEndMs) {
      await this.#write(pod, crashLooping(pod, after, waitMs), signal);
      await clock.sleep((waitMs - shownEndMs) / speed, signal);
    }
    return { ...after, restartCount: history.restartCount + 1 };
  }

  /** Waits until claims are bound, and Secrets and ConfigMaps there; says meanwhile what is missing (fact: cdi 6, pod Pending for ever). */
  async #gather(pod: Stored<Pod>, history: ContainerHistory, signal: AbortSignal): Promise<PodParts> {
    const { namespace = '' } = pod.metadata;
    let told: string | undefined;
    for (;;) {
      const parts = await gatherParts(pod, {
        claim: (name) => this.#client.get(persistentVolumeClaims, { namespace, name }, signal),
        secret: (name) => this.#client.get(secrets, { namespace, name }, signal),
        configMap: (name) => this.#client.get(configMaps, { namespace, name }, signal),
      });
      if (!('missing' in parts)) return parts;
      const { reason, message = '', event } = parts.missing;
      if (told !== `${reason} ${message}`) {
        told = `${reason} ${message}`;
        await this.#write(pod, creating(pod, history, parts.missing, this.#standIn.clock.now()), signal);
      }
      if (event !== undefined) {
        await this.#standIn.event(pod, 'Warning', event.reason, event.message, signal);
      }
      await this.#standIn.clock.sleep(this.#deps.settings.retryMs / this.#deps.settings.speed, signal);
    }
  }

  async #write(pod: Stored<Pod>, status: Pod['status'], signal: AbortSignal): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    await this.#standIn.insist(
      () =>
        this.#client.mergePatch(
          pods,
          { namespace, name },
          { metadata: { uid }, status },
          { subresource: 'status' },
          signal,
        ),
      signal,
    );
  }
}

function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function claimKeysOf(pod: Pod): readonly string[] {
  const { namespace = '' } = pod.metadata;
  return (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [`${namespace}/${persistentVolumeClaim.claimName}`],
  );
}
