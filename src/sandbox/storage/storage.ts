import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/external/core.ts';
import {
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
  storageProfiles,
} from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { keyOf, parseKey } from '../../kube/object-key.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { watchCache } from '../../runtime/watch-cache.ts';
import type { DiskStore } from '../disk-store.ts';
import type { RunningStandIn, StandInDeps } from '../stand-in.ts';
import { StandIn } from '../stand-in.ts';
import { decideBinding, defaultClassAnnotation, findClass, mayAdopt } from './binding.ts';
import { claimDiskId, modeOf, requestedBytes, usableBytes } from './volume-size.ts';

const volumeProtectionFinalizer = 'kubernetes.io/pv-protection';
export const sandboxProvisioner = 'sandbox.gantry.dev/disks';

export interface StorageDeps extends StandInDeps {
  readonly disks: DiskStore;
  readonly settings?: Partial<StorageSettings>;
}

export interface StorageSettings {
  /** Milliseconds from a claim that can be bound to its volume. */
  readonly provisionMs: number;
  /** Divides provisionMs. */
  readonly speed: number;
  /** Made at start unless they are there. */
  readonly classes: readonly ClassSettings[];
}
export interface ClassSettings {
  readonly name: string;
  readonly bindingMode: 'Immediate' | 'WaitForFirstConsumer';
  readonly isDefault?: boolean;
}

export const defaultStorageSettings: StorageSettings = {
  provisionMs: 100,
  speed: 1,
  classes: [
    { name: 'standard', bindingMode: 'Immediate', isDefault: true },
    { name: 'local-wffc', bindingMode: 'WaitForFirstConsumer' },
  ],
};

/**
 * Provisioner and volume binder: storage classes with their profiles, a volume for each claim that may be bound, real bytes behind it,
 * and the end of both when the claim goes. Fact: cdi 5.3 (the three jobs that a hand-written binder must do).
 */
export function startStorage(client: KubeClient, deps: StorageDeps, signal: AbortSignal): RunningStandIn {
  const settings = { ...defaultStorageSettings, ...deps.settings };
  const standIn = new StandIn('storage', client, deps);
  const provisioner = new Provisioner(standIn, deps.disks, settings);
  return standIn.start(signal, (starting) => provisioner.makeClasses(starting));
}

class Provisioner {
  readonly #standIn: StandIn;
  readonly #client: KubeClient;
  readonly #disks: DiskStore;
  readonly #settings: StorageSettings;
  readonly #claims: ObjectCache<PersistentVolumeClaim>;
  readonly #volumes: ObjectCache<PersistentVolume, 'claim'>;
  readonly #classes: ObjectCache<StorageClass>;
  /** Milliseconds (monotonic) since which a claim could be bound, by its uid. */
  readonly #bindableSince = new Map<string, number>();

  constructor(standIn: StandIn, disks: DiskStore, settings: StorageSettings) {
    this.#standIn = standIn;
    this.#client = standIn.client;
    this.#disks = disks;
    this.#settings = settings;
    this.#claims = standIn.cache(persistentVolumeClaims);
    this.#volumes = standIn.cache(persistentVolumes, { indexes: { claim: claimKeys } });
    this.#classes = standIn.cache(storageClasses);
    const controller = standIn.controller('claims', (key, signal) => this.#reconcile(key, signal));
    watchCache(this.#claims, controller, (before, after) => keysOf(before, after));
    watchCache(this.#volumes, controller, (before, after) => [
      ...new Set([...claimKeys(before), ...claimKeys(after)]),
    ]);
    watchCache(this.#classes, controller, () => this.#claims.list().map(keyOf));
  }

  async makeClasses(signal: AbortSignal): Promise<void> {
    for (const { name, bindingMode, isDefault } of this.#settings.classes) {
      await this.#standIn.ensure(
        storageClasses,
        {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'StorageClass',
          metadata: {
            name,
            ...(isDefault === true && { annotations: { [defaultClassAnnotation]: 'true' } }),
          },
          provisioner: sandboxProvisioner,
          reclaimPolicy: 'Delete',
          volumeBindingMode: bindingMode,
          allowVolumeExpansion: true,
        },
        signal,
      );
      await this.#makeProfile(name, signal);
    }
  }

  /** CDI makes one for each class; it knows this provisioner, so it fills the status (fact: cdi 1.2, 5.1). */
  async #makeProfile(name: string, signal: AbortSignal): Promise<void> {
    const profile = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'StorageProfile', metadata: { name } };
    await this.#standIn.ensure(storageProfiles, { ...profile, spec: {} }, signal);
    const status = {
      storageClass: name,
      provisioner: sandboxProvisioner,
      claimPropertySets: [
        { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
        { accessModes: ['ReadWriteOnce'], volumeMode: 'Block' },
      ],
    };
    await this.#client.mergePatch(storageProfiles, { name }, { status }, { subresource: 'status' }, signal);
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const claim = this.#claims.getByKey(key);
    await this.#reclaim(key, claim, signal);
    if (claim === undefined) return {};
    const storageClass = findClass(claim.spec.storageClassName, this.#classes.list());
    const decision = decideBinding(claim, storageClass, sandboxProvisioner);
    switch (decision.act) {
      case 'none':
        return {};
      case 'wait':
        await this.#standIn.event(
          claim,
          decision.reason === 'ProvisioningFailed' ? 'Warning' : 'Normal',
          decision.reason,
          decision.message,
          signal,
        );
        return {};
      case 'adopt':
        return this.#adopt(claim, decision.volumeName, signal);
      case 'bind':
        return this.#provision(claim, signal);
    }
  }

