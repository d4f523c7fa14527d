import { appendFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stored } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { isTransientKubeError } from '../../../src/kube/errors.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { rfc3339 } from '../../../src/runtime/clock.ts';
import { certVolumeName } from '../../../src/sandbox/cdi/importer-pod.ts';
import type { BackOff } from './back-off.ts';
import { lengthen, waitAfterEnd } from './back-off.ts';
import { containerCommand } from './bubblewrap.ts';
import { ContainerConfigError } from './gather-env.ts';
import type { ContainerFrame, Image, Images } from './images.ts';
import type { NodeContainer, NodePod, Terminated } from './node-pod.ts';
import { crashLoop, startsAgain } from './pod-state.ts';
import type { MountedVolume } from './pod-volumes.ts';
import { MountError } from './pod-volumes.ts';
import type { ContainerExit, RunningContainer } from './run-container.ts';
import { startCommand } from './run-container.ts';
import { startProgram } from './run-program.ts';
import type { StatusWriter } from './status-writer.ts';
import { readTermination, terminationPath } from './termination.ts';

export interface ContainerRunDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly images: Images;
  /** Multiplies every wait of a back-off. */
  readonly backoffScale: number;
  readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => Promise<void>;
}

/** What the pod around a container gives it at each start. */
export interface ContainerParts {
  readonly frame: ContainerFrame;
  /** By the name of the pod's volume. */
  readonly volumes: ReadonlyMap<string, MountedVolume>;
}

export type ContainerOutcome = 'completed' | 'failed' | 'evicted';

/** Milliseconds between two looks for what is missing; a kubelet's grow to minutes, which no test wants to wait for. */
const firstRetryMs = 250;
const longestRetryMs = 2000;
/** A kubelet looks once a second at what its containers do: about so long an end is seen as such (inferred from its PLEG). */
const shownEndMs = 1000;
/** Fact: Kubernetes 1.36, kubelet's imageBackOffPeriod and MaxImageBackOff. */
const firstPullMs = 10_000;
const longestPullMs = 300_000;

/** One container of a pod through all its restarts. */
export class ContainerRun {
  readonly #pod: Stored<NodePod>;
  readonly #container: NodeContainer;
  readonly #isInit: boolean;
  readonly #folder: string;
  readonly #parts: () => Promise<ContainerParts>;
  readonly #writer: StatusWriter;
  readonly #deps: ContainerRunDeps;
  #running: RunningContainer | undefined;
  #restartCount: number;
  /** Percent done, where a program of this process tells it. */
  percent: number | undefined;

  /** `folder` holds the pod's logs. `parts` throws MountError or ContainerConfigError for what is not there yet. */
  constructor(
    pod: Stored<NodePod>,
    container: NodeContainer,
    options: {
      readonly isInit: boolean;
      readonly folder: string;
      readonly parts: () => Promise<ContainerParts>;
      readonly writer: StatusWriter;
    },
    deps: ContainerRunDeps,
  ) {
    this.#pod = pod;
    this.#container = container;
    this.#isInit = options.isInit;
    this.#folder = options.folder;
    this.#parts = options.parts;
    this.#writer = options.writer;
    this.#deps = deps;
    const { init, main } = options.writer.view;
    this.#restartCount = [...init, ...main].find(({ name }) => name === container.name)?.restartCount ?? 0;
  }

