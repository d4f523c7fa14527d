import { namespaces, virtualMachineImports } from '../../src/api/kinds.ts';
import type { KubeObject, ObjectOf, ResourceKind, Stored } from '../../src/api/meta.ts';
import type { VirtualMachineImport } from '../../src/api/virtual-machine-import.ts';
import { createControllers } from '../../src/controllers/controllers.ts';
import type { AtBoundary } from '../../src/controllers/import/boundary.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { TransportError, type ApiResponse, type Transport } from '../../src/kube/transport.ts';
import { defaultSettings, type EngineSettings } from '../../src/migration/settings.ts';
import { SourceError } from '../../src/model/fault.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import { createSourceRegistry, type SourceRegistry } from '../../src/sources/registry.ts';
import type { HttpEndpoint, Trust } from '../../src/sources/source.ts';
import { password } from './objects.ts';
import { SecretsScan } from './secrets-scan.ts';

/** 2026-01-02, as good a day as any: simulated worlds all begin then. */
const start = Date.UTC(2026, 0, 2, 3, 4, 5);

export interface WorldOptions extends Partial<
  Pick<SandboxOptions, 'seed' | 'cdi' | 'kubevirt' | 'storage' | 'vcenter' | 'traceRequests'>
> {
  readonly settings?: Partial<EngineSettings>;
}

/**
 * A request that writes, as "POST /api/v1/namespaces/migrated/secrets". What it throws is what the controller meets: before, the request
 * never arrived; after, its answer was lost.
 */
export type AtWrite = (when: 'before' | 'after', what: string) => void | Promise<void>;

/** An answer in place of the server's, which then never sees the request; undefined: none. */
export type AnswerWrite = (what: string) => ApiResponse | undefined;

/** One run of the controller process: what is started, stopped in good order, or killed between two lines. */
export interface ControllerInstance {
  /** Ends in good order. */
  stop(): Promise<void>;
  /** Ends at once: nothing it does from here on has an effect, whatever it is in the middle of. */
  kill(): void;
  /** Rejects when the process would have ended by itself. */
  readonly ended: Promise<void>;
  /** Requests so far, "verb plural". */
  readonly requests: readonly string[];
}

/** As much of a world as is needed to look at what happened in it. */
export type Look = Pick<TestWorld, 'client' | 'sandbox' | 'get' | 'until' | 'imports'>;

