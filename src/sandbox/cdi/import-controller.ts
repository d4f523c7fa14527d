import type { PersistentVolumeClaim, Pod } from '../../api/external/core.ts';
import { persistentVolumeClaims, pods } from '../../api/kinds.ts';
import {
  cdiBindImmediateAnnotation,
  cdiImportPodAnnotation,
  cdiRetainPodAnnotation,
} from '../../api/labels.ts';
import type { Stored } from '../../api/meta.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { StandIn } from '../stand-in.ts';
import {
  findClass,
  isBound,
  selectedNodeAnnotation,
  waitingText,
  waitsForConsumer,
} from '../storage/binding.ts';
import type { Annotations } from './annotations.ts';
import {
  annotationChanges,
  appLabel,
  boundAnnotation,
  podPhaseAnnotation,
  runningAnnotation,
  sourceAnnotation,
} from './annotations.ts';
import { annotationsFromPod } from './claim-from-pod.ts';
import type { Faults } from '../world.ts';
import type { DataVolumeCaches } from './data-volume-controller.ts';
import { buildImporterPod, importerPodName } from './importer-pod.ts';
import { pauseMs, type CdiSettings } from './settings.ts';

const awaitingVddk = 'AwaitingVDDK';

/** CDI's import controller: importer pods for claims that carry a source, and what the pods say on the claims. Fact: cdi 1.4, 3. */
export class ImportController {
  readonly #standIn: StandIn;
  readonly #caches: DataVolumeCaches;
  readonly #settings: CdiSettings;
  readonly #faults: Faults;
  /** Claims, by UID, over which an importer was started once more: what becomes of it changes no mark. */
  readonly #again = new Set<string>();

  constructor(standIn: StandIn, caches: DataVolumeCaches, settings: CdiSettings, faults: Faults) {
    this.#standIn = standIn;
    this.#caches = caches;
    this.#settings = settings;
    this.#faults = faults;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const cached = this.#caches.claims.getByKey(key);
    if (cached?.metadata.annotations?.[sourceAnnotation] === undefined) return {};
    const claim = await this.#noteBinding(cached, signal);
    const { annotations = {} } = claim.metadata;
    const isRequested = annotations[cdiBindImmediateAnnotation] !== undefined;
    const isDone = annotations[podPhaseAnnotation] === 'Succeeded';
    // Honouring a first consumer means: not before somebody else has bound the claim (fact: cdi 1.4, 2.4).
    if (!isBound(claim) && !isRequested) return {};
    const pod = this.#podOf(claim);
    const isLeaving = claim.metadata.deletionTimestamp !== undefined;
    if (this.#again.has(claim.metadata.uid) && !isLeaving) return {};
    if (pod !== undefined) return this.#followPod(claim, pod, signal);
    if (isDone && !isLeaving && this.#faults.strikes('importer-again', claim.metadata.name)) {
      this.#again.add(claim.metadata.uid);
      return this.#startPod(claim, signal);
    }
    if (isDone || isLeaving) return {};
    // An evicted pod that was deleted is made again; its phase on the claim follows (fact: cdi 3.3, 7).
    return this.#startPod(claim, signal);
  }

  /**
   * A claim's latest event becomes its Bound condition when the claim is looked at again before it is bound: after a pod has made the
   * scheduler choose a node for it. A claim that nobody touches is looked at once, before there is an event (fact: cdi 1.3; seen in CDI
   * 1.65).
   */
  async #noteBinding(
    claim: Stored<PersistentVolumeClaim>,
    signal: AbortSignal,
  ): Promise<Stored<PersistentVolumeClaim>> {
    const before = claim.metadata.annotations ?? {};
    const storageClass = findClass(claim.spec.storageClassName, this.#caches.classes.list());
    const rest = Object.fromEntries(
      Object.entries(before).filter(([name]) => !name.startsWith(boundAnnotation)),
    );
    if (!isBound(claim)) {
      if (!waitsForConsumer(storageClass) || before[selectedNodeAnnotation] === undefined) return claim;
      return this.#annotate(claim, { ...rest, ...boundCondition('Pending', waitingText) }, signal);
    }
    const isAwaiting =
      before[`${boundAnnotation}.reason`] === awaitingVddk && this.#podOf(claim) === undefined;
    return isAwaiting ? claim : this.#annotate(claim, rest, signal);
  }

  #podOf(claim: PersistentVolumeClaim): Stored<Pod> | undefined {
    const { namespace = '', annotations = {} } = claim.metadata;
    const name = annotations[cdiImportPodAnnotation] ?? importerPodName(claim);
    return this.#caches.pods.get({ namespace, name });
  }

