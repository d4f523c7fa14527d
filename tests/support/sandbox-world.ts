import type { PersistentVolumeClaim } from '../../src/api/external/core.ts';
import type { Stored } from '../../src/api/meta.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { defaultSettings, type EngineSettings } from '../../src/migration/settings.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import type { CdiSettings } from '../../src/sandbox/cdi/settings.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import type { SwitchedFaults } from '../../src/sandbox/faults.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import type { RecordedTrace } from '../../src/sandbox/trace.ts';
import type { SimulatedVCenter } from '../../src/sandbox/vcenter/simulated-vcenter.ts';
import { createSourceRegistry, type SourceRegistry } from '../../src/sources/registry.ts';
import { contentInSandbox } from './bytes.ts';
import { startInstance, type ControllerInstance, type ControllerOptions } from './controller-instance.ts';
import { password, sandboxNames } from './objects.ts';
import { SecretsScan } from './secrets-scan.ts';
import { TestWorld, type Content, type CopyPace, type WorldOptions } from './world.ts';

/** 2026-01-02, as good a day as any: simulated worlds all begin then. */
const start = Date.UTC(2026, 0, 2, 3, 4, 5);

/** An embedded world on simulated time, and the controller that moves VMs in it. */
export class SandboxWorld extends TestWorld {
  readonly planNamespace = sandboxNames.planNamespace;
  readonly targetNamespace = sandboxNames.targetNamespace;
  readonly sandbox: Sandbox;
  readonly clock: SimulatedClock;
  readonly client: KubeClient;
  readonly log = new RecordingLogger();
  readonly secrets: SecretsScan;
  protected readonly longestWaitSeconds = Infinity;
  readonly #settings: EngineSettings;
  readonly #instances: ControllerInstance[] = [];
  readonly #running: Disposable;
  readonly #sources: SourceRegistry = createSourceRegistry();
  #started = 0;

  private constructor(options: WorldOptions) {
    super();
    const { settings, copy, sandbox } = options;
    this.clock = new SimulatedClock({ start });
    this.#settings = { ...defaultSettings, ...settings };
    this.sandbox = new Sandbox({
      seed: 1,
      ...sandbox,
      cdi: { ...sandbox?.cdi, ...(copy !== undefined && paceOf(copy)) },
      clock: this.clock,
      disks: createMemoryDiskStore(),
      log: this.log,
    });
    this.client = this.sandbox.client('kubectl');
    this.secrets = new SecretsScan(this.log, [password]);
    this.secrets.follow(this.sandbox.api);
    this.#running = this.clock.run();
  }

  static async start(options: WorldOptions = {}): Promise<SandboxWorld> {
    const world = new SandboxWorld(options);
    await world.sandbox.ready;
    return world;
  }

  get vcenter(): SimulatedVCenter {
    return this.sandbox.vcenter;
  }
  get faults(): SwitchedFaults {
    return this.sandbox.faults;
  }
  get trace(): RecordedTrace {
    return this.sandbox.trace;
  }

  startController(options: ControllerOptions = {}): ControllerInstance {
    this.#started += 1;
    const instance = startInstance(
      {
        transport: this.sandbox.api.transport('gantry'),
        connect: (url, trust) => this.sandbox.vcenter.connect(url, trust),
        sources: this.#sources,
        clock: this.clock,
        random: seededRandom(1000 + this.#started),
        log: this.log,
        settings: this.#settings,
      },
      options,
    );
    this.#instances.push(instance);
    return instance;
  }

  contentOf(claim: Stored<PersistentVolumeClaim>): Promise<Content> {
    return Promise.resolve(contentInSandbox(this.sandbox.disks, claim));
  }

  letPass(seconds: number): Promise<void> {
    return this.clock.sleep(seconds * 1000);
  }

  /** Whoever waits for hours of simulated time looks less often. */
  protected lookAgainMs(waitedMs: number): number {
    return 250 + Math.min(15_000, waitedMs / 50);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.#instances) instance.kill();
    await this.sandbox[Symbol.asyncDispose]();
    this.#running[Symbol.dispose]();
    this.secrets.check();
  }
}

function paceOf(copy: CopyPace): Partial<CdiSettings> {
  return 'secondsPerDisk' in copy
    ? { secondsPerDisk: copy.secondsPerDisk }
    : { copyBytesPerSecond: copy.bytesPerSecond };
}
