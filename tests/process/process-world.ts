import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namespaces, virtualMachineImports } from '../../src/api/kinds.ts';
import type { PersistentVolumeClaim } from '../../src/api/external/core.ts';
import type { KubeObject, ObjectOf, ResourceKind, Stored } from '../../src/api/meta.ts';
import type { PlanSpec } from '../../src/api/plan.ts';
import type { VirtualMachineImport } from '../../src/api/virtual-machine-import.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts';
import type { RecordedTrace } from '../../src/sandbox/trace.ts';
import type { SimulatedVCenter } from '../../src/sandbox/vcenter/simulated-vcenter.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import type { VmInput } from '../../src/sandbox/vcenter/vm-spec.ts';
import { contentInSandbox, fill } from '../support/bytes.ts';
import { diskBytes } from '../support/move.ts';
import { mapObjects, password, planObject, providerObjects, sandboxNames } from '../support/objects.ts';
import { SecretsScan } from '../support/secrets-scan.ts';
import type { Content, Look } from '../support/world.ts';
import { Deployment } from './deployment.ts';
import { Door } from './door.ts';
import { GantryProcess } from './gantry-process.ts';
import { patienceSeconds } from './patience.ts';

export interface ProcessWorldOptions extends Partial<Pick<SandboxOptions, 'seed' | 'speed' | 'cdi'>> {
  /** Into the Secret of the source's Provider, over what is right. */
  readonly secret?: Readonly<Record<string, string>>;
  /** Of the VM, over what is usual. */
  readonly vm?: Partial<VmInput>;
  readonly plan?: Partial<PlanSpec>;
}

export interface StartOptions {
  /** Its own way in; left out: a new one. */
  readonly door?: Door;
  readonly leaseSeconds?: number;
  readonly args?: readonly string[];
  /** Default src/main.ts. */
  readonly program?: string;
}

export interface RunningGantry {
  readonly gantry: GantryProcess;
  readonly door: Door;
}

/**
 * An embedded world in this process, on the system's clock and behind real sockets, with the Plan of one VM; controllers are processes
 * of their own. Whatever it started is ended with it.
 */
export class ProcessWorld implements AsyncDisposable, Look {
  readonly planNamespace = sandboxNames.planNamespace;
  readonly targetNamespace = sandboxNames.targetNamespace;
  readonly clock = new SystemClock();
  readonly log = new RecordingLogger();
  readonly sandbox: Sandbox;
  readonly client: KubeClient;
  readonly source: VmHandle;
  readonly #secrets: SecretsScan;
  readonly #folder: string;
  readonly #doors: Door[] = [];
  readonly #processes: GantryProcess[] = [];
  readonly #deployments: Deployment[] = [];
  #isOver = false;

  private constructor(folder: string, options: ProcessWorldOptions) {
    const { secret: _secret, plan: _plan, vm, ...sandbox } = options;
    this.#folder = folder;
    this.sandbox = new Sandbox({
      seed: 1,
      speed: 20,
      ...sandbox,
      clock: this.clock,
      disks: createMemoryDiskStore(),
      log: this.log,
    });
    this.client = this.sandbox.client('kubectl');
    this.#secrets = new SecretsScan(this.log, [password]);
    this.#secrets.follow(this.sandbox.api);
    this.source = this.sandbox.vcenter.addVm({
      name: 'web-01',
      power: 'on',
      disks: [{ sizeBytes: diskBytes }],
      ...vm,
    });
    fill(this.source.disks[0]!.disk, 1);
  }

