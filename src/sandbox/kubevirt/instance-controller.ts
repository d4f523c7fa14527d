import type { PersistentVolumeClaim } from '../../api/external/core.ts';
import type { VirtualMachineInstance } from '../../api/external/kubevirt.ts';
import { persistentVolumeClaims, virtualMachineInstances } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { StandIn } from '../stand-in.ts';
import { findClass, selectedNodeAnnotation, waitsForConsumer } from '../storage/binding.ts';
import type { KubeVirtCaches } from './caches.ts';
import { nextStep } from './instance-step.ts';
import { instanceFinalizers } from './machine-controller.ts';
import { instanceStatus } from './machine-status.ts';
import type { KubeVirtSettings } from './settings.ts';

/** virt-controller's and virt-handler's parts for instances, without launcher pods: phases, and the wait for volumes. Fact: kubevirt 1.4, 1.5. */
export class InstanceController {
  readonly #standIn: StandIn;
  readonly #caches: KubeVirtCaches;
  readonly #settings: KubeVirtSettings;
  /** Monotonic milliseconds since which an instance can take its next step, by uid and step. */
  readonly #since = new Map<string, { readonly step: string; readonly ms: number }>();

  constructor(standIn: StandIn, caches: KubeVirtCaches, settings: KubeVirtSettings) {
    this.#standIn = standIn;
    this.#caches = caches;
    this.#settings = settings;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const instance = this.#caches.instances.getByKey(key);
    if (instance === undefined) return {};
    if (instance.metadata.deletionTimestamp !== undefined) return this.#stop(instance, signal);
    const { namespace = '' } = instance.metadata;
    const step = nextStep({
      instance,
      claim: (name) => this.#caches.claims.get({ namespace, name }),
      dataVolume: (name) => this.#caches.dataVolumes.get({ namespace, name }),
      waitsForConsumer: (claim) => this.#waitsForConsumer(claim),
    });
    switch (step.act) {
      case 'none':
        return {};
      case 'wait': {
        const { missingClaim } = step;
        await this.#write(instance, 'Pending', missingClaim === undefined ? {} : { missingClaim }, signal);
        return {};
      }
      case 'bind':
        for (const claim of step.claims) await this.#chooseNode(claim, signal);
        await this.#write(instance, 'Pending', {}, signal);
        return {};
      case 'enter': {
        const leftMs = this.#leftMs(instance, step.phase, this.#settings[step.after]);
        if (leftMs > 0) {
          if (step.phase === 'Scheduling') await this.#write(instance, 'Pending', {}, signal);
          return { requeueAfterMs: leftMs };
        }
        const { nodeName } = this.#settings;
        await this.#write(instance, step.phase, step.phase === 'Scheduling' ? {} : { nodeName }, signal);
        return {};
      }
    }
  }

  /** The guest stops in its time, then the finalizer lets the object go (inferred). */
  async #stop(instance: Stored<VirtualMachineInstance>, signal: AbortSignal): Promise<ReconcileResult> {
    const { namespace = '', name, uid, resourceVersion, finalizers = [] } = instance.metadata;
    if (finalizers.length === 0) return {};
    const leftMs = this.#leftMs(instance, 'stop', this.#settings.stopMs);
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    this.#since.delete(uid);
    const kept = finalizers.filter((finalizer) => !instanceFinalizers.includes(finalizer));
    const patch = { metadata: { uid, resourceVersion, finalizers: kept } };
    await this.#standIn.client.mergePatch(virtualMachineInstances, { namespace, name }, patch, {}, signal);
    return {};
  }

  #leftMs(instance: Stored<VirtualMachineInstance>, step: string, ms: number): number {
    const { uid } = instance.metadata;
    const nowMs = this.#standIn.clock.monotonicMs();
    const known = this.#since.get(uid);
    const sinceMs = known?.step === step ? known.ms : nowMs;
    this.#since.set(uid, { step, ms: sinceMs });
    return sinceMs + ms / this.#settings.speed - nowMs;
  }

  /** Stands for the launcher pod (or, before a DataVolume is filled, the temporary pod) and the scheduler (fact: kubevirt 1.5). */
  async #chooseNode(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    const { namespace = '', name, uid, annotations = {} } = claim.metadata;
    if (annotations[selectedNodeAnnotation] !== undefined) return;
    const chosen = { [selectedNodeAnnotation]: this.#settings.nodeName };
    const patch = { metadata: { uid, annotations: chosen } };
    await this.#standIn.client.mergePatch(persistentVolumeClaims, { namespace, name }, patch, {}, signal);
  }

  #waitsForConsumer(claim: PersistentVolumeClaim): boolean {
    return waitsForConsumer(findClass(claim.spec.storageClassName, this.#caches.classes.list()));
  }

  /** The kind has no status subresource (fact: kubevirt 1.4). */
  async #write(
    instance: Stored<VirtualMachineInstance>,
    phase: NonNullable<NonNullable<VirtualMachineInstance['status']>['phase']>,
    options: { readonly nodeName?: string; readonly missingClaim?: string },
    signal: AbortSignal,
  ): Promise<void> {
    const status = instanceStatus(instance, phase, this.#standIn.clock.now(), options);
    if (JSON.stringify(status) === JSON.stringify(instance.status)) return;
    const { namespace = '', name, uid } = instance.metadata;
    const { nodeName } = options;
    const labels = nodeName === undefined ? {} : { labels: { 'kubevirt.io/nodeName': nodeName } };
    const patch = { metadata: { uid, ...labels }, status };
    const stored = await this.#standIn.client.mergePatch(
      virtualMachineInstances,
      { namespace, name },
      patch,
      {},
      signal,
    );
    this.#caches.instances.put(stored);
  }
}