  /** Volumes whose claim is gone: reclaim policy Delete takes the bytes along. */
  async #reclaim(
    key: string,
    claim: Stored<PersistentVolumeClaim> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    for (const volume of this.#volumes.byIndex('claim', key)) {
      const ref = volume.spec.claimRef;
      const isOrphan = ref?.uid !== undefined && ref.uid !== claim?.metadata.uid;
      if (!isOrphan || volume.spec.persistentVolumeReclaimPolicy !== 'Delete') continue;
      const { namespace = '', name } = parseKey(key);
      this.#disks.delete(`claim/${namespace}/${name}/${ref.uid}`);
      this.#bindableSince.delete(ref.uid);
      await this.#deleteVolume(volume, signal);
    }
  }

  /** A volume that no claim holds any more is not protected either (fact: cdi 5.3, the protection controllers). */
  async #deleteVolume({ metadata }: Stored<PersistentVolume>, signal: AbortSignal): Promise<void> {
    const { name, uid, finalizers = [] } = metadata;
    const others = finalizers.filter((finalizer) => finalizer !== volumeProtectionFinalizer);
    if (others.length < finalizers.length) {
      const patch = { metadata: { uid, finalizers: others } };
      await this.#client.mergePatch(persistentVolumes, { name }, patch, {}, signal);
    }
    await this.#client.delete(persistentVolumes, { name }, { uid }, signal);
  }

  async #provision(claim: Stored<PersistentVolumeClaim>, signal: AbortSignal): Promise<ReconcileResult> {
    const { uid } = claim.metadata;
    const nowMs = this.#standIn.clock.monotonicMs();
    const sinceMs = this.#bindableSince.get(uid) ?? nowMs;
    this.#bindableSince.set(uid, sinceMs);
    const leftMs = sinceMs + this.#settings.provisionMs / this.#settings.speed - nowMs;
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const volume = await this.#makeVolume(claim, signal);
    await this.#bind(claim, volume, signal);
    this.#bindableSince.delete(uid);
    return {};
  }

  async #makeVolume(
    claim: Stored<PersistentVolumeClaim>,
    signal: AbortSignal,
  ): Promise<Stored<PersistentVolume>> {
    const { namespace = '', name, uid } = claim.metadata;
    const volumeName = `pvc-${uid}`;
    const volume: PersistentVolume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: {
        name: volumeName,
        annotations: { 'pv.kubernetes.io/provisioned-by': sandboxProvisioner },
      },
      spec: {
        accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
        volumeMode: modeOf(claim),
        ...(claim.spec.storageClassName !== undefined && { storageClassName: claim.spec.storageClassName }),
        capacity: { storage: String(requestedBytes(claim)) },
        persistentVolumeReclaimPolicy: 'Delete',
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        hostPath: { path: `/var/lib/sandbox/${volumeName}` },
      },
    };
    try {
      return await this.#client.create(persistentVolumes, volume, {}, signal);
    } catch (error) {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
      const existing = await this.#client.get(persistentVolumes, { name: volumeName }, signal);
      if (existing === undefined) throw error;
      return existing;
    }
  }

  async #adopt(
    claim: Stored<PersistentVolumeClaim>,
    volumeName: string,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const volume = await this.#client.get(persistentVolumes, { name: volumeName }, signal);
    if (volume === undefined || !mayAdopt(claim, volume)) return {};
    await this.#bind(claim, volume, signal);
    return {};
  }

  /** Both sides name each other before the phases say Bound, as the volume controller has it (inferred). */
  async #bind(
    claim: Stored<PersistentVolumeClaim>,
    volume: Stored<PersistentVolume>,
    signal: AbortSignal,
  ): Promise<void> {
    const { namespace = '', name, uid } = claim.metadata;
    const at = { namespace, name };
    const volumeAt = { name: volume.metadata.name };
    const id = claimDiskId(claim);
    const capacity = volume.spec.capacity?.['storage'] ?? String(requestedBytes(claim));
    if (this.#disks.get(id) === undefined) {
      this.#disks.create(id, usableBytes(requestedBytes(claim), modeOf(claim)));
    }
    if (volume.spec.claimRef?.uid === undefined) {
      const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid };
      await this.#client.mergePatch(persistentVolumes, volumeAt, { spec: { claimRef } }, {}, signal);
    }
    const annotations = {
      'pv.kubernetes.io/bind-completed': 'yes',
      'volume.kubernetes.io/storage-provisioner': sandboxProvisioner,
    };
    const spec = { volumeName: volume.metadata.name };
    await this.#client.mergePatch(
      persistentVolumeClaims,
      at,
      { metadata: { uid, annotations }, spec },
      {},
      signal,
    );
    const status = {
      phase: 'Bound',
      capacity: { storage: capacity },
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
    };
    const asStatus = { subresource: 'status' } as const;
    await this.#client.mergePatch(
      persistentVolumes,
      volumeAt,
      { status: { phase: 'Bound' } },
      asStatus,
      signal,
    );
    this.#claims.put(await this.#client.mergePatch(persistentVolumeClaims, at, { status }, asStatus, signal));
  }
}

function keysOf(...objects: readonly (PersistentVolumeClaim | undefined)[]): readonly string[] {
  return [...new Set(objects.flatMap((object) => (object === undefined ? [] : [keyOf(object)])))];
}

function claimKeys(volume: PersistentVolume | undefined): readonly string[] {
  const ref = volume?.spec.claimRef;
  return ref?.namespace !== undefined && ref.name !== undefined ? [`${ref.namespace}/${ref.name}`] : [];
}
