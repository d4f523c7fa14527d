import type { VirtualMachineInstanceSpec } from '../../api/external/kubevirt.ts';
import {
  dataVolumes,
  persistentVolumeClaims,
  storageClasses,
  virtualMachineInstances,
  virtualMachines,
} from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { KubeClient } from '../../kube/client.ts';
import { keyOf } from '../../kube/object-key.ts';
import { watchCache } from '../../runtime/watch-cache.ts';
import type { RunningStandIn, StandInDeps } from '../stand-in.ts';
import { StandIn } from '../stand-in.ts';
import type { KubeVirtCaches } from './caches.ts';
import { claimNamesOf } from './caches.ts';
import { InstanceController } from './instance-controller.ts';
import { MachineController } from './machine-controller.ts';
import type { KubeVirtSettings } from './settings.ts';
import { defaultKubeVirtSettings } from './settings.ts';

export interface KubeVirtDeps extends StandInDeps {
  readonly settings?: Partial<KubeVirtSettings>;
}

/** Starts KubeVirt's stand-in: machines get instances, instances get phases. Its webhooks are registered apart (admission.ts). */
export function startKubeVirt(client: KubeClient, deps: KubeVirtDeps, signal: AbortSignal): RunningStandIn {
  const settings: KubeVirtSettings = { ...defaultKubeVirtSettings, ...deps.settings };
  const standIn = new StandIn('kubevirt', client, deps);
  const caches: KubeVirtCaches = {
    machines: standIn.cache(virtualMachines, {
      indexes: { claim: (vm) => claimKeys(vm, vm.spec.template.spec) },
    }),
    instances: standIn.cache(virtualMachineInstances, {
      indexes: { claim: (instance) => claimKeys(instance, instance.spec) },
    }),
    claims: standIn.cache(persistentVolumeClaims),
    dataVolumes: standIn.cache(dataVolumes),
    classes: standIn.cache(storageClasses),
  };
  const machines = new MachineController(standIn, caches, settings);
  const instances = new InstanceController(standIn, caches, settings);
  const machineController = standIn.controller('machines', (key, stop) => machines.reconcile(key, stop));
  const instanceController = standIn.controller('instances', (key, stop) => instances.reconcile(key, stop));
  watchCache(caches.machines, machineController, keysOf);
  // An instance has its machine's name.
  watchCache(caches.instances, machineController, keysOf);
  watchCache(caches.instances, instanceController, keysOf);
  // A DataVolume has its claim's name.
  const machinesOf: Wakes = (before, after) =>
    keysOf(before, after).flatMap((key) => caches.machines.byIndex('claim', key).map(keyOf));
  const instancesOf: Wakes = (before, after) =>
    keysOf(before, after).flatMap((key) => caches.instances.byIndex('claim', key).map(keyOf));
  watchCache(caches.claims, machineController, machinesOf);
  watchCache(caches.claims, instanceController, instancesOf);
  watchCache(caches.dataVolumes, machineController, machinesOf);
  watchCache(caches.dataVolumes, instanceController, instancesOf);
  return standIn.start(signal);
}

type Wakes = (before: KubeObject | undefined, after: KubeObject | undefined) => readonly string[];

function keysOf(before: KubeObject | undefined, after: KubeObject | undefined): readonly string[] {
  const object = after ?? before;
  return object === undefined ? [] : [keyOf(object)];
}

function claimKeys({ metadata }: KubeObject, spec: VirtualMachineInstanceSpec): readonly string[] {
  return claimNamesOf(spec).map((name) => `${metadata.namespace ?? ''}/${name}`);
}
