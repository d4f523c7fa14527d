import type { Cdi, DataVolume, StorageProfile } from './external/cdi.ts';
import type {
  ConfigMap,
  CustomResourceDefinition,
  Event,
  Job,
  Lease,
  Namespace,
  NetworkAttachmentDefinition,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Secret,
  StorageClass,
} from './external/core.ts';
import type { VirtualMachine, VirtualMachineInstance } from './external/kubevirt.ts';
import type { Hook } from './hook.ts';
import type { Host } from './host.ts';
import type { KubeObject, ResourceKind } from './meta.ts';
import type { Migration } from './migration.ts';
import type { NetworkMap } from './network-map.ts';
import type { Plan } from './plan.ts';
import type { Provider } from './provider.ts';
import type { StorageMap } from './storage-map.ts';
import type { VirtualMachineImport } from './virtual-machine-import.ts';

/** Every kind that Gantry reads or writes, and where it lives in the API. */

export const forkliftGroup = 'forklift.konveyor.io';
export const gantryGroup = 'gantry.dev';

interface Scope {
  readonly namespaced?: boolean;
  readonly hasStatus?: boolean;
}

function kindOf<T extends KubeObject>(
  group: string,
  version: string,
  kind: string,
  plural: string,
  { namespaced = true, hasStatus = true }: Scope = {},
): ResourceKind<T> {
  return { group, version, kind, plural, namespaced, hasStatus };
}

const forklift = <T extends KubeObject>(kind: string, plural: string) =>
  kindOf<T>(forkliftGroup, 'v1beta1', kind, plural);
const core = <T extends KubeObject>(kind: string, plural: string, scope: Scope = {}) =>
  kindOf<T>('', 'v1', kind, plural, scope);
const cdi = <T extends KubeObject>(kind: string, plural: string, scope: Scope = {}) =>
  kindOf<T>('cdi.kubevirt.io', 'v1beta1', kind, plural, scope);

export const providers = forklift<Provider>('Provider', 'providers');
export const hosts = forklift<Host>('Host', 'hosts');
export const networkMaps = forklift<NetworkMap>('NetworkMap', 'networkmaps');
export const storageMaps = forklift<StorageMap>('StorageMap', 'storagemaps');
export const plans = forklift<Plan>('Plan', 'plans');
export const migrations = forklift<Migration>('Migration', 'migrations');
export const hooks = forklift<Hook>('Hook', 'hooks');
export const virtualMachineImports = kindOf<VirtualMachineImport>(
  gantryGroup,
  'v1alpha1',
  'VirtualMachineImport',
  'virtualmachineimports',
);

export const namespaces = core<Namespace>('Namespace', 'namespaces', { namespaced: false });
export const secrets = core<Secret>('Secret', 'secrets', { hasStatus: false });
export const configMaps = core<ConfigMap>('ConfigMap', 'configmaps', { hasStatus: false });
export const pods = core<Pod>('Pod', 'pods');
export const persistentVolumeClaims = core<PersistentVolumeClaim>(
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
);
export const persistentVolumes = core<PersistentVolume>('PersistentVolume', 'persistentvolumes', {
  namespaced: false,
});
export const events = core<Event>('Event', 'events', { hasStatus: false });
export const resourceQuotas = core<ResourceQuota>('ResourceQuota', 'resourcequotas');
export const storageClasses = kindOf<StorageClass>('storage.k8s.io', 'v1', 'StorageClass', 'storageclasses', {
  namespaced: false,
  hasStatus: false,
});
export const leases = kindOf<Lease>('coordination.k8s.io', 'v1', 'Lease', 'leases', { hasStatus: false });
export const jobs = kindOf<Job>('batch', 'v1', 'Job', 'jobs');
export const customResourceDefinitions = kindOf<CustomResourceDefinition>(
  'apiextensions.k8s.io',
  'v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  { namespaced: false },
);

export const dataVolumes = cdi<DataVolume>('DataVolume', 'datavolumes');
export const storageProfiles = cdi<StorageProfile>('StorageProfile', 'storageprofiles', {
  namespaced: false,
});
/** Its status is written through the object itself (fact: testbed 7.2). */
export const cdis = cdi<Cdi>('CDI', 'cdis', { namespaced: false, hasStatus: false });

export const virtualMachines = kindOf<VirtualMachine>(
  'kubevirt.io',
  'v1',
  'VirtualMachine',
  'virtualmachines',
);
/** Its status is written through the object itself, by KubeVirt alone (fact: kubevirt 1.4). */
export const virtualMachineInstances = kindOf<VirtualMachineInstance>(
  'kubevirt.io',
  'v1',
  'VirtualMachineInstance',
  'virtualmachineinstances',
  { hasStatus: false },
);
export const networkAttachmentDefinitions = kindOf<NetworkAttachmentDefinition>(
  'k8s.cni.cncf.io',
  'v1',
  'NetworkAttachmentDefinition',
  'network-attachment-definitions',
  { hasStatus: false },
);

/** The kinds whose definitions Gantry ships. */
export const ownKinds: readonly ResourceKind[] = [
  providers,
  hosts,
  networkMaps,
  storageMaps,
  plans,
  migrations,
  hooks,
  virtualMachineImports,
];

export const allKinds: readonly ResourceKind[] = [
  ...ownKinds,
  namespaces,
  secrets,
  configMaps,
  pods,
  persistentVolumeClaims,
  persistentVolumes,
  events,
  resourceQuotas,
  storageClasses,
  leases,
  jobs,
  customResourceDefinitions,
  dataVolumes,
  storageProfiles,
  cdis,
  virtualMachines,
  virtualMachineInstances,
  networkAttachmentDefinitions,
];
