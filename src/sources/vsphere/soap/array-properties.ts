/**
 * Members that are lists although one element of them looks like a single value, as "<element or xsi:type of the parent>/<member>"
 * (fact: vs 1.2: a parser must be told). Only those that Gantry reads or serves; readers use `asList` all the same.
 */
export const arrayProperties: ReadonlySet<string> = new Set([
  'returnval/objects',
  'returnval/filterSet',
  'objects/propSet',
  'objects/missingSet',
  'filterSet/objectSet',
  'filterSet/missingObjects',
  'objectSet/changeSet',
  'objectSet/missingSet',
  'VirtualMachineSnapshotInfo/rootSnapshotList',
  'rootSnapshotList/childSnapshotList',
  'childSnapshotList/childSnapshotList',
  'VirtualMachineBootOptions/bootOrder',
  'VirtualDevice/device',
  'GuestNicInfo/ipAddress',
  'ipConfig/ipAddress',
  'dnsConfig/ipAddress',
  'dnsConfig/searchDomain',
  'ipRouteConfig/ipRoute',
  'GuestDiskInfo/mappings',
  'VmwareDistributedVirtualSwitchTrunkVlanSpec/vlanId',
  'HostVirtualSwitch/pnic',
  'HostVirtualSwitch/portgroup',
  'vmfs/extent',
  'nas/remoteHostNames',
]);
