import type { DataVolume, StorageProfile } from '../../api/external/cdi.ts';
import type { PersistentVolumeClaim, Pod, StorageClass } from '../../api/external/core.ts';
import { dataVolumes, persistentVolumeClaims } from '../../api/kinds.ts';
import {
  cdiCreatedForDataVolumeAnnotation,
  cdiAllowClaimAdoptionAnnotation,
  cdiImportPodAnnotation,
  cdiUsePopulatorAnnotation,
} from '../../api/labels.ts';
import type { Stored } from '../../api/meta.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { StandIn } from '../stand-in.ts';
import { findClass, waitsForConsumer } from '../storage/binding.ts';
import {
  annotationChanges,
  populatedForAnnotation,
  prePopulatedAnnotation,
  vddkHostAnnotation,
  vddkVersionAnnotation,
} from './annotations.ts';
import { buildClaim, isSimulatedSource, renderClaim } from './claim-for-data-volume.ts';
import { eventsOf } from './data-volume-events.ts';
import type { DataVolumeView } from './data-volume-status.ts';
import { nextStatus } from './data-volume-status.ts';
import type { PodRunner } from './pod-runner.ts';
import type { CdiSettings } from './settings.ts';
import { StageKeeper } from './stage-keeper.ts';

export interface DataVolumeCaches {
  readonly dataVolumes: ObjectCache<DataVolume>;
  readonly claims: ObjectCache<PersistentVolumeClaim>;
  readonly pods: ObjectCache<Pod, 'claim'>;
  readonly classes: ObjectCache<StorageClass>;
  readonly profiles: ObjectCache<StorageProfile>;
}

type Refusal = NonNullable<DataVolumeView['refusal']>;
/** What came of the work on the claim. */
interface Synced {
  readonly claim: Stored<PersistentVolumeClaim> | undefined;
  readonly refusal?: Refusal;
  readonly requeueAfterMs?: number;
}

/** CDI's DataVolume controller, legacy path: the claim, its stages, and the status that tells of both. Fact: cdi 1.2 to 1.4, 2.1. */
export class DataVolumeController {
  readonly #standIn: StandIn;
  readonly #caches: DataVolumeCaches;
  readonly #pods: PodRunner;
  readonly #settings: CdiSettings;
  readonly #stages: StageKeeper;

