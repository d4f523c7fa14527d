import { join } from 'node:path';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../../src/api/external/core.ts';
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../../src/api/kinds.ts';
import type { Stored } from '../../../src/api/meta.ts';
import type { ObjectCache } from '../../../src/kube/cache.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { keyOf } from '../../../src/kube/object-key.ts';
import type { ReconcileResult } from '../../../src/runtime/controller.ts';
import { watchCache } from '../../../src/runtime/watch-cache.ts';
import type { RunningStandIn, StandInDeps } from '../../../src/sandbox/stand-in.ts';
import { StandIn } from '../../../src/sandbox/stand-in.ts';
import { decideBinding, findClass } from '../../../src/sandbox/storage/binding.ts';
import { quantityValue } from '../../../src/sandbox/storage/quantity.ts';
import { modeOf, requestedBytes } from '../../../src/sandbox/storage/volume-size.ts';
import type { TestbedVolume } from '../control/testbed.ts';
import type { Backing, VolumeSpec } from './volume-store.ts';
import { VolumeStore } from './volume-store.ts';

/** Annotations of a StorageClass by which a test troubles it, at any time. */
export const delaySecondsAnnotation = 'testbed.gantry.dev/provisioning-delay-seconds';
/** Its value is the reason that claims' events tell. */
export const refusalAnnotation = 'testbed.gantry.dev/provisioning-refused';
/** Parameter of a StorageClass: "folder" for file systems without a limit; else each has exactly the size asked for. */
export const backingParameter = 'backing';

const provisionedByAnnotation = 'pv.kubernetes.io/provisioned-by';
/** How often a refused claim is tried again, besides after each change of its class. */
const refusedRetryMs = 5000;

export interface ProvisionerDeps extends StandInDeps {
  /** The testbed's folder; volumes are in its folder "volumes". */
  readonly folder: string;
  /** The provisioners that StorageClasses name and that this one is. */
  readonly provisioners: readonly string[];
}

export interface TestbedProvisioner extends RunningStandIn {
  /** What is behind a bound claim; undefined: nothing (yet, or any more). */
  volume(claimUid: string): Promise<TestbedVolume | undefined>;
}

/**
 * What an external provisioner does: a volume for each claim of its classes that may have one, and the end of volumes that were released.
 * Binding, protection and phases are the real controllers' (fact: cdi 5.3). Claims with a data source are the populators' affair: those
 * make an ordinary claim beside it, and move its volume (fact: cdi 2.4).
 */
export function startProvisioner(
  client: KubeClient,
  deps: ProvisionerDeps,
  signal: AbortSignal,
): TestbedProvisioner {
  const standIn = new StandIn('testbed-provisioner', client, deps);
  const store = new VolumeStore(join(deps.folder, 'volumes'));
  const provisioner = new Provisioner(standIn, store, deps);
  const { ready, stopped } = standIn.start(signal);
  return {
    ready,
    stopped: stopped.then(() => store[Symbol.asyncDispose]()),
    volume: (claimUid) => provisioner.volume(claimUid),
  };
}

class Provisioner {
  readonly #standIn: StandIn;
  readonly #client: KubeClient;
  readonly #store: VolumeStore;
  readonly #deps: ProvisionerDeps;
  readonly #claims: ObjectCache<PersistentVolumeClaim>;
  readonly #volumes: ObjectCache<PersistentVolume, 'claim'>;
  readonly #classes: ObjectCache<StorageClass>;
  /** Milliseconds (monotonic) since which a claim could be served, by its uid. */
  readonly #since = new Map<string, number>();

