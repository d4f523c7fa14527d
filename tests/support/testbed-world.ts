import { join } from 'node:path';
import type { Testbed, TestbedUser } from '../../hack/testbed/control/testbed.ts';
import { worldPrefixes } from '../../hack/testbed/suite/world-namespaces.ts';
import { serveDisks } from '../../hack/testbed/vddk/data-service.ts';
import { dataVolumes, persistentVolumeClaims, pods, storageClasses } from '../../src/api/kinds.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../src/api/external/core.ts';
import type { ResourceKind, Stored } from '../../src/api/meta.ts';
import { loadKubeConfig, type ClusterAccess } from '../../src/kube/auth.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { createUndiciTransport } from '../../src/kube/undici-transport.ts';
import { defaultSettings, type EngineSettings } from '../../src/migration/settings.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { SwitchedFaults } from '../../src/sandbox/faults.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { RecordedTrace } from '../../src/sandbox/trace.ts';
import { SimulatedVCenter } from '../../src/sandbox/vcenter/simulated-vcenter.ts';
import { createHttpEndpoint } from '../../src/sources/http-endpoint.ts';
import { createSourceRegistry, type SourceRegistry } from '../../src/sources/registry.ts';
import { startInstance, type ControllerInstance, type ControllerOptions } from './controller-instance.ts';
import { contentOfFile } from './file-content.ts';
import { password } from './objects.ts';
import { ownAddress, ownTestbed } from './own-testbed.ts';
import { SecretsScan } from './secrets-scan.ts';
import { slowReads } from './slow-reads.ts';
import { clearAway, clearLeftovers, scanObjects, type Clients } from './testbed-cleanup.ts';
import { TestWorld, type Content, type WorldOptions } from './world.ts';

/** What must not happen has this long to happen. */
const longestPassSeconds = 2;

interface Parts {
  readonly testbed: Testbed;
  readonly access: Readonly<Record<Extract<TestbedUser, 'admin' | 'gantry'>, ClusterAccess>>;
  readonly clients: Clients;
  readonly classes: readonly Stored<StorageClass>[];
  /** What ends with the world. */
  readonly stack: AsyncDisposableStack;
}

/**
 * The real API server, CDI and KubeVirt of the testbed that this process runs in, and a simulated vCenter on an address of its own, from
 * which real importers copy. The controller runs in this process as the user that its manifests make, with that user's rights.
 */
export class TestbedWorld extends TestWorld {
  readonly planNamespace: string;
  readonly targetNamespace: string;
  readonly clock = new SystemClock();
  readonly trace = new RecordedTrace(this.clock);
  readonly faults = new SwitchedFaults(this.trace);
  readonly log = new RecordingLogger();
  readonly secrets = new SecretsScan(this.log, [password]);
  readonly client: KubeClient;
  readonly testbed: Testbed;
  readonly vcenter: SimulatedVCenter;
  /** CDI's controller that has lost its lease is back after a minute and a half; a garbage collector may take more than a minute. */
  protected readonly longestWaitSeconds = 240;
  readonly #parts: Parts;
  readonly #settings: EngineSettings;
  readonly #instances: ControllerInstance[] = [];
  readonly #sources: SourceRegistry = createSourceRegistry();
  #started = 0;

  private constructor(parts: Parts, options: WorldOptions) {
    super();
    // Worlds of a process follow each other, and no two of them begin in the same millisecond.
    const mark = (this.clock.now() % 36 ** 6).toString(36);
    this.planNamespace = `${worldPrefixes.plan}${mark}`;
    this.targetNamespace = `${worldPrefixes.target}${mark}`;
    this.#parts = parts;
    this.client = parts.clients.admin;
    this.testbed = parts.testbed;
    this.#settings = { ...defaultSettings, ...options.settings };
    this.vcenter = new SimulatedVCenter({
      clock: this.clock,
      random: seededRandom(1),
      disks: createMemoryDiskStore(),
      faults: this.faults,
      trace: this.trace,
      speed: 20,
    });
  }

