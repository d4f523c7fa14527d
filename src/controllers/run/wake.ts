import type { ResourceQuota } from '../../api/external/core.ts';
import type { Hook } from '../../api/hook.ts';
import type { Host } from '../../api/host.ts';
import type { KubeObject, ObjectReference, Stored } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { NetworkMap } from '../../api/network-map.ts';
import type { Plan } from '../../api/plan.ts';
import type { Provider } from '../../api/provider.ts';
import type { StorageMap } from '../../api/storage-map.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import { isEqualJson } from '../../kube/merge-patch.ts';
import { parseQuantity } from '../../model/quantity.ts';
import { keyOf } from '../../kube/object-key.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Controller } from '../../runtime/controller.ts';
import { watchCache } from '../../runtime/watch-cache.ts';
import type { ImportCache } from '../import/import-cache.ts';
import { isOver } from '../import/reconciler.ts';
import { InventoryWatch } from '../inventory-watch.ts';
import { referred } from '../plan/inputs.ts';
import type { SourceHub } from '../source-hub.ts';
import type { TargetCluster } from '../target-cluster.ts';
import { planKeyOf } from './migrations.ts';

export interface WakePlansDeps {
  readonly plans: ObjectCache<Plan>;
  readonly migrations: ObjectCache<Migration, 'plan'>;
  readonly providers: ObjectCache<Provider>;
  readonly networkMaps: ObjectCache<NetworkMap>;
  readonly storageMaps: ObjectCache<StorageMap>;
  readonly hosts: ObjectCache<Host>;
  readonly hooks: ObjectCache<Hook>;
  readonly imports: ImportCache;
  readonly hub: SourceHub;
  readonly cluster: TargetCluster;
  readonly clock: Clock;
}

export interface PlanControllers {
  readonly planController: Controller;
  readonly networkMapController: Controller;
  readonly storageMapController: Controller;
  readonly hostController: Controller;
  readonly hookController: Controller;
  readonly providerController: Controller;
}

/** etcd keeps every revision of an object for minutes: the larger a Plan, the less often mere progress is written (review.md F49). */
const bytesPerSecond = { transition: 500_000, progress: 50_000 };
const delays = { shortestMs: 20, longestTransitionMs: 1_000, shortestProgressMs: 2_000 };

/** Wakes whoever judges or shows a thing when what it is judged by changes. Status writes of our own wake nobody who reads only spec. */
export function wakePlans(deps: WakePlansDeps, controllers: PlanControllers): void {
  const { plans, migrations, providers, networkMaps, storageMaps, hosts, hooks, imports, hub, cluster } =
    deps;
  const { planController, networkMapController, storageMapController, hostController, hookController } =
    controllers;

  watchCache(plans, planController, (before, after) =>
    isOwnStatus(before, after) ? [] : keysOf(before, after),
  );
  watchCache(migrations, planController, (before, after) =>
    isOwnStatus(before, after)
      ? []
      : [...new Set([before, after].flatMap((one) => (one === undefined ? [] : [planKeyOf(one)])))],
  );
  watchCache(providers, controllers.providerController, (before, after) =>
    isOwnStatus(before, after) ? [] : keysOf(before, after),
  );
  watchCache(networkMaps, networkMapController, (before, after) =>
    isOwnStatus(before, after) ? [] : keysOf(before, after),
  );
  watchCache(storageMaps, storageMapController, (before, after) =>
    isOwnStatus(before, after) ? [] : keysOf(before, after),
  );
  watchCache(hosts, hostController, (before, after) =>
    isOwnStatus(before, after) ? [] : keysOf(before, after),
  );
  watchCache(hooks, hookController, (before, after) =>
    isOwnStatus(before, after) ? [] : keysOf(before, after),
  );

  const plansThat = (uses: (plan: Stored<Plan>) => boolean): void => {
    for (const plan of plans.list()) if (uses(plan)) planController.enqueue(keyOf(plan));
  };
  const mapsOf = (provider: KubeObject): void => {
    for (const map of networkMaps.list())
      if (usesProvider(map, map.spec.provider, provider)) networkMapController.enqueue(keyOf(map));
    for (const map of storageMaps.list())
      if (usesProvider(map, map.spec.provider, provider)) storageMapController.enqueue(keyOf(map));
  };
  providers.onChange((before, after) => {
    const provider = after ?? before;
    if (provider === undefined) return;
    mapsOf(provider);
    plansThat((plan) => usesProvider(plan, plan.spec.provider, provider));
  });
  networkMaps.onChange((before, after) =>
    plansThat((plan) => names(plan, plan.spec.map.network, after ?? before)),
  );
  storageMaps.onChange((before, after) =>
    plansThat((plan) => names(plan, plan.spec.map.storage, after ?? before)),
  );
  hooks.onChange(() => plansThat((plan) => plan.spec.vms.some((vm) => (vm.hooks ?? []).length > 0)));
  const onSource = (uid: string): void => {
    const provider = providers.list().find((candidate) => candidate.metadata.uid === uid);
    if (provider === undefined) return;
    mapsOf(provider);
    for (const host of hosts.list())
      if (names(host, host.spec.provider, provider)) hostController.enqueue(keyOf(host));
    plansThat((plan) => usesProvider(plan, plan.spec.provider, provider));
  };
  hub.onChange(onSource);
  new InventoryWatch({ hub, clock: deps.clock, changed: onSource });
  const onTarget = (): void => {
    for (const map of networkMaps.list()) networkMapController.enqueue(keyOf(map));
    for (const map of storageMaps.list()) storageMapController.enqueue(keyOf(map));
    plansThat((plan) => plan.spec.archived !== true);
  };
  cluster.storageClasses.onChange(onTarget);
  cluster.storageProfiles.onChange(onTarget);
  cluster.networks.onChange(onTarget);
  cluster.quotas.onChange((before, after) => {
    // Usage grows with every claim that is made, which is no news to a Plan; room that comes back may be what one waits for.
    if (!isEqualJson(before?.spec, after?.spec) || hasShrunk(before, after)) onTarget();
  });

  imports.onChange((before, after) => {
    const object = after ?? before;
    if (object === undefined) return;
    const key = `${object.metadata.namespace ?? ''}/${object.spec.run.plan.name}`;
    planController.enqueueAfter(key, delayOf(before, after, plans.getByKey(key)));
  });
}

