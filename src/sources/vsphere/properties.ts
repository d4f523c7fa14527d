import type { PropertySpec } from './soap/requests.ts';

/**
 * What is asked of each managed object type, and in which inventory collection it stands (fact: vs 2.2; the collections are those of
 * Forklift's REST API). Leaves only: whole `config` or `guest` would multiply cost and noise (fact: vs 1.4). Ballooned memory is left
 * out on purpose: it changes all the time and nothing decides by it (fact: vs 2.5).
 */

const vmProperties: readonly string[] = [
  'availableField',
  'config.annotation',
  'config.bootOptions',
  'config.changeTrackingEnabled',
  'config.cpuAffinity',
  'config.cpuHotAddEnabled',
  'config.cpuHotRemoveEnabled',
  'config.extraConfig',
  'config.firmware',
  'config.ftInfo',
  'config.guestId',
  'config.hardware.device',
  'config.hardware.memoryMB',
  'config.hardware.numCPU',
  'config.hardware.numCoresPerSocket',
  'config.instanceUuid',
  'config.memoryHotAddEnabled',
  'config.nestedHVEnabled',
  'config.template',
  'config.uuid',
  'customValue',
  'datastore',
  'guest.disk',
  'guest.guestFullName',
  'guest.hostName',
  'guest.ipStack',
  'guest.net',
  'guest.toolsRunningStatus',
  'guest.toolsStatus',
  'guest.toolsVersionStatus2',
  'name',
  'network',
  'parent',
  'runtime.connectionState',
  'runtime.consolidationNeeded',
  'runtime.host',
  'runtime.powerState',
  'snapshot',
  'summary.config.guestFullName',
  'summary.config.tpmPresent',
  'summary.guest.guestId',
  'summary.guest.ipAddress',
  'summary.storage.committed',
];

/** Properties that change by themselves, too often and without meaning for a migration. */
export const volatileVmProperties: ReadonlySet<string> = new Set([
  'guest.disk',
  'guest.ipStack',
  'summary.storage.committed',
]);

/** tpmPresent came with 6.7 (fact: vs 2.2); asking an older server for it makes the whole request fail. */
export const tpmSince = '6.7';

const clusterProperties = ['name', 'parent', 'host', 'network', 'datastore'];

const others: readonly PropertySpec[] = [
  { type: 'Folder', paths: ['name', 'parent', 'childEntity'] },
  {
    type: 'Datacenter',
    paths: ['name', 'parent', 'vmFolder', 'hostFolder', 'networkFolder', 'datastoreFolder'],
  },
  { type: 'ComputeResource', paths: clusterProperties },
  {
    type: 'ClusterComputeResource',
    paths: [
      ...clusterProperties,
      'configuration.dasConfig.enabled',
      'configuration.drsConfig.enabled',
      'configuration.drsConfig.defaultVmBehavior',
    ],
  },
  {
    type: 'HostSystem',
    paths: [
      'name',
      'parent',
      'overallStatus',
      'config.product.name',
      'config.product.version',
      'config.dateTimeInfo.timeZone.name',
      'summary.config.sslThumbprint',
      'summary.managementServerIp',
      'summary.runtime.inMaintenanceMode',
      'summary.hardware.numCpuPkgs',
      'summary.hardware.numCpuCores',
      'summary.hardware.memorySize',
      'hardware.systemInfo.model',
      'hardware.systemInfo.vendor',
      'datastore',
      'network',
      'config.network.vswitch',
      'config.network.portgroup',
      'config.network.pnic',
      'config.network.vnic',
      'capability.vmotionSupported',
      'capability.storageVMotionSupported',
    ],
  },
  { type: 'Network', paths: ['name', 'parent', 'tag'] },
  { type: 'OpaqueNetwork', paths: ['name', 'parent', 'tag', 'summary'] },
  {
    type: 'DistributedVirtualPortgroup',
    paths: ['name', 'parent', 'tag', 'key', 'config.distributedVirtualSwitch', 'config.defaultPortConfig'],
  },
  { type: 'DistributedVirtualSwitch', paths: ['name', 'parent', 'config.host'] },
  {
    type: 'Datastore',
    paths: [
      'name',
      'parent',
      'summary.type',
      'summary.capacity',
      'summary.freeSpace',
      'summary.maintenanceMode',
      'info',
      'host',
      'capability.storageIORMSupported',
      'iormConfiguration',
    ],
  },
];

/** The filter's propSet. */
export function inventoryProperties(tpm: boolean): readonly PropertySpec[] {
  return [...others, { type: 'VirtualMachine', paths: vmPaths(tpm) }];
}

export function vmPaths(tpm: boolean): readonly string[] {
  return tpm ? vmProperties : vmProperties.filter((path) => path !== 'summary.config.tpmPresent');
}

export const inventoryTypes: readonly string[] = [...others.map(({ type }) => type), 'VirtualMachine'];

const collections: Readonly<Record<string, string>> = {
  Folder: 'folders',
  StoragePod: 'folders',
  Datacenter: 'datacenters',
  ComputeResource: 'clusters',
  ClusterComputeResource: 'clusters',
  HostSystem: 'hosts',
  Network: 'networks',
  OpaqueNetwork: 'networks',
  DistributedVirtualPortgroup: 'networks',
  DistributedVirtualSwitch: 'networks',
  VmwareDistributedVirtualSwitch: 'networks',
  Datastore: 'datastores',
  VirtualMachine: 'vms',
};

/** undefined: a type that the inventory does not show. */
export function collectionOf(type: string): string | undefined {
  return Object.hasOwn(collections, type) ? collections[type] : undefined;
}
