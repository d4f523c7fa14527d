import { powerOffPolicyAnnotation } from '../../api/labels.ts';
import type { Provider } from '../../api/provider.ts';
import type { KubeObject, Stored } from '../../api/meta.ts';
import type { PlanVm } from '../../api/plan-vm.ts';
import type { FreezeInput } from '../../migration/freeze/input.ts';
import type { PlanView, TransferPath } from '../../model/source-data.ts';
import type { MapRef, VmModel } from '../../model/vm.ts';
import type { PlanInputs } from './inputs.ts';
import { transferNetwork } from './transfer-network.ts';

/**
 * What the import of one VM is frozen from. The rules of a Plan and the run that starts it both ask here, so that what was found good is
 * what is run. undefined: a Provider, a map or the platform is not there.
 *
 * @param migration any name and uid will do while there is no run: they go into names only.
 * @param order position in plan.spec.vms.
 */
export function freezeInput(
  inputs: PlanInputs,
  planVm: PlanVm,
  model: VmModel,
  migration: FreezeInput['migration'],
  order: number,
): FreezeInput | undefined {
  const { plan, source, destination, networkMap, storageMap, platform, conversion } = inputs;
  if (source === undefined || destination === undefined || platform === undefined) return undefined;
  if (networkMap === undefined || storageMap === undefined) return undefined;
  const vddkImage = vddkImageOf(source);
  const path = transferPath(inputs, model);
  const network = transferNetwork(inputs);
  return {
    plan,
    planVm,
    migration,
    model,
    source: {
      provider: providerRef(source),
      type: platform.type,
      ...(vddkImage !== undefined && { vddkImage }),
      converts: platform.traits.conversion === 'always',
      ...(path !== undefined && { path }),
    },
    target: { provider: providerRef(destination) },
    networkMap: networkMap.spec.map,
    storageMap: storageMap.spec.map,
    ...(network?.kind === 'found' && { transferNetwork: network.resolved }),
    ...(conversion !== undefined && { conversion }),
    order,
  };
}

/** The best way to read the disks of this VM; undefined: there is none, or the source is not connected and cannot tell. */
export function transferPath(
  { plan, source, transfer, networkMap, storageMap }: PlanInputs,
  model: VmModel,
  vddkImage = source === undefined ? undefined : vddkImageOf(source),
): TransferPath | undefined {
  const view = planView(plan, networkMap?.spec.map ?? [], storageMap?.spec.map ?? []);
  const run = {
    marker: '',
    plan: view,
    targetIsLocal: true,
    ...(vddkImage !== undefined && { vddkImage }),
  };
  return transfer?.paths(model, run)[0];
}

/** The Plan as a platform's rules see it. */
export function planView(
  { spec, metadata }: Pick<PlanInputs['plan'], 'spec' | 'metadata'>,
  networkPairs: readonly { readonly source: EntrySource }[],
  storagePairs: readonly { readonly source: EntrySource }[],
): PlanView {
  return {
    warm: isWarm(spec),
    skipGuestConversion: spec.skipGuestConversion ?? false,
    preserveStaticIps: spec.preserveStaticIPs ?? true,
    migrateSharedDisks: spec.migrateSharedDisks ?? true,
    forcesPowerOff: metadata.annotations?.[powerOffPolicyAnnotation] === 'force',
    networkMap: networkPairs.map(({ source }) => mapRef(source)),
    storageMap: storagePairs.map(({ source }) => mapRef(source)),
  };
}

/** An older plan says it by its flag alone; the flag goes before type cold (fact: plan 2.1). */
export function isWarm({ type, warm }: PlanInputs['plan']['spec']): boolean {
  return type === 'warm' || (warm === true && type !== 'conversion' && type !== 'live');
}

/** What guests of this source need, and the Plan does not do without. */
export function convertsGuests(
  { skipGuestConversion }: PlanInputs['plan']['spec'],
  platform: PlanInputs['platform'],
): boolean {
  return platform?.traits.conversion === 'always' && skipGuestConversion !== true;
}

/** The image with VMware's library; '' is the same as none. */
export function vddkImageOf({ spec }: Provider): string | undefined {
  const image = spec.settings?.['vddkInitImage'];
  return image === undefined || image === '' ? undefined : image;
}

interface EntrySource {
  readonly id?: string;
  readonly name?: string;
  readonly vlan?: string;
}

function mapRef({ id, name, vlan }: EntrySource): MapRef {
  return {
    ids: id === undefined || id === '' ? [] : [id],
    names: name === undefined || name === '' ? [] : [name],
    ...(vlan !== undefined && { vlan }),
  };
}

function providerRef({ metadata }: Stored<KubeObject>): FreezeInput['target']['provider'] {
  return { namespace: metadata.namespace ?? '', name: metadata.name, uid: metadata.uid };
}