  async #followPod(
    claim: Stored<PersistentVolumeClaim>,
    pod: Stored<Pod>,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { ownerReferences = [], name, uid, namespace = '' } = pod.metadata;
    if (ownerReferences.find(({ controller }) => controller === true)?.uid !== claim.metadata.uid) {
      throw new Error(`pod ${namespace}/${name} is not owned by its claim`);
    }
    const at = { namespace, name };
    if (claim.metadata.deletionTimestamp !== undefined) {
      if (pod.metadata.deletionTimestamp === undefined) {
        await this.#standIn.client.delete(pods, at, { uid }, signal);
      }
      return {};
    }
    const before = claim.metadata.annotations ?? {};
    if (before[podPhaseAnnotation] === 'Succeeded' && pod.metadata.deletionTimestamp !== undefined) return {};
    await this.#annotate(claim, annotationsFromPod(before, pod), signal);
    await this.#tellOfEnd(claim, pod, before, signal);
    const isOver = pod.status?.phase === 'Succeeded';
    if (isOver && before[cdiRetainPodAnnotation] !== 'true' && pod.metadata.deletionTimestamp === undefined) {
      await this.#standIn.client.delete(pods, at, { uid }, signal);
    }
    return {};
  }

  async #tellOfEnd(
    claim: Stored<PersistentVolumeClaim>,
    pod: Pod,
    before: Annotations,
    signal: AbortSignal,
  ): Promise<void> {
    const terminated = pod.status?.containerStatuses?.[0]?.state?.terminated;
    if (terminated !== undefined && terminated.exitCode > 0) {
      await this.#standIn.event(claim, 'Warning', 'ErrImportFailed', terminated.message ?? '', signal);
    } else if (pod.status?.phase === 'Succeeded' && before[podPhaseAnnotation] !== 'Succeeded') {
      await this.#standIn.event(claim, 'Normal', 'ImportSucceeded', 'Import Successful', signal);
    }
  }

  /** First the pod's name is written on the claim, then the pod is made (fact: cdi 1.4, importPodName). */
  async #startPod(claim: Stored<PersistentVolumeClaim>, signal: AbortSignal): Promise<ReconcileResult> {
    const { namespace = '', name, annotations = {} } = claim.metadata;
    const users = this.#caches.pods
      .byIndex('claim', `${namespace}/${name}`)
      .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
    if (users.length > 0) {
      for (const user of users) {
        const message = `pod ${namespace}/${user.metadata.name} using PersistentVolumeClaim ${name}`;
        await this.#standIn.event(claim, 'Warning', 'ImportTargetInUse', message, signal);
      }
      return { requeueAfterMs: this.#settings.progressMs / this.#settings.speed };
    }
    // The next stage's pod comes with a later look: until then the DataVolume stays Paused (fact: cdi 0.1, 2.1).
    if (annotations[podPhaseAnnotation] === 'Unknown' && annotations[cdiImportPodAnnotation] === undefined) {
      await this.#pause(signal);
    }
    const podName = importerPodName(claim);
    const named = await this.#annotate(claim, { ...annotations, [cdiImportPodAnnotation]: podName }, signal);
    const { nodeName, vddkImage } = this.#settings;
    const pod = buildImporterPod(named, { nodeName, ...(vddkImage !== undefined && { vddkImage }) });
    if (pod === undefined) return this.#awaitVddk(named, signal);
    return this.#createPod(named, pod, signal);
  }

  async #createPod(
    claim: Stored<PersistentVolumeClaim>,
    pod: Pod,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    try {
      this.#caches.pods.put(await this.#standIn.client.create(pods, pod, {}, signal));
    } catch (error) {
      const isQuota = isKubeError(error, 'Forbidden') && error.detail.includes('exceeded quota:');
      if (!isQuota && !isKubeError(error, 'AlreadyExists')) throw error;
      await this.#noteStartFailure(claim, pod, isQuota ? 'ErrExceededQuota' : 'ErrStartingPod', signal);
      return { requeueAfterMs: this.#settings.retryMs / this.#settings.speed };
    }
    const isAgain = this.#again.has(claim.metadata.uid);
    if (isAgain || this.#standIn.random() >= this.#settings.flickerChance) return {};
    await this.#noteStartFailure(claim, pod, 'ErrStartingPod', signal);
    // Held here, since the watch would bring the pod, and with it the truth, at once.
    await this.#pause(signal);
    return { requeueAfterMs: 1 };
  }

  async #pause(signal: AbortSignal): Promise<void> {
    await this.#standIn.clock.sleep(pauseMs(this.#standIn.random(), this.#settings.speed), signal);
  }

  async #noteStartFailure(
    claim: Stored<PersistentVolumeClaim>,
    pod: Pod,
    reason: 'ErrStartingPod' | 'ErrExceededQuota',
    signal: AbortSignal,
  ): Promise<void> {
    const message =
      `Error starting pod '${pod.metadata.name}': For more information, ` +
      'request access to cdi-deploy logs from your sysadmin';
    await this.#standIn.event(claim, 'Warning', reason, message, signal);
    const noted = {
      [runningAnnotation]: 'false',
      [`${runningAnnotation}.reason`]: reason,
      [`${runningAnnotation}.message`]: message,
      [podPhaseAnnotation]: 'Failed',
    };
    await this.#annotate(claim, { ...claim.metadata.annotations, ...noted }, signal);
  }

  /** Fact: cdi 3.1 (VDDK image). */
  async #awaitVddk(claim: Stored<PersistentVolumeClaim>, signal: AbortSignal): Promise<ReconcileResult> {
    const message =
      'waiting for v2v-vmware configmap or cdi.kubevirt.io/storage.pod.vddk.initimageurl annotation for VDDK image';
    const condition = boundCondition(awaitingVddk, message);
    await this.#annotate(claim, { ...claim.metadata.annotations, ...condition }, signal);
    return { requeueAfterMs: this.#settings.retryMs / this.#settings.speed };
  }

  /** Refused (Conflict) when the claim was written since we read it, as CDI's updates are (fact: cdi 6, claims edited meanwhile). */
  async #annotate(
    claim: Stored<PersistentVolumeClaim>,
    wanted: Annotations,
    signal: AbortSignal,
  ): Promise<Stored<PersistentVolumeClaim>> {
    const { namespace = '', name, resourceVersion, annotations: before = {}, labels } = claim.metadata;
    const annotations = annotationChanges(before, wanted);
    const isLabelled = labels?.[appLabel] !== undefined;
    if (annotations === undefined && isLabelled) return claim;
    const metadata = {
      resourceVersion,
      ...(annotations && { annotations }),
      ...(!isLabelled && { labels: { [appLabel]: 'containerized-data-importer' } }),
    };
    const stored = await this.#standIn.client.mergePatch(
      persistentVolumeClaims,
      { namespace, name },
      { metadata },
      {},
      signal,
    );
    this.#caches.claims.put(stored);
    return stored;
  }
}

function boundCondition(reason: string, message: string): Annotations {
  return {
    [boundAnnotation]: 'false',
    [`${boundAnnotation}.reason`]: reason,
    [`${boundAnnotation}.message`]: message,
  };
}
