import type { ContainerState, PersistentVolumeClaim, Pod } from '../../api/external/core.ts';
import { configMaps, persistentVolumeClaims, pods } from '../../api/kinds.ts';
import { appLabel, conversionApp } from '../../api/labels.ts';
import type { Stored } from '../../api/meta.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { LinkedAbort } from '../../kube/linked-abort.ts';
import { keyOf } from '../../kube/object-key.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { watchCache } from '../../runtime/watch-cache.ts';
import type { PodResponder } from '../api/pod-proxy.ts';
import type { RunningStandIn, StandInDeps } from '../stand-in.ts';
import { StandIn } from '../stand-in.ts';
import { isBound } from '../storage/binding.ts';
import { isOver, killed, pending, status, thrownOut } from './conversion-status.ts';
import { convert, type Answer, type ConverterDeps } from './converter.ts';

export interface ConversionNodeDeps extends StandInDeps, ConverterDeps {
  /** How the API server reaches pods. */
  readonly answerForPods: (responder: PodResponder) => Disposable;
}

/** Pods of Forklift's virt-v2v image; the kubelet of the importers leaves them alone. */
export function isConversionPod(pod: Pod): boolean {
  return pod.metadata.labels?.[appLabel] === conversionApp;
}

/** Times that a lost part (a claim that is not bound, a ConfigMap) is looked for again, milliseconds. */
const retryMs = 2000;
const containerPort = 8080;

interface Run {
  readonly abort: LinkedAbort;
  readonly ended: Promise<void>;
  /** While it listens. */
  answers: ReadonlyMap<string, Answer> | undefined;
  /** Resolves what waits for the request to end. */
  shutdown: (() => void) | undefined;
}

/** A node that runs conversion pods, once each: their restartPolicy is Never. */
export function startConversionNode(
  client: KubeClient,
  deps: ConversionNodeDeps,
  signal: AbortSignal,
): RunningStandIn {
  const standIn = new StandIn('conversion-node', client, deps);
  const node = new ConversionNode(standIn, deps, signal);
  const responder = deps.answerForPods((request) => Promise.resolve(node.answer(request)));
  const { ready, stopped } = standIn.start(signal);
  return {
    ready,
    stopped: stopped.then(async () => {
      responder[Symbol.dispose]();
      await node.settled();
    }),
  };
}

class ConversionNode {
  readonly #standIn: StandIn;
  readonly #client: KubeClient;
  readonly #deps: ConversionNodeDeps;
  readonly #signal: AbortSignal;
  readonly #pods: ObjectCache<Pod>;
  /** By pod uid. */
  readonly #runs = new Map<string, Run>();

  constructor(standIn: StandIn, deps: ConversionNodeDeps, signal: AbortSignal) {
    this.#standIn = standIn;
    this.#client = standIn.client;
    this.#deps = deps;
    this.#signal = signal;
    this.#pods = standIn.cache(pods, { selection: { labelSelector: `${appLabel}=${conversionApp}` } });
    const controller = standIn.controller('pods', (key, stop) => this.#reconcile(key, stop));
    watchCache(this.#pods, controller, (before, after) => {
      if (before !== undefined && after?.metadata.uid !== before.metadata.uid)
        this.#runs.get(before.metadata.uid)?.abort.abort(new Error('SIGKILL'));
      return [before ?? after].flatMap((pod) => (pod === undefined ? [] : [keyOf(pod)]));
    });
  }

