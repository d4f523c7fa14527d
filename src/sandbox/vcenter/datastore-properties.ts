import { vim } from './vim-schema.ts';
import type { MoRef, VimValue } from './vim-value.ts';

const tebibyte = 1024 ** 4;

/** A VMFS datastore of 1 TiB, half of it free, that all hosts have mounted (fact: vs 2.2). */
export function datastoreProperties(
  ref: MoRef,
  name: string,
  hosts: readonly MoRef[],
): Readonly<Record<string, VimValue>> {
  const url = `ds:///vmfs/volumes/${ref.id}/`;
  const space = { capacity: tebibyte, freeSpace: tebibyte / 2 };
  const mountInfo = vim('HostMountInfo', { accessMode: 'readWrite', mounted: true, accessible: true });
  const number = ref.id.slice(-2);
  const vmfs = vim('HostVmfsVolume', {
    type: 'VMFS',
    name,
    capacity: tebibyte,
    blockSizeMb: 1,
    maxBlocks: 63_963_136,
    majorVersion: 6,
    version: '6.82',
    uuid: `5f000000-00000000-0000-${number.padStart(12, '0')}`,
    extent: [vim('HostScsiDiskPartition', { diskName: `naa.6000${number}`, partition: 1 })],
    vmfsUpgradable: false,
    ssd: true,
  });
  return {
    summary: vim('DatastoreSummary', {
      datastore: ref,
      name,
      url,
      ...space,
      accessible: true,
      multipleHostAccess: true,
      type: 'VMFS',
      maintenanceMode: 'normal',
    }),
    info: vim('VmfsDatastoreInfo', {
      name,
      url,
      freeSpace: space.freeSpace,
      maxFileSize: 64 * tebibyte,
      vmfs,
    }),
    host: hosts.map((key) => vim('DatastoreHostMount', { key, mountInfo })),
    capability: vim('DatastoreCapability', {
      directoryHierarchySupported: true,
      rawDiskMappingsSupported: true,
      perFileThinProvisioningSupported: true,
      storageIORMSupported: true,
    }),
    iormConfiguration: vim('StorageIORMInfo', {
      enabled: false,
      congestionThresholdMode: 'automatic',
      congestionThreshold: 30,
      percentOfPeakThroughput: 90,
    }),
  };
}
