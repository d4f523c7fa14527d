import {
  migrations,
  namespaces,
  networkMaps,
  plans,
  providers,
  storageMaps,
  virtualMachineImports,
} from '../../src/api/kinds.ts';
import type { PersistentVolumeClaim } from '../../src/api/external/core.ts';
import type { KubeObject, ObjectOf, ResourceKind, Stored } from '../../src/api/meta.ts';
import type { VirtualMachineImport } from '../../src/api/virtual-machine-import.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { EngineSettings } from '../../src/migration/settings.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import type { Disk } from '../../src/sandbox/disk-store.ts';
import type { SandboxOptions } from '../../src/sandbox/sandbox.ts';
import type { SimulatedVCenter } from '../../src/sandbox/vcenter/simulated-vcenter.ts';
import type { FaultName, Trace } from '../../src/sandbox/world.ts';
import type { ControllerInstance, ControllerOptions } from './controller-instance.ts';
import type { Names } from './objects.ts';
import type { SecretsScan } from './secrets-scan.ts';

export interface WorldOptions {
  readonly settings?: Partial<EngineSettings>;
  /** How fast disks are copied; left out: as fast as it goes. */
  readonly copy?: CopyPace;
  /** What only an embedded world has a setting for; the testbed refuses it. */
  readonly sandbox?: Partial<
    Pick<SandboxOptions, 'seed' | 'cdi' | 'conversion' | 'kubevirt' | 'storage' | 'traceRequests' | 'vcenter'>
  >;
}

/** A disk takes so many seconds, whatever its size (on a real clock less, but long enough to meet it in the middle); or bytes a second. */
export type CopyPace = { readonly secondsPerDisk: number } | { readonly bytesPerSecond: number };

/** Faults of the source: simulated in every world, since the vCenter is. The others strike API server, CDI and KubeVirt. */
export type SourceFaultName = Exclude<
  FaultName,
  | `api-${string}`
  | `watch-${string}`
  | `conversion-${string}`
  | 'importer-crash'
  | 'pod-evicted'
  | 'webhook-timeout'
>;
export interface SourceFaults {
  start(name: SourceFaultName, options?: { readonly subject?: string; readonly times?: number }): Disposable;
}

/** What stands behind a claim. */
export type Content = Pick<Disk, 'sizeBytes' | 'read' | 'extents'>;

/** As much of a world as is needed to look at what happened in it. */
export interface Look extends Names {
  /** As a user with kubectl would. */
  readonly client: KubeClient;
  readonly vcenter: SimulatedVCenter;
  readonly trace: Trace;
  get<K extends ResourceKind>(
    kind: K,
    namespace: string,
    name: string,
  ): Promise<Stored<ObjectOf<K> & KubeObject> | undefined>;
  /** The value, as soon as `look` finds one. Throws when it has not within `withinSeconds`, with what was seen last. */
  until<T>(what: string, look: () => Promise<T | undefined>, withinSeconds?: number): Promise<T>;
  imports(): Promise<readonly Stored<VirtualMachineImport>[]>;
  /** The bytes behind a claim. Throws when there are none. */
  contentOf(claim: Stored<PersistentVolumeClaim>): Promise<Content>;
}

/**
 * A cluster, a vCenter and the controller that moves VMs from one to the other: embedded and on simulated time, or real programs on the
 * system's clock. A test says what happens in it; where it needs what only one of the two can do, it declares that (needs.ts).
 */
export abstract class TestWorld implements Look, AsyncDisposable {
  abstract readonly planNamespace: string;
  abstract readonly targetNamespace: string;
  abstract readonly clock: Clock;
  abstract readonly client: KubeClient;
  abstract readonly vcenter: SimulatedVCenter;
  abstract readonly faults: SourceFaults;
  abstract readonly trace: Trace;
  abstract readonly log: RecordingLogger;
  /** Everything that is said or stored in this world, held against its passwords when it ends. */
  abstract readonly secrets: SecretsScan;

  abstract startController(options?: ControllerOptions): ControllerInstance;
  abstract contentOf(claim: Stored<PersistentVolumeClaim>): Promise<Content>;
  /**
   * Lets so much time pass, for tests of what must not happen meanwhile, or of what goes on after a while whatever its length. On a real
   * clock a sample of it: what needs the whole of it skips time, and declares that.
   */
  abstract letPass(seconds: number): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;
  /** Of a wait that has gone on for so long: milliseconds until the next look. */
  protected abstract lookAgainMs(waitedMs: number): number;
  /** Nothing is waited for longer, however long it may take. */
  protected abstract readonly longestWaitSeconds: number;

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

  async until<T>(what: string, look: () => Promise<T | undefined>, withinSeconds = 3600): Promise<T> {
    const limit = Math.min(withinSeconds, this.longestWaitSeconds);
    const begun = this.clock.now();
    const deadline = begun + limit * 1000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (this.clock.now() > deadline)
        throw new Error(`not within ${limit} s: ${what}\n${await this.story()}`);
      await this.clock.sleep(this.lookAgainMs(this.clock.now() - begun));
    }
  }

  async imports(): Promise<readonly Stored<VirtualMachineImport>[]> {
    return (await this.client.list(virtualMachineImports, { namespace: this.planNamespace })).items;
  }

  /** What a failed test prints: where every import stands, what Plans and maps say and what the controller last said. */
  async story(): Promise<string> {
    const namespace = this.planNamespace;
    const imports = await this.imports().catch(() => []);
    const lines = imports.map(
      ({ metadata, status }) =>
        `${metadata.name}: ${status?.phase ?? '-'} ${status?.outcome ?? ''} ${status?.message ?? ''} ${JSON.stringify(status?.error ?? '')}`,
    );
    for (const kind of [providers, plans, storageMaps, networkMaps, migrations]) {
      const { items } = await this.client
        .list(kind as ResourceKind, { namespace })
        .catch(() => ({ items: [] }));
      for (const { metadata, status } of items as readonly Told[]) {
        const said = (status?.conditions ?? []).map(({ type, message }) => `${type} (${message ?? ''})`);
        lines.push(`${kind.kind} ${metadata.name}: ${said.join(' ')}`);
      }
    }
    const said = this.log.lines
      .filter((line) => line.level !== 'debug')
      .slice(-25)
      .map((line) => `${line.level} ${line.message} ${JSON.stringify(line.fields, errorText)}`);
    return [...lines, ...said].join('\n');
  }
}

interface Told {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly message?: string }[] };
}

function errorText(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value;
}