  static async start(options: WorldOptions = {}): Promise<TestbedWorld> {
    if (options.sandbox !== undefined)
      throw new Error(
        'settings of the sandbox mean nothing here: declare the test as one of the sandbox only',
      );
    const stack = new AsyncDisposableStack();
    try {
      const world = new TestbedWorld(await openParts(stack), options);
      await world.#serveSource(options);
      return world;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  startController(options: ControllerOptions = {}): ControllerInstance {
    this.#started += 1;
    const { clock, log } = this;
    const transport = this.#transport('gantry');
    const instance = startInstance(
      {
        transport,
        connect: (url, trust) => createHttpEndpoint(url, trust),
        sources: this.#sources,
        clock,
        random: seededRandom(1000 + this.#started),
        log,
        settings: this.#settings,
      },
      options,
    );
    this.#instances.push(instance);
    return instance;
  }

  async contentOf(claim: Stored<PersistentVolumeClaim>): Promise<Content> {
    const { name, uid } = claim.metadata;
    const volume = await this.testbed.volume(uid);
    if (volume === undefined) throw new Error(`claim ${name} has no volume`);
    return contentOfFile(volume.mode === 'Block' ? volume.path : join(volume.path, 'disk.img'));
  }

  letPass(seconds: number): Promise<void> {
    return this.clock.sleep(Math.min(seconds, longestPassSeconds) * 1000);
  }

  /** Also what CDI makes of it. */
  override async story(): Promise<string> {
    const of: readonly ResourceKind[] = [dataVolumes, persistentVolumeClaims, pods];
    const lists = await Promise.all(
      of.map((kind) => this.client.list(kind, { namespace: this.targetNamespace })),
    );
    const lines = lists.flatMap(({ items }, index) =>
      items.map(
        (item) =>
          `${of[index]?.kind} ${item.metadata.name}: ${JSON.stringify((item as { status?: unknown }).status)}`,
      ),
    );
    return [...lines, await super.story()].join('\n');
  }

  protected lookAgainMs(): number {
    return 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.#instances) instance.kill();
    const { clients, classes, stack } = this.#parts;
    try {
      await scanObjects(this.client, this, this.secrets);
      await clearAway(clients, this, classes);
    } finally {
      await stack.disposeAsync();
    }
    this.secrets.check();
  }

  /** vCenter and ESXi hosts at the address of this worker. */
  async #serveSource({ copy }: WorldOptions): Promise<void> {
    const { stack } = this.#parts;
    const { vcenter, faults, clock } = this;
    const host = ownAddress();
    const end = new AbortController();
    stack.use(vcenter);
    await vcenter.listen({ host, port: 443 });
    const beforeRead = slowReads(copy, clock, end.signal);
    stack.use(await serveDisks({ vcenter, faults, host, ...(beforeRead !== undefined && { beforeRead }) }));
    stack.defer(() => end.abort(new Error('the world ends')));
  }

  #transport(user: keyof Parts['access']): Transport {
    return this.#parts.stack.use(
      createUndiciTransport({ ...this.#parts.access[user], clock: this.clock, connections: 32 }),
    );
  }
}

async function openParts(stack: AsyncDisposableStack): Promise<Parts> {
  const clock = new SystemClock();
  const testbed = await ownTestbed();
  const accessOf = (user: TestbedUser): Promise<ClusterAccess> =>
    loadKubeConfig({ path: testbed.kubeconfig(user), clock });
  const access = { admin: await accessOf('admin'), gantry: await accessOf('gantry') };
  const clientOf = (user: keyof typeof access): KubeClient =>
    createKubeClient(stack.use(createUndiciTransport({ ...access[user], clock })), {
      clock,
      random: seededRandom(1),
    });
  const clients = { admin: clientOf('admin'), gantry: clientOf('gantry') };
  await clearLeftovers(clients);
  const { items: classes } = await clients.admin.list(storageClasses);
  return { testbed, access, clients, classes, stack };
}