  /** What its port answers; undefined: it does not listen. */
  answer(request: Parameters<PodResponder>[0]): Answer | undefined {
    if (request.port !== containerPort) return undefined;
    const pod = this.#pods.get({ namespace: request.namespace, name: request.pod });
    const run = pod === undefined ? undefined : this.#runs.get(pod.metadata.uid);
    if (run?.answers === undefined) return undefined;
    if (request.path === '/shutdown') {
      run.shutdown?.();
      return { status: 204, body: '' };
    }
    return run.answers.get(request.path) ?? { status: 404, body: '404 page not found' };
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ ended }) => ended));
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const pod = this.#pods.getByKey(key);
    if (pod === undefined) return {};
    if (pod.metadata.deletionTimestamp !== undefined) await this.#terminate(pod, signal);
    else if (!isOver(pod) && !this.#runs.has(pod.metadata.uid)) this.#begin(pod);
    return {};
  }

  /** Its phase is final before the pod may go (fact: Kubernetes 1.27, pods are marked Failed by the kubelet before deletion). */
  async #terminate(pod: Stored<Pod>, signal: AbortSignal): Promise<void> {
    const { uid, namespace = '', name } = pod.metadata;
    const run = this.#runs.get(uid);
    run?.abort.abort(new Error('SIGTERM'));
    await run?.ended;
    this.#runs.delete(uid);
    const now = await this.#client.get(pods, { namespace, name }, signal);
    if (now?.metadata.uid !== uid) return;
    const hasNode = (now.spec.nodeName ?? '') !== '';
    if (!isOver(now) && hasNode) await this.#write(now, killed(now, this.#standIn.clock.now()), signal);
    if (now.metadata.deletionGracePeriodSeconds === 0 && (isOver(now) || !hasNode)) return;
    await this.#client.delete(pods, { namespace, name }, { uid, gracePeriodSeconds: 0 }, signal);
  }

  #begin(pod: Stored<Pod>): void {
    const abort = new LinkedAbort(this.#signal);
    const run: Run = {
      abort,
      answers: undefined,
      shutdown: undefined,
      // Begins in a turn of its own, so that the run is known before its first act.
      ended: Promise.resolve().then(() => this.#live(pod, run)),
    };
    this.#runs.set(pod.metadata.uid, run);
  }

  async #live(pod: Stored<Pod>, run: Run): Promise<void> {
    const { signal } = run.abort;
    try {
      await this.#runPod(pod, run, signal);
    } catch (error) {
      const isExpected = signal.aborted || isKubeError(error, 'NotFound', 'Conflict');
      if (!isExpected) this.#standIn.log.error('conversion pod failed', { error, pod: keyOf(pod) });
    } finally {
      run.answers = undefined;
    }
  }

  async #runPod(pod: Stored<Pod>, run: Run, signal: AbortSignal): Promise<void> {
    const { clock } = this.#standIn;
    const { faults, settings } = this.#deps;
    const { name } = pod.metadata;
    if (faults.strikes('conversion-unschedulable', name)) {
      await this.#write(pod, pending(clock.now()), signal);
      return;
    }
    const claims = await this.#bind(pod, signal);
    await clock.sleep(settings.startMs / settings.speed, signal);
    if (faults.strikes('conversion-evicted', name)) {
      await this.#write(pod, thrownOut(clock.now()), signal);
      return;
    }
    const startedAt = rfc3339(clock.now());
    const running: ContainerState = { running: { startedAt } };
    await this.#write(pod, status(pod, 'Running', running, false, clock.now()), signal);
    const outcome = await convert(pod, claims, this.#deps, signal);
    if ('answers' in outcome) {
      const told = new Promise<void>((resolve) => (run.shutdown = resolve));
      run.answers = outcome.answers;
      await clock.sleep(settings.probeMs / settings.speed, signal);
      await this.#write(pod, status(pod, 'Running', running, true, clock.now()), signal);
      await untilToldOr(told, signal);
      run.answers = undefined;
    }
    const exit = 'answers' in outcome ? { exitCode: 0, lastWords: '' } : outcome;
    const terminated = {
      exitCode: exit.exitCode,
      reason: exit.exitCode === 0 ? 'Completed' : 'Error',
      // The end of the log, for a container that asks for it.
      ...(exit.lastWords !== '' && { message: exit.lastWords }),
      startedAt,
      finishedAt: rfc3339(clock.now()),
    };
    const phase = exit.exitCode === 0 ? 'Succeeded' : 'Failed';
    await this.#write(pod, status(pod, phase, { terminated }, false, clock.now()), signal);
  }

  /** The scheduler's act and the kubelet's mounts in one; a real scheduler binds through a subresource. */
  async #bind(
    pod: Stored<Pod>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Stored<PersistentVolumeClaim>>> {
    const { namespace = '', name, uid } = pod.metadata;
    const { nodeName, speed } = this.#deps.settings;
    await this.#standIn.insist(
      () =>
        this.#client.mergePatch(
          pods,
          { namespace, name },
          { metadata: { uid }, spec: { nodeName } },
          {},
          signal,
        ),
      signal,
    );
    for (;;) {
      const waiting: ContainerState = { waiting: { reason: 'ContainerCreating' } };
      const mounted = await this.#mount(pod, signal);
      if (mounted !== undefined) return mounted;
      await this.#write(pod, status(pod, 'Pending', waiting, false, this.#standIn.clock.now()), signal);
      await this.#standIn.clock.sleep(retryMs / speed, signal);
    }
  }

  async #mount(
    { spec, metadata: { namespace = '' } }: Stored<Pod>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Stored<PersistentVolumeClaim>> | undefined> {
    const claims = new Map<string, Stored<PersistentVolumeClaim>>();
    for (const volume of spec.volumes ?? []) {
      const claimName = volume.persistentVolumeClaim?.claimName;
      const mapName = volume.configMap?.name;
      if (mapName !== undefined) {
        const map = await this.#client.get(configMaps, { namespace, name: mapName }, signal);
        if (map === undefined) return undefined;
      }
      if (claimName === undefined) continue;
      const claim = await this.#client.get(persistentVolumeClaims, { namespace, name: claimName }, signal);
      if (claim === undefined || !isBound(claim)) return undefined;
      claims.set(volume.name, claim);
    }
    return claims;
  }

  async #write(pod: Stored<Pod>, wanted: Pod['status'], signal: AbortSignal): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    const body = { metadata: { uid }, status: wanted };
    await this.#standIn.insist(
      () => this.#client.mergePatch(pods, { namespace, name }, body, { subresource: 'status' }, signal),
      signal,
    );
  }
}

async function untilToldOr(told: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([told, aborted]);
}