/** Transitions are shown within a second, progress at an interval that grows with the object. */
function delayOf(
  before: VirtualMachineImport | undefined,
  after: VirtualMachineImport | undefined,
  plan: Plan | undefined,
): number {
  const vms = plan?.spec.vms.length ?? 1;
  const bytes = vms * bytesPerVm;
  if (isTransition(before, after)) {
    return Math.min(
      delays.longestTransitionMs,
      Math.max(delays.shortestMs, (bytes / bytesPerSecond.transition) * 1000),
    );
  }
  return Math.max(delays.shortestProgressMs, (bytes / bytesPerSecond.progress) * 1000);
}
/** What one VM takes in the status of a Plan, roughly (review.md F48). */
const bytesPerVm = 2_300;

function isTransition(
  before: VirtualMachineImport | undefined,
  after: VirtualMachineImport | undefined,
): boolean {
  if (before === undefined || after === undefined) return true;
  const essence = ({ metadata, spec, status }: VirtualMachineImport): unknown => [
    metadata.deletionTimestamp,
    spec.control,
    status?.phase,
    status?.outcome,
    status?.steps,
    status?.conditions,
    status?.error,
    isOver({ metadata, spec, status } as VirtualMachineImport),
  ];
  return !isEqualJson(essence(before), essence(after));
}

/** Only the status changed, and we are its writer. */
function isOwnStatus(before: Stored<KubeObject> | undefined, after: Stored<KubeObject> | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return (
    before.metadata.uid === after.metadata.uid &&
    before.metadata.generation === after.metadata.generation &&
    before.metadata.deletionTimestamp === after.metadata.deletionTimestamp &&
    isEqualJson(before.metadata.annotations, after.metadata.annotations) &&
    isEqualJson(before.metadata.finalizers, after.metadata.finalizers)
  );
}

function keysOf(
  before: Stored<KubeObject> | undefined,
  after: Stored<KubeObject> | undefined,
): readonly string[] {
  const object = after ?? before;
  return object === undefined ? [] : [keyOf(object)];
}

function usesProvider(
  from: KubeObject,
  pair: { readonly source: ObjectReference; readonly destination: ObjectReference },
  provider: KubeObject,
): boolean {
  return names(from, pair.source, provider) || names(from, pair.destination, provider);
}

function names(from: KubeObject, reference: ObjectReference, object: KubeObject | undefined): boolean {
  const { namespace, name } = referred(reference, from);
  return name === object?.metadata.name && namespace === object.metadata.namespace;
}

function hasShrunk(before: ResourceQuota | undefined, after: ResourceQuota | undefined): boolean {
  const used = after?.status?.used ?? {};
  return Object.entries(before?.status?.used ?? {}).some(
    ([key, value]) => parseQuantity(used[key] ?? '0') < parseQuantity(value),
  );
}
