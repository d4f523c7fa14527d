import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stored } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { isKubeError, isTransientKubeError } from '../../../src/kube/errors.ts';
import { keyOf } from '../../../src/kube/object-key.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Logger } from '../../../src/runtime/log.ts';
import { apiServerPort, hub } from '../addresses.ts';
import { CellError } from '../cell/cell-error.ts';
import type { Network, NetworkNamespace } from '../cell/network.ts';
import type { ContainerParts } from './container-run.ts';
import { ContainerRun } from './container-run.ts';
import { ContainerConfigError, gatherEnv } from './gather-env.ts';
import type { Images, Mount } from './images.ts';
import type { NodeContainer, NodePod } from './node-pod.ts';
import { podField } from './pod-fields.ts';
import type { PodView } from './pod-state.ts';
import { endedView, isOver, phaseOf } from './pod-state.ts';
import { volumeReaders } from './pod-readers.ts';
import type { MountedVolume, VolumeReaders } from './pod-volumes.ts';
import { MountError, mountVolume } from './pod-volumes.ts';
import { StatusWriter } from './status-writer.ts';

export interface PodRunDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly images: Images;
  readonly networks: Pick<Network, 'add' | 'remove'>;
  /** An address on the bridge that nobody has. */
  readonly nextAddress: () => string;
  /** Holds a folder for each pod. */
  readonly folder: string;
  readonly nodeName: string;
  readonly backoffScale: number;
  readonly event: (
    pod: NodePod,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ) => Promise<void>;
}

/** The API server itself stands in for the Service in front of it: nothing here translates addresses. */
const serviceEnv = { KUBERNETES_SERVICE_HOST: hub, KUBERNETES_SERVICE_PORT: String(apiServerPort) };
const firstRetryMs = 250;
const longestRetryMs = 2000;

/** The life of one pod on this node: volumes, network, init containers one after another, then all others. */
export class PodRun {
  readonly uid: string;
  /** Resolves when nothing of the pod runs any more. Never rejects. */
  readonly ended: Promise<void>;
  readonly #pod: Stored<NodePod>;
  readonly #deps: PodRunDeps;
  readonly #folder: string;
  readonly #writer: StatusWriter;
  readonly #stop = new AbortController();
  readonly #containers: ContainerRun[] = [];
  #network: NetworkNamespace | undefined;
  #isOver = false;

