/**
 * The vim25 tables: `Type < Base:: field:type field?:type field:type* field:^Class`. Elements stand in the order of the schema, those
 * of the base class first (fact: vs 1.2, 1.2b). Types are cut down to the elements that are used here; their order is the real one.
 */
export const enumTypes = `
VirtualMachinePowerState = poweredOff poweredOn suspended
VirtualMachineConnectionState = connected disconnected orphaned inaccessible invalid
VirtualDeviceConfigSpecOperation = add remove edit
VirtualDeviceConfigSpecFileOperation = create destroy replace
VirtualMachineToolsStatus = toolsNotInstalled toolsNotRunning toolsOld toolsOk
TaskInfoState = queued running success error
ObjectUpdateKind = modify enter leave
PropertyChangeOp = add remove assign indirectRemove
ManagedEntityStatus = gray green yellow red
HostSystemConnectionState = connected notResponding disconnected
HostSystemPowerState = poweredOn poweredOff standBy unknown
VirtualSCSISharing = noSharing virtualSharing physicalSharing
DrsBehavior = manual partiallyAutomated fullyAutomated
`;

export const dataTypes = `
MethodFault:: faultCause?:LocalizedMethodFault faultMessage:LocalizableMessage*
VimFault < MethodFault::
RuntimeFault < MethodFault::
InvalidLogin < VimFault::
NoPermission < RuntimeFault:: object:^ManagedEntity privilegeId:string
NotAuthenticated < NoPermission::
ManagedObjectNotFound < RuntimeFault:: obj:^ManagedEntity
InvalidRequest < RuntimeFault::
NotSupported < RuntimeFault::
RequestCanceled < RuntimeFault::
InvalidProperty < MethodFault:: name:string
InvalidCollectorVersion < MethodFault::
InvalidArgument < RuntimeFault:: invalidProperty?:string
InvalidState < VimFault::
InvalidPowerState < InvalidState:: requestedState?:VirtualMachinePowerState existingState:VirtualMachinePowerState
TaskInProgress < VimFault:: task:^Task
ToolsUnavailable < VimFault::
FileFault < VimFault:: file:string
NoDiskSpace < FileFault:: datastore:string
SnapshotFault < VimFault::
ApplicationQuiesceFault < SnapshotFault::
FilesystemQuiesceFault < SnapshotFault::
LocalizableMessage:: key:string message?:string
LocalizedMethodFault:: fault:MethodFault localizedMessage?:string
AboutInfo:: name:string fullName:string vendor:string version:string build:string osType:string productLineId:string apiType:string apiVersion:string instanceUuid?:string licenseProductName?:string licenseProductVersion?:string
ServiceContent:: rootFolder:^Folder propertyCollector:^PropertyCollector viewManager?:^ViewManager about:AboutInfo sessionManager?:^SessionManager authorizationManager?:^AuthorizationManager taskManager?:^TaskManager customFieldsManager?:^CustomFieldsManager searchIndex?:^SearchIndex fileManager?:^FileManager virtualDiskManager?:^VirtualDiskManager
UserSession:: key:string userName:string fullName:string loginTime:dateTime lastActiveTime:dateTime locale:string messageLocale:string
PropertySpec:: type:string all?:boolean pathSet:string*
SelectionSpec:: name?:string
TraversalSpec < SelectionSpec:: type:string path:string skip?:boolean selectSet:SelectionSpec*
ObjectSpec:: obj:^ManagedEntity skip?:boolean selectSet:SelectionSpec*
PropertyFilterSpec:: propSet:PropertySpec* objectSet:ObjectSpec* reportMissingObjectsInResults?:boolean
RetrieveOptions:: maxObjects?:int
WaitOptions:: maxWaitSeconds?:int maxObjectUpdates?:int
DynamicProperty:: name:string val:anyType
MissingProperty:: path:string fault:LocalizedMethodFault
ObjectContent:: obj:^ManagedEntity propSet:DynamicProperty* missingSet:MissingProperty*
RetrieveResult:: token?:string objects:ObjectContent*
PropertyChange:: name:string op:PropertyChangeOp val?:anyType
ObjectUpdate:: kind:ObjectUpdateKind obj:^ManagedEntity changeSet:PropertyChange* missingSet:MissingProperty*
PropertyFilterUpdate:: filter:^PropertyFilter objectSet:ObjectUpdate*
UpdateSet:: version:string filterSet:PropertyFilterUpdate* truncated?:boolean
TaskReason::
TaskReasonUser < TaskReason:: userName:string
TaskInfo:: key:string task:^Task name?:string descriptionId:string entity?:^ManagedEntity entityName?:string state:TaskInfoState cancelled:boolean cancelable:boolean error?:LocalizedMethodFault result?:anyType progress?:int reason:TaskReason queueTime:dateTime startTime?:dateTime completeTime?:dateTime eventChainId:int
OptionValue:: key:string value:anyType
CustomFieldDef:: key:int name:string type:string
CustomFieldValue:: key:int
CustomFieldStringValue < CustomFieldValue:: value:string
Description:: label:string summary:string
VirtualDeviceBackingInfo::
VirtualDeviceFileBackingInfo < VirtualDeviceBackingInfo:: fileName:string datastore?:^Datastore backingObjectId?:string
VirtualDiskFlatVer2BackingInfo < VirtualDeviceFileBackingInfo:: diskMode:string split?:boolean writeThrough?:boolean thinProvisioned?:boolean eagerlyScrub?:boolean uuid?:string contentId?:string changeId?:string parent?:VirtualDiskFlatVer2BackingInfo digestEnabled?:boolean sharing?:string
VirtualDiskRawDiskMappingVer1BackingInfo < VirtualDeviceFileBackingInfo:: lunUuid?:string deviceName?:string compatibilityMode?:string diskMode?:string uuid?:string contentId?:string changeId?:string parent?:VirtualDiskRawDiskMappingVer1BackingInfo sharing?:string
VirtualDeviceDeviceBackingInfo < VirtualDeviceBackingInfo:: deviceName:string useAutoDetect?:boolean
VirtualEthernetCardNetworkBackingInfo < VirtualDeviceDeviceBackingInfo:: network?:^Network
DistributedVirtualSwitchPortConnection:: switchUuid:string portgroupKey?:string portKey?:string
VirtualEthernetCardDistributedVirtualPortBackingInfo < VirtualDeviceBackingInfo:: port:DistributedVirtualSwitchPortConnection
VirtualDeviceConnectInfo:: startConnected:boolean allowGuestControl:boolean connected:boolean status?:string
VirtualDeviceBusSlotInfo::
VirtualDevicePciBusSlotInfo < VirtualDeviceBusSlotInfo:: pciSlotNumber:int
VirtualDevice:: key:int deviceInfo?:Description backing?:VirtualDeviceBackingInfo connectable?:VirtualDeviceConnectInfo slotInfo?:VirtualDeviceBusSlotInfo controllerKey?:int unitNumber?:int
VirtualController < VirtualDevice:: busNumber:int device:int*
VirtualPCIController < VirtualController::
VirtualIDEController < VirtualController::
VirtualSCSIController < VirtualController:: hotAddRemove?:boolean sharedBus:VirtualSCSISharing scsiCtlrUnitNumber?:int
ParaVirtualSCSIController < VirtualSCSIController::
VirtualLsiLogicController < VirtualSCSIController::
VirtualLsiLogicSASController < VirtualSCSIController::
VirtualSATAController < VirtualController::
VirtualAHCIController < VirtualSATAController::
VirtualNVMEController < VirtualController:: sharedBus?:string
VirtualDisk < VirtualDevice:: capacityInKB:long capacityInBytes?:long diskObjectId?:string
VirtualCdromRemotePassthroughBackingInfo < VirtualDeviceDeviceBackingInfo:: exclusive:boolean
VirtualCdrom < VirtualDevice::
VirtualTPM < VirtualDevice::
VirtualUSBController < VirtualController::
VirtualPCIPassthrough < VirtualDevice::
VirtualEthernetCard < VirtualDevice:: addressType?:string macAddress?:string wakeOnLanEnabled?:boolean
VirtualE1000 < VirtualEthernetCard::
VirtualE1000e < VirtualEthernetCard::
VirtualPCNet32 < VirtualEthernetCard::
VirtualVmxnet < VirtualEthernetCard::
VirtualVmxnet3 < VirtualVmxnet::
VirtualSriovEthernetCard < VirtualEthernetCard::
VirtualHardware:: numCPU:int numCoresPerSocket?:int memoryMB:int device:VirtualDevice*
VirtualMachineBootOptionsBootableDevice::
VirtualMachineBootOptionsBootableDiskDevice < VirtualMachineBootOptionsBootableDevice:: deviceKey:int
VirtualMachineBootOptions:: efiSecureBootEnabled?:boolean bootOrder:VirtualMachineBootOptionsBootableDevice*
VirtualMachineAffinityInfo:: affinitySet:int*
FaultToleranceConfigInfo:: role:int instanceUuids:string* configPaths:string*
VirtualMachineConfigInfo:: changeVersion:string modified:dateTime name:string guestFullName:string version:string uuid:string instanceUuid?:string template:boolean guestId:string annotation?:string hardware:VirtualHardware cpuAffinity?:VirtualMachineAffinityInfo extraConfig:OptionValue* bootOptions?:VirtualMachineBootOptions ftInfo?:FaultToleranceConfigInfo firmware?:string cpuHotAddEnabled?:boolean cpuHotRemoveEnabled?:boolean memoryHotAddEnabled?:boolean nestedHVEnabled?:boolean changeTrackingEnabled?:boolean
NetDnsConfigInfo:: dhcp:boolean hostName:string domainName:string ipAddress:string* searchDomain:string*
NetIpConfigInfoIpAddress:: ipAddress:string prefixLength:int origin?:string state?:string
NetIpConfigInfo:: ipAddress:NetIpConfigInfoIpAddress*
NetIpRouteConfigInfoGateway:: ipAddress?:string device?:string
NetIpRouteConfigInfoIpRoute:: network:string prefixLength:int gateway:NetIpRouteConfigInfoGateway
NetIpRouteConfigInfo:: ipRoute:NetIpRouteConfigInfoIpRoute*
GuestStackInfo:: dnsConfig?:NetDnsConfigInfo ipRouteConfig?:NetIpRouteConfigInfo
GuestNicInfo:: network?:string ipAddress:string* macAddress?:string connected:boolean deviceConfigId:int dnsConfig?:NetDnsConfigInfo ipConfig?:NetIpConfigInfo
GuestInfoVirtualDiskMapping:: key:int
GuestDiskInfo:: diskPath?:string capacity?:long freeSpace?:long filesystemType?:string mappings:GuestInfoVirtualDiskMapping*
GuestInfo:: toolsStatus?:VirtualMachineToolsStatus toolsVersionStatus?:string toolsVersionStatus2?:string toolsRunningStatus?:string toolsVersion?:string guestId?:string guestFamily?:string guestFullName?:string hostName?:string ipAddress?:string net:GuestNicInfo* ipStack:GuestStackInfo* disk:GuestDiskInfo* guestState?:string
VirtualMachineConfigSummary:: name:string template:boolean vmPathName:string memorySizeMB?:int numCpu?:int numEthernetCards?:int numVirtualDisks?:int uuid?:string instanceUuid?:string guestId?:string guestFullName?:string annotation?:string tpmPresent?:boolean
VirtualMachineGuestSummary:: guestId?:string guestFullName?:string toolsStatus?:VirtualMachineToolsStatus toolsVersionStatus2?:string toolsRunningStatus?:string hostName?:string ipAddress?:string
VirtualMachineQuickStats:: balloonedMemory?:int uptimeSeconds?:int
VirtualMachineStorageSummary:: committed:long uncommitted:long unshared:long timestamp:dateTime
VirtualMachineSummary:: vm?:^VirtualMachine runtime:VirtualMachineRuntimeInfo guest?:VirtualMachineGuestSummary config:VirtualMachineConfigSummary storage?:VirtualMachineStorageSummary quickStats:VirtualMachineQuickStats overallStatus:ManagedEntityStatus
VirtualMachineRuntimeInfo:: host?:^HostSystem connectionState:VirtualMachineConnectionState powerState:VirtualMachinePowerState toolsInstallerMounted:boolean bootTime?:dateTime consolidationNeeded?:boolean
VirtualMachineSnapshotTree:: snapshot:^VirtualMachineSnapshot vm:^VirtualMachine name:string description:string id?:int createTime:dateTime state:VirtualMachinePowerState quiesced:boolean childSnapshotList:VirtualMachineSnapshotTree* replaySupported?:boolean
VirtualMachineSnapshotInfo:: currentSnapshot?:^VirtualMachineSnapshot rootSnapshotList:VirtualMachineSnapshotTree*
DiskChangeExtent:: start:long length:long
DiskChangeInfo:: startOffset:long length:long changedArea:DiskChangeExtent*
VirtualMachineGuestQuiesceSpec:: timeout?:int
VirtualDeviceConfigSpec:: operation?:VirtualDeviceConfigSpecOperation fileOperation?:VirtualDeviceConfigSpecFileOperation device:VirtualDevice
VirtualMachineConfigSpec:: name?:string annotation?:string deviceChange:VirtualDeviceConfigSpec* extraConfig:OptionValue* changeTrackingEnabled?:boolean
VirtualMachineCapability:: changeTrackingSupported?:boolean
DatastoreSummary:: datastore?:^Datastore name:string url:string capacity?:long freeSpace?:long uncommitted?:long accessible:boolean multipleHostAccess?:boolean type:string maintenanceMode?:string
DatastoreInfo:: name:string url:string freeSpace:long maxFileSize:long
HostScsiDiskPartition:: diskName:string partition:int
HostFileSystemVolume:: type:string name:string capacity:long
HostVmfsVolume < HostFileSystemVolume:: blockSizeMb:int maxBlocks:int majorVersion:int version:string uuid:string extent:HostScsiDiskPartition* vmfsUpgradable:boolean ssd?:boolean
VmfsDatastoreInfo < DatastoreInfo:: vmfs?:HostVmfsVolume
HostMountInfo:: accessMode:string mounted?:boolean accessible?:boolean
DatastoreHostMount:: key:^HostSystem mountInfo:HostMountInfo
DatastoreCapability:: directoryHierarchySupported:boolean rawDiskMappingsSupported:boolean perFileThinProvisioningSupported:boolean storageIORMSupported?:boolean
StorageIORMInfo:: enabled:boolean congestionThresholdMode?:string congestionThreshold:int percentOfPeakThroughput?:int
NetworkSummary:: network?:^Network name:string accessible:boolean ipPoolName:string
OpaqueNetworkSummary < NetworkSummary:: opaqueNetworkId:string opaqueNetworkType:string
Tag:: key:string
VmwareDistributedVirtualSwitchVlanSpec:: inherited:boolean
VmwareDistributedVirtualSwitchVlanIdSpec < VmwareDistributedVirtualSwitchVlanSpec:: vlanId:int
DVPortSetting::
VMwareDVSPortSetting < DVPortSetting:: vlan?:VmwareDistributedVirtualSwitchVlanSpec
DVPortgroupConfigInfo:: key:string name:string numPorts:int distributedVirtualSwitch?:^DistributedVirtualSwitch defaultPortConfig?:DVPortSetting
DistributedVirtualSwitchHostMemberConfigInfo:: host?:^HostSystem maxProxySwitchPorts:int
DistributedVirtualSwitchHostMember:: config:DistributedVirtualSwitchHostMemberConfigInfo
DVSConfigInfo:: uuid:string name:string numStandalonePorts:int numPorts:int host:DistributedVirtualSwitchHostMember*
ClusterDasConfigInfo:: enabled?:boolean
ClusterDasVmConfigInfo:: key:^VirtualMachine
ClusterDrsConfigInfo:: enabled?:boolean defaultVmBehavior?:DrsBehavior
ClusterDrsVmConfigInfo:: key:^VirtualMachine enabled?:boolean behavior?:DrsBehavior
ClusterConfigInfo:: dasConfig:ClusterDasConfigInfo dasVmConfig:ClusterDasVmConfigInfo* drsConfig:ClusterDrsConfigInfo drsVmConfig:ClusterDrsVmConfigInfo*
HostDateTimeSystemTimeZone:: key:string name:string description:string gmtOffset:int
HostDateTimeInfo:: timeZone:HostDateTimeSystemTimeZone
HostPortGroupSpec:: name:string vlanId:int vswitchName:string
HostPortGroup:: key?:string vswitch?:string spec:HostPortGroupSpec
HostVirtualSwitch:: name:string key:string numPorts:int numPortsAvailable:int mtu?:int portgroup:string* pnic:string*
PhysicalNicLinkInfo:: speedMb:int duplex:boolean
PhysicalNic:: key?:string device:string pci:string driver?:string linkSpeed?:PhysicalNicLinkInfo mac:string
HostIpConfig:: dhcp:boolean ipAddress?:string subnetMask?:string
HostVirtualNicSpec:: ip?:HostIpConfig mac?:string portgroup?:string mtu?:int
HostVirtualNic:: device:string key:string portgroup:string spec:HostVirtualNicSpec port?:string
HostNetworkInfo:: vswitch:HostVirtualSwitch* portgroup:HostPortGroup* pnic:PhysicalNic* vnic:HostVirtualNic*
VirtualNicManagerNetConfig:: nicType:string multiSelectAllowed:boolean candidateVnic:HostVirtualNic* selectedVnic:string*
HostVirtualNicManagerInfo:: netConfig:VirtualNicManagerNetConfig*
ScsiLun:: deviceName:string key?:string uuid:string lunType:string vendor?:string model?:string canonicalName?:string
HostHostBusAdapter:: key?:string device:string bus:int status:string model:string driver?:string
HostScsiTopologyLun:: key:string lun:int scsiLun:string
HostScsiTopologyTarget:: key:string target:int lun:HostScsiTopologyLun*
HostScsiTopologyInterface:: key:string adapter:string target:HostScsiTopologyTarget*
HostScsiTopology:: adapter:HostScsiTopologyInterface*
HostStorageDeviceInfo:: hostBusAdapter:HostHostBusAdapter* scsiLun:ScsiLun* scsiTopology?:HostScsiTopology
HostConfigInfo:: host:^HostSystem product:AboutInfo storageDevice?:HostStorageDeviceInfo network?:HostNetworkInfo virtualNicManagerInfo?:HostVirtualNicManagerInfo dateTimeInfo?:HostDateTimeInfo
HostHardwareSummary:: vendor:string model:string uuid:string memorySize:long cpuModel:string cpuMhz:int numCpuPkgs:short numCpuCores:short numCpuThreads:short
HostConfigSummary:: name:string port:int sslThumbprint?:string product?:AboutInfo vmotionEnabled:boolean
HostRuntimeInfo:: connectionState:HostSystemConnectionState powerState:HostSystemPowerState inMaintenanceMode:boolean
HostListSummary:: host?:^HostSystem hardware?:HostHardwareSummary runtime?:HostRuntimeInfo config:HostConfigSummary overallStatus:ManagedEntityStatus rebootRequired:boolean managementServerIp?:string
HostSystemInfo:: vendor:string model:string uuid:string
HostHardwareInfo:: systemInfo:HostSystemInfo
HostConfigManager:: advancedOption?:^OptionManager
HostCapability:: vmotionSupported:boolean storageVMotionSupported?:boolean
`;