/** An embedded world on simulated time, and the controller that moves VMs in it. */
export class TestWorld implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly clock: SimulatedClock;
  /** As a user with kubectl would. */
  readonly client: KubeClient;
  readonly log = new RecordingLogger();
  /** Everything that is said or stored in this world, held against its passwords when it ends. */
  readonly secrets: SecretsScan;
  readonly #settings: EngineSettings;
  readonly #instances: ControllerInstance[] = [];
  readonly #running: Disposable;
  readonly #sources: SourceRegistry = createSourceRegistry();
  #started = 0;

  private constructor(options: WorldOptions) {
    this.clock = new SimulatedClock({ start });
    this.#settings = { ...defaultSettings, ...options.settings };
    const { settings: _settings, ...sandbox } = options;
    this.sandbox = new Sandbox({
      seed: 1,
      ...sandbox,
      clock: this.clock,
      disks: createMemoryDiskStore(),
      log: this.log,
    });
    this.client = this.sandbox.client('kubectl');
    this.secrets = new SecretsScan(this.sandbox.api, this.log, [password]);
    this.#running = this.clock.run();
  }

  static async start(options: WorldOptions = {}): Promise<TestWorld> {
    const world = new TestWorld(options);
    await world.sandbox.ready;
    return world;
  }

  startController(
    options: {
      readonly atBoundary?: (instance: ControllerInstance) => AtBoundary;
      /** Called before and after each request that writes, "create secrets"; may kill, and never return. */
      readonly atWrite?: (instance: ControllerInstance) => AtWrite;
      readonly answerWrite?: AnswerWrite;
      readonly settings?: Partial<EngineSettings>;
    } = {},
  ): ControllerInstance {
    this.#started += 1;
    const end = new AbortController();
    const requests: string[] = [];
    let isDead = false;
    let atWrite: AtWrite = () => undefined;
    const transport = mortal(
      this.sandbox.api.transport('gantry'),
      () => isDead,
      (when, what) => atWrite(when, what),
      options.answerWrite,
    );
    const random = seededRandom(1000 + this.#started);
    const client = createKubeClient(transport, {
      clock: this.clock,
      random,
      onRequest: ({ verb, resource }) => requests.push(`${verb} ${resource}`),
    });
    let run: Promise<void> = Promise.resolve();
    const instance: ControllerInstance = {
      requests,
      get ended() {
        return run;
      },
      async stop() {
        end.abort(new Error('stopped by the test'));
        await run;
      },
      kill() {
        isDead = true;
        end.abort(new Error('killed by the test'));
      },
    };
    if (options.atWrite !== undefined) atWrite = options.atWrite(instance);
    const { manager } = createControllers({
      client,
      clock: this.clock,
      random,
      log: this.log,
      settings: { ...this.#settings, ...options.settings },
      platformOf: (type) => this.#sources.platform(type),
      connect: (url, trust) => mortalEndpoint(this.sandbox.vcenter.connect(url, trust), () => isDead),
      version: 'test',
      ...(options.atBoundary !== undefined && { atBoundary: options.atBoundary(instance) }),
    });
    run = manager.run(end.signal);
    run.catch(() => undefined);
    this.#instances.push(instance);
    return instance;
  }

  /** Creates what is not there yet, in order. */
  async apply(...objects: readonly (readonly [ResourceKind, KubeObject])[]): Promise<void> {
    for (const [kind, object] of objects) await this.client.create(kind, object);
  }

  async namespace(name: string): Promise<void> {
    await this.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  async get<K extends ResourceKind>(
    kind: K,
    namespace: string,
    name: string,
  ): Promise<Stored<ObjectOf<K> & KubeObject> | undefined> {
    return (await this.client.get(kind, { namespace, name })) as Stored<ObjectOf<K> & KubeObject> | undefined;
  }

  /** The value, as soon as `look` finds one. Throws after `withinSeconds` of simulated time, with what was seen last. */
  async until<T>(what: string, look: () => Promise<T | undefined>, withinSeconds = 3600): Promise<T> {
    const begun = this.clock.now();
    const deadline = begun + withinSeconds * 1000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (this.clock.now() > deadline)
        throw new Error(`not within ${withinSeconds} s: ${what}\n${await this.story()}`);
      // Whoever waits for hours of simulated time looks less often.
      await this.clock.sleep(250 + Math.min(15_000, (this.clock.now() - begun) / 50));
    }
  }

  async imports(): Promise<readonly Stored<VirtualMachineImport>[]> {
    return (await this.client.list(virtualMachineImports)).items;
  }

  /** What a failed test prints: where every import stands and what the controller last said. */
  async story(): Promise<string> {
    const imports = await this.imports().catch(() => []);
    const lines = imports.map(
      ({ metadata, status }) =>
        `${metadata.name}: ${status?.phase ?? '-'} ${status?.outcome ?? ''} ${status?.message ?? ''} ${JSON.stringify(status?.error ?? '')}`,
    );
    const said = this.log.lines
      .filter((line) => line.level !== 'debug')
      .slice(-25)
      .map((line) => `${line.level} ${line.message} ${JSON.stringify(line.fields, errorText)}`);
    return [...lines, ...said].join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.#instances) instance.kill();
    await this.sandbox[Symbol.asyncDispose]();
    this.#running[Symbol.dispose]();
    this.secrets.check();
  }
}

function errorText(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value;
}

/** A dead process sends nothing and hears nothing. */
function mortal(
  transport: Transport,
  isDead: () => boolean,
  atWrite: AtWrite,
  answerWrite: AnswerWrite | undefined,
): Transport {
  const dead = (): never => {
    throw new TransportError('ConnectFailed', 'the process was killed');
  };
  return {
    async request(request, signal) {
      if (isDead()) dead();
      if (request.method === 'GET' || request.query?.['dryRun'] !== undefined)
        return transport.request(request, signal);
      const what = `${request.method} ${request.path}`;
      await atWrite('before', what);
      if (isDead()) dead();
      const instead = answerWrite?.(what);
      if (instead !== undefined) return instead;
      const answer = await transport.request(request, signal);
      await atWrite('after', what);
      return isDead() ? dead() : answer;
    },
    stream: async (request, signal) => (isDead() ? dead() : transport.stream(request, signal)),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

function mortalEndpoint(endpoint: HttpEndpoint, isDead: () => boolean): HttpEndpoint {
  return {
    call: async (request, signal) => {
      if (isDead())
        throw new SourceError({ code: 'Killed', kind: 'transient', message: 'the process was killed' });
      return endpoint.call(request, signal);
    },
    peerThumbprint: (signal) => endpoint.peerThumbprint(signal),
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  };
}

export type { Trust };

/** Kills an instance when it comes to its `index`-th line (from 0), and never lets it go on from there. */
export class KillAt {
  readonly #index: number;
  #count = -1;
  #hasStruck = false;

  constructor(index: number) {
    this.#index = index;
  }

  /** For `atBoundary` and `atWrite` alike. */
  readonly on = (instance: ControllerInstance) => (): undefined | Promise<void> => {
    this.#count += 1;
    if (this.#count !== this.#index) return undefined;
    this.#hasStruck = true;
    instance.kill();
    return new Promise<void>(() => undefined);
  };

  async struck(world: TestWorld): Promise<void> {
    await world.until('the controller dies', () => Promise.resolve(this.#hasStruck ? true : undefined));
  }
}
