import type { PersistentVolumeClaim, Pod } from '../../api/external/core.ts';
import {
  cdis,
  dataVolumes,
  persistentVolumeClaims,
  pods,
  storageClasses,
  storageProfiles,
} from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { KubeClient } from '../../kube/client.ts';
import { keyOf } from '../../kube/object-key.ts';
import { watchCache } from '../../runtime/watch-cache.ts';
import type { DiskStore } from '../disk-store.ts';
import type { RunningStandIn, StandInDeps } from '../stand-in.ts';
import { StandIn } from '../stand-in.ts';
import type { Faults, VCenter } from '../world.ts';
import { DataVolumeController } from './data-volume-controller.ts';
import { ImportController } from './import-controller.ts';
import { createImporter } from './importer.ts';
import { startKubelet } from './kubelet.ts';
import type { PodRunner } from './pod-runner.ts';
import type { CdiSettings } from './settings.ts';
import { defaultCdiSettings } from './settings.ts';

export interface CdiDeps extends StandInDeps {
  readonly disks: DiskStore;
  /** Without it, imports from vCenter fail to connect. */
  readonly vcenter?: VCenter;
  readonly faults: Faults;
  readonly settings?: Partial<CdiSettings>;
  /** Runs the importer pods; by default a simulated kubelet of this process. */
  readonly podRunner?: PodRunner & RunningStandIn;
}

/**
 * Starts CDI's stand-in with its importer pods: an ordinary client of any API server that serves the kinds. Its webhooks are registered
 * apart (admission.ts), and volumes come from storage/storage.ts.
 */
export function startCdi(client: KubeClient, deps: CdiDeps, signal: AbortSignal): RunningStandIn {
  const settings: CdiSettings = { ...defaultCdiSettings, ...deps.settings };
  const podRunner =
    deps.podRunner ??
    startKubelet(client, { ...deps, settings, importer: createImporter({ ...deps, settings }) }, signal);
  const standIn = new StandIn('cdi', client, deps);
  const caches = {
    dataVolumes: standIn.cache(dataVolumes),
    claims: standIn.cache(persistentVolumeClaims),
    pods: standIn.cache(pods, { indexes: { claim: claimKeysOf } }),
    classes: standIn.cache(storageClasses),
    profiles: standIn.cache(storageProfiles),
  };
  const volumes = new DataVolumeController(standIn, caches, podRunner, settings);
  const imports = new ImportController(standIn, caches, settings, deps.faults);
  const volumeController = standIn.controller('datavolumes', (key, stop) => volumes.reconcile(key, stop));
  const importController = standIn.controller('imports', (key, stop) => imports.reconcile(key, stop));
  watchCache(caches.dataVolumes, volumeController, keysOf);
  // A claim and its DataVolume have the same name.
  watchCache(caches.claims, volumeController, keysOf);
  watchCache(caches.claims, importController, keysOf);
  watchCache(caches.pods, importController, (before, after) => claimKeysOfEither(before, after));
  watchCache(caches.pods, volumeController, (before, after) => claimKeysOfEither(before, after));
  const wakeAll = (): readonly string[] => caches.dataVolumes.list().map(keyOf);
  watchCache(caches.classes, volumeController, wakeAll);
  watchCache(caches.classes, importController, wakeAll);
  watchCache(caches.profiles, volumeController, wakeAll);
  const own = standIn.start(signal, (starting) => announce(standIn, settings.version, starting));
  return {
    ready: Promise.all([own.ready, podRunner.ready]).then(() => undefined),
    stopped: Promise.all([own.stopped, podRunner.stopped]).then(() => undefined),
  };
}

/** The CDI object: without it no importer pod is made, and its status tells the version (fact: cdi 5.1). */
async function announce(standIn: StandIn, version: string, signal: AbortSignal): Promise<void> {
  const object = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'CDI', metadata: { name: 'cdi' }, spec: {} };
  await standIn.ensure(cdis, object, signal);
  const status = {
    phase: 'Deployed',
    observedVersion: version,
    operatorVersion: version,
    targetVersion: version,
  };
  await standIn.client.mergePatch(cdis, { name: 'cdi' }, { status }, {}, signal);
}

function keysOf(
  before: KubeObject | PersistentVolumeClaim | undefined,
  after: KubeObject | PersistentVolumeClaim | undefined,
): readonly string[] {
  const object = after ?? before;
  return object === undefined ? [] : [keyOf(object)];
}

function claimKeysOf(pod: Pod): readonly string[] {
  const { namespace = '' } = pod.metadata;
  return (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [`${namespace}/${persistentVolumeClaim.claimName}`],
  );
}

function claimKeysOfEither(before: Pod | undefined, after: Pod | undefined): readonly string[] {
  const pod = after ?? before;
  return pod === undefined ? [] : claimKeysOf(pod);
}