/** Properties of managed objects; their order does not show on the wire. */
export const managedTypes = `
ManagedEntity:: parent?:^ManagedEntity name:string overallStatus:ManagedEntityStatus availableField:CustomFieldDef* customValue:CustomFieldValue* recentTask:^Task* tag:Tag*
Folder < ManagedEntity:: childType:string* childEntity:^ManagedEntity*
Datacenter < ManagedEntity:: vmFolder:^Folder hostFolder:^Folder datastoreFolder:^Folder networkFolder:^Folder datastore:^Datastore* network:^Network*
ComputeResource < ManagedEntity:: resourcePool?:^ResourcePool host:^HostSystem* datastore:^Datastore* network:^Network*
ClusterComputeResource < ComputeResource:: configuration:ClusterConfigInfo
ResourcePool < ManagedEntity:: owner:^ComputeResource resourcePool:^ResourcePool* vm:^VirtualMachine*
VirtualApp < ResourcePool::
HostSystem < ManagedEntity:: summary:HostListSummary hardware?:HostHardwareInfo runtime:HostRuntimeInfo config?:HostConfigInfo configManager:HostConfigManager capability?:HostCapability vm:^VirtualMachine* datastore:^Datastore* network:^Network*
Datastore < ManagedEntity:: info:DatastoreInfo summary:DatastoreSummary host:DatastoreHostMount* vm:^VirtualMachine* capability:DatastoreCapability iormConfiguration?:StorageIORMInfo
Network < ManagedEntity:: summary:NetworkSummary host:^HostSystem* vm:^VirtualMachine*
OpaqueNetwork < Network::
DistributedVirtualPortgroup < Network:: key:string config:DVPortgroupConfigInfo
DistributedVirtualSwitch < ManagedEntity:: uuid:string config:DVSConfigInfo portgroup:^DistributedVirtualPortgroup*
VmwareDistributedVirtualSwitch < DistributedVirtualSwitch::
VirtualMachine < ManagedEntity:: capability:VirtualMachineCapability config?:VirtualMachineConfigInfo summary:VirtualMachineSummary guest?:GuestInfo runtime:VirtualMachineRuntimeInfo resourcePool?:^ResourcePool datastore:^Datastore* network:^Network* snapshot?:VirtualMachineSnapshotInfo rootSnapshot:^VirtualMachineSnapshot*
VirtualMachineSnapshot:: config:VirtualMachineConfigInfo childSnapshot:^VirtualMachineSnapshot* vm:^VirtualMachine
Task:: info:TaskInfo
View::
ManagedObjectView < View:: view:^ManagedEntity*
ContainerView < ManagedObjectView:: container:^ManagedEntity type:string* recursive:boolean
ListView < ManagedObjectView::
ServiceInstance:: serverClock:dateTime content:ServiceContent
SessionManager:: currentSession?:UserSession
AuthorizationManager::
TaskManager:: recentTask:^Task*
CustomFieldsManager:: field:CustomFieldDef*
PropertyCollector:: filter:^PropertyFilter*
PropertyFilter:: spec:PropertyFilterSpec partialUpdates:boolean
ViewManager:: viewList:^View*
SearchIndex::
FileManager::
VirtualDiskManager::
OptionManager:: setting:OptionValue*
`;