  constructor(standIn: StandIn, store: VolumeStore, deps: ProvisionerDeps) {
    this.#standIn = standIn;
    this.#client = standIn.client;
    this.#store = store;
    this.#deps = deps;
    this.#claims = standIn.cache(persistentVolumeClaims);
    this.#volumes = standIn.cache(persistentVolumes, { indexes: { claim: claimUids } });
    this.#classes = standIn.cache(storageClasses);
    const claims = standIn.controller('claims', (key, signal) => this.#provision(key, signal));
    watchCache(this.#claims, claims, (before, after) =>
      [before ?? after].flatMap((one) => (one ? [keyOf(one)] : [])),
    );
    watchCache(this.#classes, claims, () => this.#claims.list().map(keyOf));
    const volumes = standIn.controller('volumes', (key, signal) => this.#keep(key, signal));
    watchCache(this.#volumes, volumes, (before, after) =>
      [before ?? after].flatMap((one) => (one ? [keyOf(one)] : [])),
    );
  }

  async volume(claimUid: string): Promise<TestbedVolume | undefined> {
    const volume = this.#volumes.byIndex('claim', claimUid).find((one) => this.#isOurs(one));
    if (volume === undefined || volume.status?.phase !== 'Bound') return undefined;
    return this.#store.look(this.#specOf(volume));
  }

  async #provision(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const claim = this.#claims.getByKey(key);
    if (claim === undefined) return {};
    const storageClass = findClass(claim.spec.storageClassName, this.#classes.list());
    const provisioner = storageClass?.provisioner ?? '';
    if (storageClass === undefined || !this.#deps.provisioners.includes(provisioner)) return {};
    const { uid } = claim.metadata;
    if (decideBinding(claim, storageClass, provisioner).act !== 'bind') {
      this.#since.delete(uid);
      return {};
    }
    const leftMs = this.#delayLeft(uid, storageClass);
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const refusal = storageClass.metadata.annotations?.[refusalAnnotation];
    if (refusal !== undefined) {
      const message = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${refusal}`;
      await this.#standIn.event(claim, 'Warning', 'ProvisioningFailed', message, signal);
      return { requeueAfterMs: refusedRetryMs };
    }
    const volume = volumeFor(claim, storageClass, this.#store);
    await this.#store.open(this.#specOf(volume));
    await this.#standIn.ensure(persistentVolumes, volume, signal);
    const message = `Successfully provisioned volume ${volume.metadata.name}`;
    await this.#standIn.event(claim, 'Normal', 'ProvisioningSucceeded', message, signal);
    return {};
  }

  #delayLeft(uid: string, { metadata }: StorageClass): number {
    const nowMs = this.#standIn.clock.monotonicMs();
    const sinceMs = this.#since.get(uid) ?? nowMs;
    this.#since.set(uid, sinceMs);
    const delayMs = Number(metadata.annotations?.[delaySecondsAnnotation] ?? 0) * 1000;
    return sinceMs + delayMs - nowMs;
  }

  /** One of our volumes: what is behind it is there, unless nobody wants it any more. */
  async #keep(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const volume = this.#volumes.getByKey(key);
    if (volume === undefined || !this.#isOurs(volume)) return {};
    const { name, uid } = volume.metadata;
    const { phase } = volume.status ?? {};
    const isReleased = phase === 'Released' || phase === 'Failed';
    if (!isReleased || volume.spec.persistentVolumeReclaimPolicy !== 'Delete') {
      if (volume.metadata.deletionTimestamp === undefined) await this.#store.open(this.#specOf(volume));
      return {};
    }
    await this.#store.remove(this.#specOf(volume));
    await this.#client.delete(persistentVolumes, { name }, { uid }, signal);
    return {};
  }

  #isOurs(volume: PersistentVolume): boolean {
    const by = volume.metadata.annotations?.[provisionedByAnnotation];
    return by !== undefined && this.#deps.provisioners.includes(by);
  }

  #specOf({ metadata, spec }: PersistentVolume): VolumeSpec {
    const storageClass = this.#classes.get({ name: spec.storageClassName ?? '' });
    const backing: Backing = storageClass?.parameters?.[backingParameter] === 'folder' ? 'folder' : 'tmpfs';
    return {
      name: metadata.name,
      mode: spec.volumeMode ?? 'Filesystem',
      sizeBytes: Math.ceil(quantityValue(spec.capacity?.['storage'] ?? '') ?? 0),
      backing,
    };
  }
}

/** The binder of the cluster takes it for the claim that it names, and for no other; it leaves the end of the volume to us. */
function volumeFor(
  claim: Stored<PersistentVolumeClaim>,
  storageClass: StorageClass,
  store: VolumeStore,
): PersistentVolume {
  const { namespace = '', name, uid, resourceVersion } = claim.metadata;
  const volumeName = `pvc-${uid}`;
  const volumeMode = modeOf(claim);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volumeName,
      annotations: { [provisionedByAnnotation]: storageClass.provisioner },
    },
    spec: {
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      volumeMode,
      storageClassName: storageClass.metadata.name,
      capacity: { storage: String(requestedBytes(claim)) },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy === 'Retain' ? 'Retain' : 'Delete',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion },
      hostPath: { path: store.path({ name: volumeName, mode: volumeMode }) },
    },
  };
}

function claimUids({ spec }: PersistentVolume): readonly string[] {
  const uid = spec.claimRef?.uid;
  return uid === undefined ? [] : [uid];
}
