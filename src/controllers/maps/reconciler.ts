import { mergeConditions } from '../../api/conditions.ts';
import { networkMaps, storageMaps } from '../../api/kinds.ts';
import type { KubeObject, ResourceKind, Stored } from '../../api/meta.ts';
import type { NetworkMap, NetworkPair } from '../../api/network-map.ts';
import type { StorageMap, StoragePair } from '../../api/storage-map.ts';
import type { ProviderPair } from '../../api/references.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import { referred, type PlanWorld } from '../plan/inputs.ts';
import { destinationConditions, sourceConditions, type NamedProvider } from '../provider-conditions.ts';
import { writeStatus } from '../write-status.ts';
import { judgeNetworkMap, judgeStorageMap, namedThings, type MapFacts, type MapVerdict } from './judge.ts';

export interface MapsDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly world: Pick<PlanWorld, 'providers' | 'platformOf'> & {
    readonly hub: Pick<PlanWorld['hub'], 'inventory'>;
    readonly cluster: Pick<PlanWorld['cluster'], 'storageClasses' | 'networks'>;
    readonly networkMaps: ObjectCache<NetworkMap>;
    readonly storageMaps: ObjectCache<StorageMap>;
  };
}

/** Keyed by "namespace/name" of a map. They write its status and nothing else. */
export function mapReconcilers(deps: MapsDeps): {
  readonly networkMap: Reconcile;
  readonly storageMap: Reconcile;
} {
  const { cluster } = deps.world;
  return {
    networkMap: reconciler<NetworkMap, NetworkPair>(deps, networkMaps, deps.world.networkMaps, {
      thing: 'network',
      judge: (facts) =>
        judgeNetworkMap(facts, (namespace, name) => cluster.networks.get({ namespace, name }) !== undefined),
    }),
    storageMap: reconciler<StorageMap, StoragePair>(deps, storageMaps, deps.world.storageMaps, {
      thing: 'storage',
      judge: (facts) => judgeStorageMap(facts, (name) => cluster.storageClasses.get({ name }) !== undefined),
    }),
  };
}

interface Judge<Pair> {
  readonly thing: 'network' | 'storage';
  readonly judge: (facts: MapFacts<Pair>) => MapVerdict;
}

interface MapObject<Pair> extends KubeObject {
  readonly spec: { readonly provider: ProviderPair; readonly map: readonly Pair[] };
  readonly status?: NonNullable<NetworkMap['status']>;
}

function reconciler<T extends MapObject<Pair>, Pair>(
  deps: MapsDeps,
  kind: ResourceKind<T>,
  cache: ObjectCache<T>,
  { thing, judge }: Judge<Pair>,
): Reconcile {
  return async (key, signal) => {
    const object = cache.getByKey(key);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return {};
    const { conditions, references } = judge(factsOf(object, thing, deps.world));
    const before = object.status ?? {};
    const { generation } = object.metadata;
    const status = {
      ...before,
      conditions: mergeConditions(before.conditions ?? [], conditions, rfc3339(deps.clock.now())),
      ...(references !== undefined && { references }),
      ...(generation !== undefined && { observedGeneration: generation }),
    };
    await writeStatus<T>(kind, object, status, { client: deps.client, cache }, signal);
    return {};
  };
}

function factsOf<Pair>(
  object: Stored<MapObject<Pair>>,
  thing: 'network' | 'storage',
  world: MapsDeps['world'],
): MapFacts<Pair> {
  const { provider, map } = object.spec;
  const named = (reference: ProviderPair['source']): NamedProvider => {
    const at = referred(reference, object);
    return {
      by: object.kind,
      shown: `${at.namespace}/${at.name}`,
      reference,
      provider: at.name === '' ? undefined : world.providers.get(at),
    };
  };
  const source = named(provider.source);
  const platform = source.provider === undefined ? undefined : world.platformOf(source.provider.spec.type);
  const inventory =
    source.provider === undefined ? undefined : world.hub.inventory(source.provider.metadata.uid);
  const readable = inventory !== undefined && platform !== undefined;
  return {
    entries: map,
    source: sourceConditions(source, platform, inventory),
    destination: destinationConditions(named(provider.destination)),
    things: readable ? namedThings(inventory, platform.named[thing]) : [],
  };
}
