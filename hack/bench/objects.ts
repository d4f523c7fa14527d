import { networkMaps, providers, secrets, storageMaps } from '../../src/api/kinds.ts';
import type { KubeObject, ResourceKind } from '../../src/api/meta.ts';
import type { Plan } from '../../src/api/plan.ts';
import type { VCenter } from '../../src/sandbox/world.ts';

const forklift = 'forklift.konveyor.io/v1beta1';
const meta = (name: string) => ({ name, namespace: 'bench' });
const pair = { source: meta('vcenter'), destination: meta('host') };

/** The Secret first, then what becomes Ready by itself. */
export function benchObjects(
  vcenter: Pick<VCenter, 'url' | 'caPem'>,
): readonly (readonly [ResourceKind, KubeObject])[] {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: meta('vcenter'),
    stringData: {
      user: 'administrator@vsphere.local',
      password: 'sandbox-password',
      'ca.crt': vcenter.caPem,
      insecureSkipVerify: 'false',
    },
  };
  const source = {
    apiVersion: forklift,
    kind: 'Provider',
    metadata: meta('vcenter'),
    spec: {
      type: 'vsphere',
      url: vcenter.url,
      secret: meta('vcenter'),
      settings: { vddkInitImage: 'registry.example/vddk:8' },
    },
  };
  const host = {
    apiVersion: forklift,
    kind: 'Provider',
    metadata: meta('host'),
    spec: { type: 'openshift', url: '', secret: {} },
  };
  const network = {
    apiVersion: forklift,
    kind: 'NetworkMap',
    metadata: meta('networks'),
    spec: { provider: pair, map: [{ source: { name: 'VM Network' }, destination: { type: 'pod' } }] },
  };
  const storage = {
    apiVersion: forklift,
    kind: 'StorageMap',
    metadata: meta('storage'),
    spec: {
      provider: pair,
      map: [{ source: { name: 'datastore1' }, destination: { storageClass: 'standard' } }],
    },
  };
  return [
    [secrets, secret],
    [providers, source],
    [providers, host],
    [networkMaps, network],
    [storageMaps, storage],
  ];
}

export function benchPlan(vms: readonly { readonly id: string; readonly name: string }[]): Plan {
  return {
    apiVersion: forklift,
    kind: 'Plan',
    metadata: meta('plan'),
    spec: {
      provider: pair,
      map: { network: meta('networks'), storage: meta('storage') },
      targetNamespace: 'migrated',
      type: 'cold',
      skipGuestConversion: true,
      vms,
    },
  };
}
