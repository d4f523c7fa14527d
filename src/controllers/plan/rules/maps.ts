import { isTrue, type ConditionDraft } from '../../../api/conditions.ts';
import type { NetworkMap } from '../../../api/network-map.ts';
import type { Stored } from '../../../api/meta.ts';
import type { StorageMap } from '../../../api/storage-map.ts';
import { referred, type PlanInputs } from '../inputs.ts';
import { critical, warn, type PlanRule } from './rule.ts';

/** Both maps: named, there, made for these Providers, Ready. */
export const networkMap: PlanRule = (inputs) =>
  mapConditions(inputs, {
    kind: 'NetworkMap',
    field: 'network',
    map: inputs.networkMap,
    notValid: 'NetworkMapRefNotValid',
    notReady: 'NetworkMapNotReady',
  });

export const storageMap: PlanRule = (inputs) =>
  mapConditions(inputs, {
    kind: 'StorageMap',
    field: 'storage',
    map: inputs.storageMap,
    notValid: 'StorageRefNotValid',
    notReady: 'StorageMapNotReady',
  });

interface Named {
  readonly kind: string;
  readonly field: 'network' | 'storage';
  readonly map: Stored<NetworkMap> | Stored<StorageMap> | undefined;
  readonly notValid: string;
  readonly notReady: string;
}

function mapConditions(
  { plan }: PlanInputs,
  { kind, field, map, notValid, notReady }: Named,
): readonly ConditionDraft[] {
  const { namespace, name } = referred(plan.spec.map[field], plan);
  if (name === '') return [critical(notValid, 'NotSet', `The Plan names no ${kind}. Set spec.map.${field}.`)];
  const shown = `${kind} ${namespace}/${name}`;
  if (map === undefined) {
    const message = `${shown} was not found. Correct spec.map.${field}, or create it.`;
    return [critical(notValid, 'NotFound', message)];
  }
  const found: ConditionDraft[] = [];
  if (!isTrue(map.status?.conditions, 'Ready'))
    found.push(critical(notReady, undefined, `${shown} is not Ready; its conditions say why.`));
  // Ids of one vCenter mean something else in another: such a map may fit by chance, and wrongly.
  if (providersOf(map) !== providersOf(plan)) {
    const message = `${shown} was made for other Providers than those of the Plan. Check that its entries mean what they should.`;
    found.push(warn(notValid, 'NotValid', message));
  }
  return found;
}

function providersOf(object: Parameters<typeof referred>[1] & { readonly spec: PairedSpec }): string {
  const { source, destination } = object.spec.provider;
  return JSON.stringify([referred(source, object), referred(destination, object)]);
}

interface PairedSpec {
  readonly provider: Stored<NetworkMap>['spec']['provider'];
}

/** Static addresses that are kept mean nothing on the pod network (fact: plan 5.1). */
export const staticIpsOnPodNetwork: PlanRule = ({ plan, platform, networkMap: map }) => {
  const keeps = (plan.spec.preserveStaticIPs ?? true) && platform?.traits.staticIps === true;
  const usesPod = map?.spec.map.some(({ destination }) => destination.type === 'pod') === true;
  if (!keeps || !usesPod) return [];
  const message =
    'Static IP addresses of guests are to be kept, but those whose NICs go to the pod network cannot be reached by them. ' +
    'Map the network to a NetworkAttachmentDefinition, or set preserveStaticIPs to false.';
  return [warn('NetMapPreservingIPsOnPodNetwork', undefined, message)];
};

/** Copies an array would make itself are made over the network instead. */
export const offload: PlanRule = ({ storageMap: map }) => {
  const entries = (map?.spec.map ?? []).filter(
    ({ offloadPlugin }) =>
      offloadPlugin?.vsphereXcopyConfig !== undefined || offloadPlugin?.csiVolumeImport !== undefined,
  );
  if (entries.length === 0) return [];
  const message =
    'The storage map asks for copies by the storage array, which are not offered yet: these disks are copied over the network.';
  const items = entries.map(({ source }) => source.name ?? source.id ?? '');
  return [warn('OffloadNotSupported', 'NotSupported', message, items)];
};
