import type { KubeObject, ResourceKind, Stored } from '../../../src/api/meta.ts';
import { dataVolumes, namespaces } from '../../../src/api/kinds.ts';
import type { DataVolume, VddkSource } from '../../../src/api/external/cdi.ts';
import { createKubeClient } from '../../../src/kube/rest-client.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import { EmbeddedApiServer } from '../../../src/sandbox/api/api-server.ts';
import { registerCdiAdmission } from '../../../src/sandbox/cdi/admission.ts';
import { startCdi } from '../../../src/sandbox/cdi/cdi.ts';
import type { CdiSettings } from '../../../src/sandbox/cdi/settings.ts';
import { createMemoryDiskStore } from '../../../src/sandbox/disk-memory.ts';
import type { Disk, DiskStore } from '../../../src/sandbox/disk-store.ts';
import { SwitchedFaults } from '../../../src/sandbox/faults.ts';
import { registerKubeVirtAdmission } from '../../../src/sandbox/kubevirt/admission.ts';
import { startKubeVirt } from '../../../src/sandbox/kubevirt/kubevirt.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { SimulatedClock } from '../../../src/sandbox/simulated-clock.ts';
import type { RunningStandIn } from '../../../src/sandbox/stand-in.ts';
import { startStorage } from '../../../src/sandbox/storage/storage.ts';
import { RecordedTrace } from '../../../src/sandbox/trace.ts';
import type { VCenter, VddkDisk, VddkRequest } from '../../../src/sandbox/world.ts';

export const ns = 'vms';
export const mebibyte = 1_048_576;

export interface Cluster extends AsyncDisposable {
  readonly api: EmbeddedApiServer;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly disks: DiskStore;
  readonly faults: SwitchedFaults;
  readonly trace: RecordedTrace;
  readonly log: RecordingLogger;
  readonly source: SourceDisks;
  /** The object once `accepts` holds of it; throws after half a simulated hour. */
  when<T extends KubeObject>(
    kind: ResourceKind<T>,
    name: string,
    accepts: (object: Stored<T>) => boolean,
  ): Promise<Stored<T>>;
  /** Resolves when there is no such object. */
  gone(kind: ResourceKind, name: string): Promise<void>;
}

export interface ClusterOptions {
  readonly cdi?: Partial<CdiSettings>;
  readonly seed?: number;
  readonly withoutVddkImage?: boolean;
  /** By default simulated, and running. */
  readonly clock?: Clock;
  /** Of all parts. */
  readonly speed?: number;
}

/** API server, storage, CDI and KubeVirt on simulated time, with one namespace and a list of source disks instead of a vCenter. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const simulated = new SimulatedClock({ start: Date.UTC(2026, 0, 1) });
  const clock = options.clock ?? simulated;
  const speed = options.speed ?? 1;
  const random = seeded(options.seed ?? 1);
  const trace = new RecordedTrace(clock);
  const faults = new SwitchedFaults(trace);
  const api = new EmbeddedApiServer({ clock, random, faults, trace });
  registerCdiAdmission(api);
  registerKubeVirtAdmission(api, { random });
  const log = new RecordingLogger();
  const disks = createMemoryDiskStore();
  const source = new SourceDisks();
  const running = simulated.run();
  const abort = new AbortController();
  const clientOf = (user: string) => createKubeClient(api.transport(user), { clock, random });
  const deps = { clock, random, log, disks, faults };
  const vcenter = source as unknown as VCenter;
  const parts: readonly RunningStandIn[] = [
    startStorage(clientOf('storage'), { ...deps, settings: { speed } }, abort.signal),
    startCdi(
      clientOf('cdi'),
      {
        ...deps,
        vcenter,
        settings: {
          ...(options.withoutVddkImage !== true && { vddkImage: 'vddk' }),
          flickerChance: 0,
          speed,
          ...options.cdi,
        },
      },
      abort.signal,
    ),
    startKubeVirt(clientOf('kubevirt'), { ...deps, settings: { speed } }, abort.signal),
  ];
  await Promise.all(parts.map(({ ready }) => ready));
  const client = clientOf('test');
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
  return {
    api,
    client,
    clock,
    disks,
    faults,
    trace,
    log,
    source,
    when: (kind, name, accepts) => until(clock, () => client.get(kind, place(kind, name)), accepts, name),
    gone: async (kind, name) => {
      await until(
        clock,
        async () => ({ there: (await client.get(kind, place(kind, name))) !== undefined }),
        ({ there }) => !there,
        name,
      );
    },
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await Promise.all(parts.map(({ stopped }) => stopped));
      running[Symbol.dispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

function place(kind: ResourceKind, name: string): { namespace?: string; name: string } {
  return kind.namespaced ? { namespace: ns, name } : { name };
}

async function until<T>(
  clock: Clock,
  read: () => Promise<T | undefined>,
  accepts: (value: T) => boolean,
  what: string,
): Promise<T> {
  const deadline = clock.now() + 1_800_000;
  let last: T | undefined;
  while (clock.now() < deadline) {
    last = await read();
    if (last !== undefined && accepts(last)) return last;
    await clock.sleep(50);
  }
  throw new Error(`waited half an hour in vain for ${what}: ${JSON.stringify(last, undefined, 1)}`);
}

export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const blockBytes = 65_536;

/** What importers can open, by backing file and snapshot; remembers what was asked. */
export class SourceDisks {
  readonly store = createMemoryDiskStore();
  readonly requests: VddkRequest[] = [];
  refusal: string | undefined;