  /** False: no program runs. */
  signal(name: 'SIGTERM' | 'SIGKILL'): boolean {
    if (this.#running === undefined) return false;
    this.#running.signal(name);
    return true;
  }

  /** Until the container has ended for good by its pod's restart policy. Aborted, it starts nothing more and ends with its program. */
  async run(signal: AbortSignal): Promise<ContainerOutcome> {
    let backOff: BackOff | undefined;
    for (;;) {
      const image = await this.#pull(signal);
      const parts = await this.#wait(signal);
      signal.throwIfAborted();
      const ended = await this.#once(image, parts, signal);
      if (ended.isEvicted) return 'evicted';
      const { exitCode } = ended.terminated;
      if (!startsAgain(this.#pod, exitCode, this.#isInit) || signal.aborted)
        return exitCode === 0 ? 'completed' : 'failed';
      const finishedMs = this.#deps.clock.now();
      await this.#backOff(backOff, ended.terminated, finishedMs, signal);
      backOff = lengthen(backOff, finishedMs, this.#deps.clock.now());
      this.#restartCount += 1;
    }
  }

  async #pull(signal: AbortSignal): Promise<Image> {
    const reference = this.#container.image ?? '';
    for (let waitMs = firstPullMs; ; waitMs = Math.min(longestPullMs, waitMs * 2)) {
      const image = this.#deps.images(reference);
      if (image !== undefined) return image;
      const why = `failed to pull and unpack image "${reference}": not found`;
      await this.#deps.event('Warning', 'Failed', `Failed to pull image "${reference}": ${why}`);
      await this.#showWaiting('ErrImagePull', why);
      await this.#deps.clock.sleep(shownEndMs * this.#deps.backoffScale, signal);
      const message = `Back-off pulling image "${reference}": ErrImagePull: ${why}`;
      await this.#deps.event('Normal', 'BackOff', `Back-off pulling image "${reference}"`);
      await this.#showWaiting('ImagePullBackOff', message);
      await this.#deps.clock.sleep(waitMs * this.#deps.backoffScale, signal);
    }
  }

  /** Until all parts are there; says meanwhile what is missing. */
  async #wait(signal: AbortSignal): Promise<ContainerParts> {
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(longestRetryMs, waitMs * 2)) {
      try {
        return await this.#parts();
      } catch (error) {
        if (error instanceof MountError) await this.#deps.event('Warning', error.code, error.message);
        else if (error instanceof ContainerConfigError) {
          await this.#deps.event('Warning', 'Failed', `Error: ${error.message}`);
          await this.#showWaiting(error.code, error.message);
        } else if (!isTransientKubeError(error)) throw error;
      }
      await this.#deps.clock.sleep(waitMs, signal);
    }
  }

  async #showWaiting(reason: string, message: string): Promise<void> {
    await this.#writer.updateContainer(this.#container.name, (view) => ({
      ...view,
      ...moved(view),
      state: { waiting: { reason, message } },
    }));
  }

  /** One life of the container, from its start to its end. */
  async #once(
    image: Image,
    parts: ContainerParts,
    signal: AbortSignal,
  ): Promise<{ readonly terminated: Terminated; readonly isEvicted: boolean }> {
    const { clock } = this.#deps;
    const { name } = this.#container;
    const files = this.#files();
    await writeFile(files.message, '');
    const startedAt = rfc3339(clock.now());
    this.#running = await this.#start(image, parts, files);
    // It was ended while it began.
    if (signal.aborted) this.#running.signal('SIGKILL');
    const restartCount = this.#restartCount;
    const shown = this.#writer.updateContainer(name, (view) => ({
      ...view,
      ...moved(view),
      restartCount,
      state: { running: { startedAt } },
    }));
    const exit = await this.#running.ended;
    this.#running = undefined;
    this.percent = undefined;
    await shown;
    const terminated = await this.#terminated(exit, startedAt, files);
    const { evicted } = exit;
    if (evicted !== undefined) this.#writer.amend((view) => ({ ...view, evicted }));
    await this.#writer.updateContainer(name, (view) => ({ ...view, state: { terminated } }));
    return { terminated, isEvicted: evicted !== undefined };
  }

  async #terminated(exit: ContainerExit, startedAt: string, files: Files): Promise<Terminated> {
    const { exitCode, startError } = exit;
    const message = exit.message ?? (await readTermination(this.#container, exitCode, files));
    const words = startError === undefined ? message : `${startError}: ${message}`;
    const reason = startError === undefined ? 'Error' : 'StartError';
    return {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : reason,
      ...(words !== '' && { message: words }),
      startedAt,
      finishedAt: rfc3339(this.#deps.clock.now()),
    };
  }

  async #start(image: Image, { frame, volumes }: ContainerParts, files: Files): Promise<RunningContainer> {
    if ('entrypoint' in image) {
      const message = { source: files.message, path: terminationPath(this.#container) };
      const command = containerCommand(frame, image, [{ ...message, kind: 'read-write' }]);
      return startCommand(command, frame.env, files.log);
    }
    const { client, clock } = this.#deps;
    const claims = new Map(
      [...volumes].flatMap(([name, { claim }]) => (claim === undefined ? [] : [[name, claim] as const])),
    );
    const certs = volumes.get(certVolumeName)?.source;
    return startProgram(image.program, {
      ...frame,
      client,
      clock,
      claims,
      certs,
      print: (line) => appendFileSync(files.log, `${line}\n`),
      report: (percent) => (this.percent = percent),
    });
  }

  #files(): Files {
    const name = `${this.#container.name}.${this.#restartCount}`;
    return { log: join(this.#folder, `${name}.log`), message: join(this.#folder, `${name}.message`) };
  }

  async #backOff(
    backOff: BackOff | undefined,
    terminated: Terminated,
    finishedMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const waitMs = waitAfterEnd(backOff, finishedMs);
    const { clock, backoffScale } = this.#deps;
    const { name } = this.#container;
    const pod = `${this.#pod.metadata.name}_${this.#pod.metadata.namespace ?? ''}(${this.#pod.metadata.uid})`;
    await clock.sleep(shownEndMs * backoffScale, signal);
    if (waitMs === 0) return;
    await this.#writer.updateContainer(name, (view) => ({
      ...view,
      lastState: { terminated },
      state: crashLoop(this.#pod, name, waitMs),
    }));
    await this.#deps.event(
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${name} in pod ${pod}`,
    );
    await clock.sleep((waitMs - shownEndMs) * backoffScale, signal);
  }
}

interface Files {
  readonly log: string;
  readonly message: string;
}

/** A state that is left and was an end becomes the last state. */
function moved(view: { readonly state: { readonly terminated?: Terminated } }): {
  readonly lastState?: { readonly terminated: Terminated };
} {
  const { terminated } = view.state;
  return terminated === undefined ? {} : { lastState: { terminated } };
}
