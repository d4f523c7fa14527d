import { isDeepStrictEqual } from 'node:util';
import type { VirtualMachine, VirtualMachineInstance } from '../../api/external/kubevirt.ts';
import { virtualMachineInstances, virtualMachines } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { StandIn } from '../stand-in.ts';
import type { KubeVirtCaches } from './caches.ts';
import { claimsOf, dataVolumesOf } from './caches.ts';
import { isFinal, isStartExpected, nextMachineStatus, runStrategyOf } from './machine-status.ts';
import type { MachineView } from './machine-status.ts';
import type { KubeVirtSettings } from './settings.ts';

/** On the machine as long as it has an instance, and on the instance. */
const controllerFinalizer = 'kubevirt.io/virtualMachineControllerFinalize';
/** On the instance; taken away when the guest has stopped. */
export const instanceFinalizers: readonly string[] = [
  controllerFinalizer,
  'kubevirt.io/foregroundDeleteVirtualMachine',
];

type Failure = MachineView['failure'];

/** virt-controller's part for VirtualMachines: an instance exists or not, and the status tells of it. Fact: kubevirt 1.1, 1.4. */
export class MachineController {
  readonly #standIn: StandIn;
  readonly #caches: KubeVirtCaches;
  readonly #settings: KubeVirtSettings;
  /** Why the last start failed, by machine uid. */
  readonly #failures = new Map<string, NonNullable<Failure>>();

  constructor(standIn: StandIn, caches: KubeVirtCaches, settings: KubeVirtSettings) {
    this.#standIn = standIn;
    this.#caches = caches;
    this.#settings = settings;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const found = this.#caches.machines.getByKey(key);
    if (found === undefined) return {};
    const vm = await this.#finalize(found, signal);
    if (vm === undefined) return {};
    const before = this.#caches.instances.getByKey(key);
    const instance = await this.#sync(vm, before, signal);
    const failure = this.#failures.get(vm.metadata.uid);
    await this.#writeStatus(vm, instance, failure, signal);
    return failure === undefined ? {} : { requeueAfterMs: this.#settings.retryMs / this.#settings.speed };
  }

  /** Holds the machine until its instance is gone. undefined: it is let go. */
  async #finalize(
    vm: Stored<VirtualMachine>,
    signal: AbortSignal,
  ): Promise<Stored<VirtualMachine> | undefined> {
    const { namespace = '', name, uid, resourceVersion, finalizers = [] } = vm.metadata;
    const isHeld = finalizers.includes(controllerFinalizer);
    const isLeaving = vm.metadata.deletionTimestamp !== undefined;
    const isAlone = this.#caches.instances.get({ namespace, name }) === undefined;
    if (isLeaving ? !(isHeld && isAlone) : isHeld) return vm;
    const kept = isLeaving
      ? finalizers.filter((finalizer) => finalizer !== controllerFinalizer)
      : [...finalizers, controllerFinalizer];
    const patch = { metadata: { uid, resourceVersion, finalizers: kept } };
    const stored = await this.#standIn.client.mergePatch(
      virtualMachines,
      { namespace, name },
      patch,
      {},
      signal,
    );
    if (isLeaving) return undefined;
    this.#caches.machines.put(stored);
    return stored;
  }

  async #sync(
    vm: Stored<VirtualMachine>,
    instance: Stored<VirtualMachineInstance> | undefined,
    signal: AbortSignal,
  ): Promise<Stored<VirtualMachineInstance> | undefined> {
    const { uid } = vm.metadata;
    const isStarting = isStartExpected(vm) && vm.metadata.deletionTimestamp === undefined;
    if (instance === undefined) {
      if (isStarting) return this.#start(vm, signal);
      this.#failures.delete(uid);
      return undefined;
    }
    this.#failures.delete(uid);
    const strategy = runStrategyOf(vm);
    const isRestarted =
      isFinal(instance) &&
      (strategy === 'Always' || (strategy === 'RerunOnFailure' && instance.status?.phase === 'Failed'));
    const isStopped = strategy === 'Halted' || isRestarted || vm.metadata.deletionTimestamp !== undefined;
    if (isStopped && instance.metadata.deletionTimestamp === undefined) {
      const { namespace = '', name, uid: instanceUid } = instance.metadata;
      const at = { namespace, name };
      await this.#standIn.client.delete(virtualMachineInstances, at, { uid: instanceUid }, signal);
      const message = `Stopped the virtual machine by deleting the virtual machine instance ${instanceUid}`;
      await this.#standIn.event(vm, 'Normal', 'SuccessfulDelete', message, signal);
    }
    return instance;
  }

  /** Missing memory and the like are refused here, not at the machine's creation (fact: kubevirt 1.2). */
  async #start(
    vm: Stored<VirtualMachine>,
    signal: AbortSignal,
  ): Promise<Stored<VirtualMachineInstance> | undefined> {
    try {
      const instance = buildInstance(vm);
      const stored = await this.#standIn.client.create(virtualMachineInstances, instance, {}, signal);
      this.#caches.instances.put(stored);
      this.#failures.delete(vm.metadata.uid);
      const message = `Started the virtual machine by creating the new virtual machine instance ${vm.metadata.name}`;
      await this.#standIn.event(vm, 'Normal', 'SuccessfulCreate', message, signal);
      return stored;
    } catch (error) {
      if (isKubeError(error, 'AlreadyExists')) return undefined;
      if (!isKubeError(error, 'Invalid', 'BadRequest', 'Forbidden')) throw error;
      const message = `Error creating virtual machine instance: ${error.detail}`;
      await this.#standIn.event(vm, 'Warning', 'FailedCreate', message, signal);
      this.#failures.set(vm.metadata.uid, {
        reason: 'FailedCreate',
        message: `Failure while starting VMI: ${error.detail}`,
      });
      return undefined;
    }
  }

  async #writeStatus(
    vm: Stored<VirtualMachine>,
    instance: Stored<VirtualMachineInstance> | undefined,
    failure: Failure,
    signal: AbortSignal,
  ): Promise<void> {
    const { namespace = '', name, uid } = vm.metadata;
    const claims = claimsOf(this.#caches, namespace, vm.spec.template.spec);
    const status = nextMachineStatus({
      vm,
      instance,
      claims,
      dataVolumes: dataVolumesOf(this.#caches, claims),
      failure,
      nowMs: this.#standIn.clock.now(),
    });
    if (isDeepStrictEqual(status, vm.status)) return;
    // Null takes a member away.
    const patch = { created: null, ready: null, ...status };
    const stored = await this.#standIn.client.mergePatch(
      virtualMachines,
      { namespace, name },
      { metadata: { uid }, status: patch },
      { subresource: 'status' },
      signal,
    );
    this.#caches.machines.put(stored);
  }
}

/** Same name, owned by the machine, with the labels of the template. */
function buildInstance(vm: Stored<VirtualMachine>): VirtualMachineInstance {
  const { namespace = '', name, uid } = vm.metadata;
  const { metadata, spec } = vm.spec.template;
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {
      name,
      namespace,
      ...(metadata?.labels && { labels: metadata.labels }),
      ...(metadata?.annotations && { annotations: metadata.annotations }),
      finalizers: instanceFinalizers,
      ownerReferences: [
        {
          apiVersion: 'kubevirt.io/v1',
          kind: 'VirtualMachine',
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec,
  };
}
