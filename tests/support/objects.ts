import { migrations, networkMaps, plans, providers, secrets, storageMaps } from '../../src/api/kinds.ts';
import type { Secret } from '../../src/api/external/core.ts';
import type { KubeObject, ResourceKind } from '../../src/api/meta.ts';
import type { Migration } from '../../src/api/migration.ts';
import type { NetworkMap } from '../../src/api/network-map.ts';
import type { Plan, PlanSpec } from '../../src/api/plan.ts';
import type { PlanVm } from '../../src/api/plan-vm.ts';
import type { Provider } from '../../src/api/provider.ts';
import type { StorageMap } from '../../src/api/storage-map.ts';
import type { VCenter } from '../../src/sandbox/world.ts';

/** Where a world has its objects. */
export interface Names {
  /** Of everything that a user applies, and of the imports. */
  readonly planNamespace: string;
  /** Into which VMs are moved. */
  readonly targetNamespace: string;
}

/** Embedded worlds do not meet, so all have the same. */
export const sandboxNames: Names = { planNamespace: 'moves', targetNamespace: 'migrated' };

/** What a vCenter's user gives, and what it presents itself by. */
type Source = Names & { readonly vcenter: Pick<VCenter, 'url' | 'caPem'> };

export const password = 'sandbox-password';

type Applied = readonly [ResourceKind, KubeObject];
const forklift = 'forklift.konveyor.io/v1beta1';

function providerPair({ planNamespace: namespace }: Names) {
  return { source: { name: 'vcenter', namespace }, destination: { name: 'host', namespace } };
}

export function secretObject(
  { planNamespace, vcenter }: Source,
  data: Readonly<Record<string, string>> = {},
): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'vcenter', namespace: planNamespace },
    stringData: {
      user: 'administrator@vsphere.local',
      password,
      'ca.crt': vcenter.caPem,
      insecureSkipVerify: 'false',
      ...data,
    },
  };
}

export function providerObjects(
  world: Source,
  secret: Readonly<Record<string, string>> = {},
): readonly Applied[] {
  const { planNamespace, vcenter } = world;
  const source: Provider = {
    apiVersion: forklift,
    kind: 'Provider',
    metadata: { name: 'vcenter', namespace: planNamespace },
    spec: {
      type: 'vsphere',
      url: vcenter.url,
      secret: { name: 'vcenter', namespace: planNamespace },
      settings: { sdkEndpoint: 'vcenter', vddkInitImage: 'registry.example/vddk:8' },
    },
  };
  const host: Provider = {
    apiVersion: forklift,
    kind: 'Provider',
    metadata: { name: 'host', namespace: planNamespace },
    spec: { type: 'openshift', url: '', secret: {} },
  };
  return [
    [secrets, secretObject(world, secret)],
    [providers, source],
    [providers, host],
  ];
}

export function mapObjects(world: Names): readonly Applied[] {
  const { planNamespace } = world;
  const provider = providerPair(world);
  const network: NetworkMap = {
    apiVersion: forklift,
    kind: 'NetworkMap',
    metadata: { name: 'networks', namespace: planNamespace },
    spec: { provider, map: [{ source: { name: 'VM Network' }, destination: { type: 'pod' } }] },
  };
  const storage: StorageMap = {
    apiVersion: forklift,
    kind: 'StorageMap',
    metadata: { name: 'storage', namespace: planNamespace },
    spec: {
      provider,
      map: [{ source: { name: 'datastore1' }, destination: { storageClass: 'standard' } }],
    },
  };
  return [
    [networkMaps, network],
    [storageMaps, storage],
  ];
}

export function planObject(
  world: Names,
  vms: readonly PlanVm[],
  spec: Partial<PlanSpec> = {},
  name = 'plan',
): Applied {
  const { planNamespace, targetNamespace } = world;
  const plan: Plan = {
    apiVersion: forklift,
    kind: 'Plan',
    metadata: { name, namespace: planNamespace },
    spec: {
      provider: providerPair(world),
      map: {
        network: { name: 'networks', namespace: planNamespace },
        storage: { name: 'storage', namespace: planNamespace },
      },
      targetNamespace,
      type: 'cold',
      skipGuestConversion: true,
      useCompatibilityMode: false,
      vms,
      ...spec,
    },
  };
  return [plans, plan];
}

export function migrationObject(
  { planNamespace }: Names,
  spec: Partial<Migration['spec']> = {},
  name = 'run',
  plan = 'plan',
): Applied {
  const migration: Migration = {
    apiVersion: forklift,
    kind: 'Migration',
    metadata: { name, namespace: planNamespace },
    spec: { plan: { name: plan, namespace: planNamespace }, ...spec },
  };
  return [migrations, migration];
}