  add(backingFile: string, sizeBytes: number, random: () => number = seeded(7)): void {
    const disk = this.store.create(backingFile, sizeBytes);
    for (let offset = 0; offset < sizeBytes; offset += 3 * blockBytes) {
      const length = Math.min(blockBytes, sizeBytes - offset);
      disk.write(offset, new Uint8Array(length).fill(1 + Math.floor(random() * 255)));
    }
  }

  write(backingFile: string, offset: number, byte: number): void {
    this.#named(backingFile).write(offset, new Uint8Array(blockBytes).fill(byte));
  }

  /** As the disk is now, for good, under the name of a snapshot. */
  freeze(backingFile: string, snapshot: string): void {
    const disk = this.#named(backingFile);
    const frozen = this.store.create(`${backingFile}@${snapshot}`, disk.sizeBytes);
    for (const { offset, length } of disk.extents()) frozen.write(offset, disk.read(offset, length));
  }

  /** With a snapshot as `previous`. */
  openDisk(request: VddkRequest): VddkDisk {
    this.requests.push(request);
    if (this.refusal !== undefined) throw new Error(this.refusal);
    const { backingFile, snapshot } = request;
    const disk = this.#named(snapshot === undefined ? backingFile : `${backingFile}@${snapshot}`);
    return {
      sizeBytes: disk.sizeBytes,
      host: 'esx.example',
      read: (offset, length) => disk.read(offset, length),
      extents: () => disk.extents(),
      changedAreas: (previous) => {
        const before = this.#named(`${backingFile}@${previous}`);
        const offsets = Array.from({ length: disk.sizeBytes / blockBytes }, (_, i) => i * blockBytes);
        return offsets
          .filter((at) => Buffer.compare(before.read(at, blockBytes), disk.read(at, blockBytes)) !== 0)
          .map((offset) => ({ offset, length: blockBytes }));
      },
      [Symbol.dispose]: () => undefined,
    };
  }

  #named(id: string): Disk {
    const disk = this.store.get(id);
    if (disk === undefined) throw new Error(`Unable to connect to vddk data source: no such disk ${id}`);
    return disk;
  }
}

export const vddk: VddkSource = {
  url: 'https://vcenter.example/sdk',
  uuid: '4203-uuid',
  backingFile: '[store] vm/disk.vmdk',
  thumbprint: 'AA:BB',
  secretRef: 'vcenter-access',
};

export function dataVolume(name: string, changes: Partial<DataVolume['spec']> = {}): DataVolume {
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { name, namespace: ns, labels: { 'gantry.dev/import': 'import-1' } },
    spec: {
      source: { vddk },
      storage: { resources: { requests: { storage: '2Mi' } } },
      ...changes,
    },
  };
}

export async function makeSecret(client: KubeClient, name = 'vcenter-access'): Promise<void> {
  const { secrets } = await import('../../../src/api/kinds.ts');
  await client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: ns },
    data: {
      accessKeyId: Buffer.from('root').toString('base64'),
      secretKey: Buffer.from('hunter2').toString('base64'),
    },
  });
}

/** Phases a DataVolume goes through, each once in a row, read from a watch begun before. */
export function phasesOf(
  cluster: Cluster,
  name: string,
): { readonly phases: readonly string[]; stop(): void } {
  const phases: string[] = [];
  const abort = new AbortController();
  void (async () => {
    try {
      for await (const event of cluster.client.watch(
        dataVolumes,
        { namespace: ns, resourceVersion: '0' },
        abort.signal,
      )) {
        if (event.type === 'BOOKMARK' || event.object.metadata.name !== name) continue;
        const phase = event.object.status?.phase ?? '';
        if (phases.at(-1) !== phase) phases.push(phase);
      }
    } catch {
      // Ended by stop().
    }
  })();
  return { phases, stop: () => abort.abort() };
}
