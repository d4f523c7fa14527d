import type { Hook } from '../../api/hook.ts';
import type { KubeObject, ObjectReference, Stored } from '../../api/meta.ts';
import type { NetworkMap } from '../../api/network-map.ts';
import type { Plan } from '../../api/plan.ts';
import type { PlanVm } from '../../api/plan-vm.ts';
import type { Provider } from '../../api/provider.ts';
import type { StorageMap } from '../../api/storage-map.ts';
import type { InventoryStore, InventoryVm } from '../../inventory/store.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { ConversionConfig } from '../../migration/freeze/conversion.ts';
import { isSourceError } from '../../model/fault.ts';
import type { SourcePlatform, Transfer } from '../../sources/source.ts';
import type { ProviderRef, SourceHub } from '../source-hub.ts';
import type { TargetCluster } from '../target-cluster.ts';

type Lookup<T extends KubeObject> = Pick<ObjectCache<T>, 'get'>;

/** Where the objects that a Plan names are looked up: all of it is in memory. */
export interface PlanWorld {
  readonly providers: Lookup<Provider>;
  readonly networkMaps: Lookup<NetworkMap>;
  readonly storageMaps: Lookup<StorageMap>;
  readonly hooks: Lookup<Hook>;
  readonly hub: Pick<SourceHub, 'inventory'> & {
    source(provider: ProviderRef): { readonly transfer: Pick<Transfer, 'paths'> };
  };
  /** By the type of a Provider; undefined: no platform serves it. */
  readonly platformOf: (type: string) => SourcePlatform | undefined;
  readonly cluster: Pick<TargetCluster, 'storageClasses' | 'storageProfiles' | 'quotas' | 'networks'>;
  /** How guests are converted here; left out: no image is known. */
  readonly conversion?: ConversionConfig;
}

/** What a Plan names, as far as it is there. Rules decide from this and from nothing else. */
export interface PlanInputs {
  readonly plan: Stored<Plan>;
  readonly source: Stored<Provider> | undefined;
  readonly destination: Stored<Provider> | undefined;
  readonly networkMap: Stored<NetworkMap> | undefined;
  readonly storageMap: Stored<StorageMap> | undefined;
  /** Of the source; undefined: no platform serves its type. */
  readonly platform: SourcePlatform | undefined;
  /** Of the source; undefined: never loaded. */
  readonly inventory: InventoryStore | undefined;
  /** How disks of the source can be read; undefined while it is not connected. */
  readonly transfer: Pick<Transfer, 'paths'> | undefined;
  readonly hookOf: (reference: ObjectReference) => Stored<Hook> | undefined;
  readonly cluster: PlanWorld['cluster'];
  readonly conversion?: ConversionConfig;
}

/** Gathers; never reads from a server. */
export function planInputs(plan: Stored<Plan>, world: PlanWorld): PlanInputs {
  const { provider, map } = plan.spec;
  const find = <T extends KubeObject>(
    cache: Lookup<T>,
    reference: ObjectReference,
  ): Stored<T> | undefined => {
    const { name, namespace } = referred(reference, plan);
    return name === '' ? undefined : cache.get({ namespace, name });
  };
  const source = find(world.providers, provider.source);
  return {
    plan,
    source,
    destination: find(world.providers, provider.destination),
    networkMap: find(world.networkMaps, map.network),
    storageMap: find(world.storageMaps, map.storage),
    platform: source === undefined ? undefined : world.platformOf(source.spec.type),
    inventory: source === undefined ? undefined : world.hub.inventory(source.metadata.uid),
    transfer: source === undefined ? undefined : transferOf(source, world.hub),
    hookOf: (reference) => find(world.hooks, reference),
    cluster: world.cluster,
    ...(world.conversion !== undefined && { conversion: world.conversion }),
  };
}

/** A reference without a namespace means that of the object it stands in. `name` is '' where none is given. */
export function referred(
  { namespace, name }: ObjectReference,
  from: KubeObject,
): { readonly namespace: string; readonly name: string } {
  const own = from.metadata.namespace ?? '';
  return { namespace: namespace === undefined || namespace === '' ? own : namespace, name: name ?? '' };
}

function transferOf(source: Stored<Provider>, hub: PlanWorld['hub']): PlanInputs['transfer'] {
  const { namespace = '', name, uid } = source.metadata;
  try {
    return hub.source({ namespace, name, uid }).transfer;
  } catch (error) {
    if (isSourceError(error)) return undefined;
    throw error;
  }
}

export type FoundVm =
  | { readonly kind: 'one'; readonly vm: InventoryVm }
  | { readonly kind: 'none' }
  | { readonly kind: 'many'; readonly vms: readonly InventoryVm[] };

/** The VM that an entry of a Plan means. An id decides alone; a name may be a whole path. */
export function resolveVm({ inventory }: Pick<PlanInputs, 'inventory'>, planVm: PlanVm): FoundVm {
  const { id, name } = planVm;
  const found = inventory?.find({ ...(id !== undefined && { id }), ...(name !== undefined && { name }) });
  switch (found?.kind) {
    case 'one':
      return { kind: 'one', vm: found.item };
    case 'many':
      return { kind: 'many', vms: found.items };
    default:
      return { kind: 'none' };
  }
}