  static async start(options: ProcessWorldOptions = {}): Promise<ProcessWorld> {
    const world = new ProcessWorld(await mkdtemp(join(tmpdir(), 'gantry-process-')), options);
    await world.sandbox.ready;
    await world.vcenter.listen();
    await world.client.create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: world.planNamespace },
    });
    await world.apply(
      ...providerObjects(world, options.secret),
      ...mapObjects(world),
      planObject(world, [{ id: world.source.id, name: world.source.name }], options.plan),
    );
    return world;
  }

  get vcenter(): SimulatedVCenter {
    return this.sandbox.vcenter;
  }
  get trace(): RecordedTrace {
    return this.sandbox.trace;
  }

  async apply(...objects: readonly (readonly [ResourceKind, KubeObject])[]): Promise<void> {
    for (const [kind, object] of objects) await this.client.create(kind, object);
  }

  async openDoor(): Promise<Door> {
    const door = await Door.open(this.sandbox);
    this.#doors.push(door);
    return door;
  }

  /** `gantry controller` as a Deployment would start it. */
  async startController(options: StartOptions = {}): Promise<RunningGantry> {
    const { door = await this.openDoor(), leaseSeconds = 2, args = [], program } = options;
    const number = this.#processes.length;
    const file = join(this.#folder, `kubeconfig-${number}`);
    await writeFile(file, door.kubeconfig);
    const gantry = new GantryProcess(
      [
        ...['controller', '--kubeconfig', file, '--bind', 'none', '--log-format', 'json'],
        ...['--lease-duration', String(leaseSeconds), ...args],
      ],
      { clock: this.clock, env: { POD_NAME: `gantry-${number}` }, ...(program !== undefined && { program }) },
    );
    this.#processes.push(gantry);
    return { gantry, door };
  }

  /** The same, started anew whenever it ends. */
  async keepController(options: StartOptions = {}): Promise<Deployment> {
    const door = options.door ?? (await this.openDoor());
    const deployment = new Deployment(
      door,
      async () => (await this.startController({ ...options, door })).gantry,
    );
    this.#deployments.push(deployment);
    return deployment;
  }

  async get<K extends ResourceKind>(
    kind: K,
    namespace: string,
    name: string,
  ): Promise<Stored<ObjectOf<K> & KubeObject> | undefined> {
    return (await this.client.get(kind, { namespace, name })) as Stored<ObjectOf<K> & KubeObject> | undefined;
  }

  contentOf(claim: Stored<PersistentVolumeClaim>): Promise<Content> {
    return Promise.resolve(contentInSandbox(this.sandbox.disks, claim));
  }

  async imports(): Promise<readonly Stored<VirtualMachineImport>[]> {
    return (await this.client.list(virtualMachineImports)).items;
  }

  /**
   * The value, as soon as `look` finds one. Throws when it has not for long (patience.ts), whatever the caller's limit, or when a
   * controller has failed or the world has ended; with what the processes last said.
   */
  async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = this.clock.monotonicMs() + patienceSeconds * 1000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      for (const { failure } of this.#deployments) if (failure !== undefined) throw failure;
      if (this.#isOver) throw new Error(`the world has ended before: ${what}`);
      if (this.clock.monotonicMs() > deadline)
        throw new Error(`not within ${patienceSeconds} s: ${what}\n${await this.story()}`);
      await this.clock.sleep(20);
    }
  }

  async story(): Promise<string> {
    const imports = (await this.imports()).map(
      ({ metadata, status }) => `${metadata.name}: ${status?.phase ?? '-'} ${status?.message ?? ''}`,
    );
    const said = this.#processes.map(
      ({ pid, stderr, exit }) => `process ${pid} ${JSON.stringify(exit ?? 'runs')}\n${stderr.slice(-4000)}`,
    );
    return [...imports, ...said].join('\n');
  }

  /** Throws when a password was seen in an object or in what a process wrote. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    for (const deployment of this.#deployments) await deployment[Symbol.asyncDispose]();
    for (const gantry of this.#processes) await gantry[Symbol.asyncDispose]();
    for (const door of this.#doors) await door[Symbol.asyncDispose]();
    await this.sandbox[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
    this.log.lines.push(...this.#processes.flatMap(({ lines }) => lines));
    this.#secrets.check();
  }
}