  constructor(standIn: StandIn, caches: DataVolumeCaches, podRunner: PodRunner, settings: CdiSettings) {
    this.#standIn = standIn;
    this.#caches = caches;
    this.#pods = podRunner;
    this.#settings = settings;
    this.#stages = new StageKeeper(standIn, caches.claims, settings);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const dataVolume = this.#caches.dataVolumes.getByKey(key);
    if (dataVolume === undefined || dataVolume.metadata.deletionTimestamp !== undefined) {
      this.#stages.forget(key);
      return {};
    }
    const synced = await this.#sync(key, dataVolume, signal);
    const stage = await this.#stages.keep(key, dataVolume, synced.claim, signal);
    if (stage === 'later') return { requeueAfterMs: this.#stages.untilDueMs(key) };
    const progressMs = await this.#writeStatus(dataVolume, synced, signal);
    const waits = [
      synced.requeueAfterMs,
      progressMs,
      stage === 'paused' ? this.#stages.untilDueMs(key) : undefined,
    ].filter((ms) => ms !== undefined);
    return waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits) };
  }

  async #sync(key: string, dataVolume: Stored<DataVolume>, signal: AbortSignal): Promise<Synced> {
    const claim = this.#caches.claims.getByKey(key);
    const unsupported = notSimulated(dataVolume);
    if (unsupported !== undefined) {
      await this.#standIn.event(dataVolume, 'Warning', 'NotSimulated', unsupported, signal);
      return { claim: undefined, refusal: { phase: '', reason: 'NotSimulated', message: unsupported } };
    }
    if (claim !== undefined) {
      const synced = await this.#checkClaim(dataVolume, claim, signal);
      return { ...synced, claim: await this.#stages.begin(dataVolume, claim, signal) };
    }
    // CDI writes down its own decision on the path, and then it goes to the claim as well (fact: cdi 1.4).
    const decided = await this.#annotate(
      dataVolume,
      { [cdiUsePopulatorAnnotation]: 'false', ...dataVolume.metadata.annotations },
      signal,
    );
    if (decided.metadata.annotations?.[prePopulatedAnnotation] !== undefined) return { claim: undefined };
    return this.#createClaim(decided, signal);
  }

  async #createClaim(dataVolume: Stored<DataVolume>, signal: AbortSignal): Promise<Synced> {
    const retry = { requeueAfterMs: this.#settings.retryMs / this.#settings.speed };
    const rendered = renderClaim(
      dataVolume,
      this.#caches.classes.list(),
      (name) => this.#caches.profiles.get({ name })?.status?.claimPropertySets ?? [],
    );
    if ('error' in rendered) {
      const refusal: Refusal = { phase: '', reason: 'ErrClaimNotValid', message: rendered.error };
      return { claim: undefined, refusal, ...(!rendered.isFinal && retry) };
    }
    const claim = buildClaim(dataVolume, rendered.spec);
    try {
      const stored = await this.#standIn.client.create(persistentVolumeClaims, claim, {}, signal);
      this.#caches.claims.put(stored);
      return { claim: stored };
    } catch (error) {
      // Our view is behind; the watch brings the claim.
      if (isKubeError(error, 'AlreadyExists')) return { claim: undefined };
      if (isKubeError(error, 'Forbidden') && error.detail.includes('exceeded quota:')) {
        const refusal: Refusal = { phase: 'Pending', reason: 'ErrExceededQuota', message: error.detail };
        return { claim: undefined, refusal, ...retry };
      }
      throw error;
    }
  }

  /** A claim of the same name must be ours, filled for us, or adoptable (fact: cdi 1.4). A claim being handed over stays as it is. */
  async #checkClaim(
    dataVolume: Stored<DataVolume>,
    claim: Stored<PersistentVolumeClaim>,
    signal: AbortSignal,
  ): Promise<Synced> {
    const { name, deletionTimestamp, ownerReferences = [] } = claim.metadata;
    if (deletionTimestamp !== undefined) {
      const message = `Resource "${name}" marked for deletion`;
      await this.#standIn.event(dataVolume, 'Warning', 'ErrResourceMarkedForDeletion', message, signal);
      return { claim };
    }
    const owner = ownerReferences.find(({ controller }) => controller === true);
    if (owner?.uid !== dataVolume.metadata.uid && !isFilledFor(claim, dataVolume)) {
      const message = `Resource "${name}" already exists and is not managed by DataVolume`;
      await this.#standIn.event(dataVolume, 'Warning', 'ErrResourceExists', message, signal);
    }
    const told = pick(claim.metadata.annotations ?? {}, [vddkHostAnnotation, vddkVersionAnnotation]);
    await this.#annotate(dataVolume, told, signal);
    return { claim };
  }

  async #annotate(
    dataVolume: Stored<DataVolume>,
    wanted: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Stored<DataVolume>> {
    const before = dataVolume.metadata.annotations ?? {};
    const annotations = annotationChanges(before, { ...before, ...wanted });
    if (annotations === undefined) return dataVolume;
    const { namespace = '', name, uid } = dataVolume.metadata;
    const patch = { metadata: { uid, annotations } };
    return this.#standIn.client.mergePatch(dataVolumes, { namespace, name }, patch, {}, signal);
  }

  /** Milliseconds until the importer's progress is to be looked at again, if it is. */
  async #writeStatus(
    dataVolume: Stored<DataVolume>,
    { claim, refusal }: Synced,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const pod = this.#importerOf(claim);
    const percent = pod === undefined ? undefined : await this.#pods.progress(pod, signal);
    const storageClass = findClass(claim?.spec.storageClassName, this.#caches.classes.list());
    const { status, event } = nextStatus({
      dataVolume,
      claim,
      waitsForConsumer: waitsForConsumer(storageClass),
      percent,
      ...(refusal !== undefined && { refusal }),
      nowMs: this.#standIn.clock.now(),
    });
    if (JSON.stringify(status) !== JSON.stringify(dataVolume.status)) {
      const { namespace = '', name, uid } = dataVolume.metadata;
      const stored = await this.#standIn.client.mergePatch(
        dataVolumes,
        { namespace, name },
        { metadata: { uid }, status },
        { subresource: 'status' },
        signal,
      );
      this.#caches.dataVolumes.put(stored);
      for (const { type, reason, message } of eventsOf(dataVolume.status ?? {}, status, event)) {
        await this.#standIn.event(dataVolume, type, reason, message, signal);
      }
    }
    return pod === undefined ? undefined : this.#settings.progressMs / this.#settings.speed;
  }

  /** Only a running pod answers; one that is finished is not asked (fact: cdi 3.2). */
  #importerOf(claim: Stored<PersistentVolumeClaim> | undefined): Stored<Pod> | undefined {
    const name = claim?.metadata.annotations?.[cdiImportPodAnnotation];
    if (claim === undefined || name === undefined) return undefined;
    const { namespace = '' } = claim.metadata;
    const pod = this.#caches.pods.get({ namespace, name });
    return pod?.status?.phase === 'Running' ? pod : undefined;
  }
}

/** Beyond the slice: said aloud, never passed over (design: sandbox.md "Stand-ins"; review.md F36). */
function notSimulated(dataVolume: DataVolume): string | undefined {
  if (!isSimulatedSource(dataVolume)) return 'the sandbox imports from vddk and blank sources only';
  return dataVolume.metadata.annotations?.[cdiUsePopulatorAnnotation] === 'true'
    ? 'the sandbox has no populators: set cdi.kubevirt.io/storage.usePopulator to "false"'
    : undefined;
}

function isFilledFor(claim: PersistentVolumeClaim, dataVolume: Stored<DataVolume>): boolean {
  const { annotations = {} } = claim.metadata;
  if (annotations[populatedForAnnotation] === dataVolume.metadata.name) return true;
  const isOurs = annotations[cdiCreatedForDataVolumeAnnotation] === dataVolume.metadata.uid;
  return dataVolume.metadata.annotations?.[cdiAllowClaimAdoptionAnnotation] === 'true' && !isOurs;
}

function pick(
  from: Readonly<Record<string, string>>,
  keys: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}