export const methods = `
ServiceInstance.RetrieveServiceContent:: -> ServiceContent
ServiceInstance.CurrentTime:: -> dateTime
SessionManager.Login:: userName:string password:string locale?:string -> UserSession
SessionManager.Logout::
SessionManager.SessionIsActive:: sessionID:string userName:string -> boolean
PropertyCollector.CreatePropertyCollector:: -> ^PropertyCollector
PropertyCollector.DestroyPropertyCollector::
PropertyCollector.CreateFilter:: spec:PropertyFilterSpec partialUpdates:boolean -> ^PropertyFilter
PropertyFilter.DestroyPropertyFilter::
PropertyCollector.WaitForUpdatesEx:: version?:string options?:WaitOptions -> UpdateSet
PropertyCollector.CancelWaitForUpdates::
PropertyCollector.RetrievePropertiesEx:: specSet:PropertyFilterSpec* options:RetrieveOptions -> RetrieveResult
PropertyCollector.ContinueRetrievePropertiesEx:: token:string -> RetrieveResult
PropertyCollector.CancelRetrievePropertiesEx:: token:string
ViewManager.CreateContainerView:: container:^ManagedEntity type:string* recursive:boolean -> ^ContainerView
ViewManager.CreateListView:: obj:^ManagedEntity* -> ^ListView
ListView.ModifyListView:: add:^ManagedEntity* remove:^ManagedEntity* -> ^ManagedEntity*
View.DestroyView::
VirtualMachine.PowerOnVM_Task:: host?:^HostSystem -> ^Task
VirtualMachine.PowerOffVM_Task:: -> ^Task
VirtualMachine.ShutdownGuest::
VirtualMachine.CreateSnapshot_Task:: name:string description?:string memory:boolean quiesce:boolean -> ^Task
VirtualMachine.CreateSnapshotEx_Task:: name:string description?:string memory:boolean quiesceSpec?:VirtualMachineGuestQuiesceSpec -> ^Task
VirtualMachine.RemoveAllSnapshots_Task:: consolidate?:boolean -> ^Task
VirtualMachine.ConsolidateVMDisks_Task:: -> ^Task
VirtualMachine.RevertToCurrentSnapshot_Task:: host?:^HostSystem suppressPowerOn?:boolean -> ^Task
VirtualMachine.QueryChangedDiskAreas:: snapshot?:^VirtualMachineSnapshot deviceKey:int startOffset:long changeId:string -> DiskChangeInfo
VirtualMachine.ReconfigVM_Task:: spec:VirtualMachineConfigSpec -> ^Task
VirtualMachineSnapshot.RemoveSnapshot_Task:: removeChildren:boolean consolidate?:boolean -> ^Task
VirtualMachineSnapshot.RevertToSnapshot_Task:: host?:^HostSystem suppressPowerOn?:boolean -> ^Task
SearchIndex.FindByUuid:: datacenter?:^Datacenter uuid:string vmSearch:boolean instanceUuid?:boolean -> ^ManagedEntity
SearchIndex.FindByInventoryPath:: inventoryPath:string -> ^ManagedEntity
AuthorizationManager.HasPrivilegeOnEntity:: entity:^ManagedEntity sessionId:string privId:string* -> boolean*
`;