  /** `view`: what is known of the pod at the beginning. Aborting `signal` kills all programs and writes nothing more. */
  constructor(pod: Stored<NodePod>, view: PodView, deps: PodRunDeps, signal: AbortSignal) {
    this.uid = pod.metadata.uid;
    this.#pod = pod;
    this.#deps = deps;
    this.#folder = join(deps.folder, `${pod.metadata.namespace ?? ''}_${pod.metadata.name}_${this.uid}`);
    this.#writer = new StatusWriter(pod, view, deps, signal);
    const onAbort = (): void => this.#kill();
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    // In a turn of its own, so that whoever made the run knows it before its first act.
    this.ended = Promise.resolve()
      .then(() => this.#live())
      .finally(() => signal.removeEventListener('abort', onAbort));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get address(): string | undefined {
    return this.#network?.address;
  }

  /** Percent done, where a program of this process tells it. */
  get percent(): number | undefined {
    return this.#containers.map(({ percent }) => percent).find((percent) => percent !== undefined);
  }

  /** SIGTERM, after `graceMs` SIGKILL; resolves when all has ended and the last status is written. */
  async stop(graceMs: number): Promise<void> {
    if (!this.#stop.signal.aborted) this.#stop.abort(new Error('SIGTERM'));
    for (const container of this.#containers) container.signal('SIGTERM');
    using _grace = this.#deps.clock.setTimeout(() => this.#kill(), graceMs);
    const wasOver = this.#isOver;
    await this.ended;
    if (!wasOver) await this.#writer.update(endedView);
  }

  /** SIGKILL to the programs of the containers, which start again by the pod's restart policy. False: none runs. */
  killContainers(): boolean {
    return this.#containers.map((container) => container.signal('SIGKILL')).some((did) => did);
  }

  /** The node throws the pod out: it has failed as a whole. Resolves when that is written. */
  async evict(message: string): Promise<void> {
    if (this.#isOver) return;
    this.#writer.amend((view) => ({ ...view, evicted: message }));
    this.#kill();
    await this.ended;
    await this.#writer.update((view) => view);
  }

  /** The pod was changed by others. */
  observe(pod: Stored<NodePod>): Promise<void> {
    return this.#isOver ? Promise.resolve() : this.#writer.observe(pod);
  }

  /** What the pod's volumes held; logs are kept. */
  async removeVolumes(): Promise<void> {
    await rm(this.#volumeFolder, { recursive: true, force: true });
  }

  get #volumeFolder(): string {
    return join(this.#folder, 'volumes');
  }

  #kill(): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(new Error('SIGKILL'));
    for (const container of this.#containers) container.signal('SIGKILL');
  }

  async #live(): Promise<void> {
    const stop = this.#stop.signal;
    try {
      await mkdir(this.#volumeFolder, { recursive: true });
      await this.#writer.update((view) => view);
      // Over already: what ran was lost, and is not to run again.
      if (isOver(phaseOf(this.#pod, this.#writer.view))) return;
      await this.#prepare(stop);
      await this.#runContainers(stop);
    } catch (error) {
      const isExpected = stop.aborted || isKubeError(error, 'NotFound');
      if (!isExpected) this.#deps.log.error('pod run failed', { error, pod: keyOf(this.#pod) });
    } finally {
      await this.#leaveNetwork();
      this.#isOver = true;
    }
  }

  async #runContainers(stop: AbortSignal): Promise<void> {
    for (const container of this.#pod.spec.initContainers ?? []) {
      const outcome = await this.#container(container, true).run(stop);
      if (outcome !== 'completed') return;
    }
    stop.throwIfAborted();
    const done = this.#writer.view.main.filter(({ state }) => state.terminated !== undefined);
    const containers = this.#pod.spec.containers
      .filter((container) => !done.some(({ name }) => name === container.name))
      .map((container) => this.#container(container, false));
    await Promise.all(
      containers.map(async (container) => {
        if ((await container.run(stop)) === 'evicted') this.#kill();
      }),
    );
  }

  #container(container: NodeContainer, isInit: boolean): ContainerRun {
    const { client, clock, images, backoffScale, event } = this.#deps;
    const run = new ContainerRun(
      this.#pod,
      container,
      {
        isInit,
        folder: this.#folder,
        parts: () => this.#parts(container),
        writer: this.#writer,
      },
      { client, clock, images, backoffScale, event: (...said) => event(this.#pod, ...said) },
    );
    this.#containers.push(run);
    return run;
  }

  /** Volumes first, then the network: as a kubelet has it. What fails is told as an event, and tried again and again. */
  async #prepare(stop: AbortSignal): Promise<void> {
    const { clock, event } = this.#deps;
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(longestRetryMs, waitMs * 2)) {
      stop.throwIfAborted();
      try {
        await this.#volumes();
        await this.#joinNetwork();
        return;
      } catch (error) {
        if (error instanceof MountError) await event(this.#pod, 'Warning', error.code, error.message);
        else if (error instanceof CellError) {
          const message = `Failed to create pod sandbox: ${error.message}`;
          await event(this.#pod, 'Warning', 'FailedCreatePodSandBox', message);
        } else if (!isTransientKubeError(error)) throw error;
      }
      await clock.sleep(waitMs, stop);
    }
  }

  async #volumes(): Promise<ReadonlyMap<string, MountedVolume>> {
    const read = this.#readers();
    const mounted = new Map<string, MountedVolume>();
    for (const volume of this.#pod.spec.volumes ?? []) {
      mounted.set(volume.name, await mountVolume(volume, this.#volumeFolder, read));
    }
    return mounted;
  }

  /** Anew at each start: a Secret that was rewritten since is seen by the restarted container alone (fact: cdi 5.4). */
  async #parts(container: NodeContainer): Promise<ContainerParts> {
    const network = this.#network;
    if (network === undefined) throw new Error(`pod ${keyOf(this.#pod)} has no network`);
    const volumes = await this.#volumes();
    const { namespace = '' } = this.#pod.metadata;
    const own = await gatherEnv(container, namespace, this.#readers());
    const env = { ...serviceEnv, ...own };
    const mounts = await this.#mounts(container, volumes);
    return { volumes, frame: { pod: this.#pod, container, env, mounts, network } };
  }

  async #mounts(
    container: NodeContainer,
    volumes: ReadonlyMap<string, MountedVolume>,
  ): Promise<readonly Mount[]> {
    const find = (name: string): MountedVolume => {
      const found = volumes.get(name);
      if (found === undefined)
        throw new ContainerConfigError(`volume "${name}" of the container is not in the pod`);
      return found;
    };
    const mounts: Mount[] = [];
    for (const { name, mountPath, subPath, readOnly } of container.volumeMounts ?? []) {
      const { source } = find(name);
      const inside = subPath === undefined ? source : join(source, subPath);
      if (subPath !== undefined) await mkdir(inside, { recursive: true });
      mounts.push({ source: inside, path: mountPath, kind: readOnly === true ? 'read-only' : 'read-write' });
    }
    for (const { name, devicePath } of container.volumeDevices ?? []) {
      mounts.push({ source: find(name).source, path: devicePath, kind: 'device' });
    }
    return mounts;
  }

  #readers(): VolumeReaders {
    const { client, nodeName } = this.#deps;
    const pod = this.#pod;
    return {
      ...volumeReaders(client, pod, this.#stop.signal),
      field: (path) =>
        podField(pod, path, { name: nodeName, address: hub, podAddress: this.#network?.address ?? '' }),
    };
  }

  async #joinNetwork(): Promise<void> {
    const address = this.#deps.nextAddress();
    this.#network = await this.#deps.networks.add(`pod-${address.replaceAll('.', '-')}`, address);
    await this.#writer.update((view) => ({ ...view, address }));
  }

  async #leaveNetwork(): Promise<void> {
    if (this.#network === undefined) return;
    try {
      await this.#deps.networks.remove(this.#network);
    } catch (error) {
      this.#deps.log.warn('network of a pod not removed', { error, pod: keyOf(this.#pod) });
    }
  }
}
