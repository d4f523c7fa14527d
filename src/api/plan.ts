import { bool, choice, int, object, optional, text, type StaticOf } from '../model/schema.ts';
import { affinity } from './affinity.ts';
import type { KubeObject } from './meta.ts';
import { openList, openMap, openText, openTime } from './open-schema.ts';
import { PlanVmSchema, targetPowerStates } from './plan-vm.ts';
import { conditions, objectReference, ProviderPairSchema, statusFields } from './references.ts';
import { VmStatusSchema } from './vm-status.ts';

/** Plan (forklift-api.md 1.7). */
export const planTypes = ['cold', 'warm', 'live', 'conversion'] as const;
export type PlanType = (typeof planTypes)[number];

const flag = (description: string) => optional(bool({ description }));
const flagOn = (description: string) => optional(bool({ default: true, description }));
const flagOff = (description: string) => optional(bool({ default: false, description }));
const word = (description: string) => optional(openText({ description }));
const words = (description: string) => optional(openMap({ description }));

const whatAndWhere = {
  provider: ProviderPairSchema,
  map: object({ network: objectReference('The NetworkMap.'), storage: objectReference('The StorageMap.') }),
  targetNamespace: openText({ description: 'Where the VirtualMachines and their disks are made.' }),
  vms: openList(PlanVmSchema, { description: 'What is migrated, in this order.' }),
  description: word('For people.'),
  archived: flag('Done with: its leftovers are taken away, and it never runs again.'),
  type: optional(
    choice(planTypes, {
      description: 'cold: power off, then copy. warm: copy while it runs, then cut over.',
    }),
  ),
  warm: flag('Older way to say type warm; still honoured.'),
};

const disksAndNetworks = {
  transferNetwork: optional(objectReference('NetworkAttachmentDefinition that the copies go over.')),
  preserveStaticIPs: flagOn('Guests keep their static addresses.'),
  migrateSharedDisks: flagOn('Disks that several VMs share are copied too.'),
  rdmAsLun: flag('Raw device mappings become LUNs in place of copies.'),
  scsiReservation: flag('LUNs keep SCSI persistent reservations.'),
  diskBus: word('No longer used; kept so that older plans stay readable.'),
  pvcNameTemplate: word('Go template of claim names.'),
  pvcNameTemplateUseGenerateName: flag(
    'Claim names get a random suffix; unset is true, but not for cluster sources.',
  ),
  volumeNameTemplate: word('Go template of volume names in the VirtualMachine.'),
  networkNameTemplate: word('Go template of network names in the VirtualMachine.'),
};

const targetVm = {
  targetPowerState: optional(choice(targetPowerStates, { description: 'auto: on if the source was on.' })),
  targetLabels: words('Labels of each VirtualMachine.'),
  targetNodeSelector: words('Nodes that the VirtualMachines may run on.'),
  targetAffinity: optional(affinity('Affinity of the VirtualMachines.')),
  tagMapping: optional(
    object(
      {
        disabled: flag('No tag becomes a label.'),
        labelTags: optional(openList(openText(), { description: 'Categories; none given means all.' })),
      },
      { description: 'vSphere tags become labels.' },
    ),
  ),
  useCompatibilityMode: flagOn(
    'Where no conversion installs virtio drivers, devices are such as every guest knows.',
  ),
  preserveClusterCpuModel: flag('oVirt: the CPU model of the cluster becomes that of the VM.'),
  enableNestedVirtualization: flag('Unset: as at the source.'),
  deleteVmOnFailMigration: flagOn('A target VM that failed is deleted with its disks.'),
  skipZoneNodeSelector: flag('EC2: no node selector for the zone of the volume.'),
};

const conversion = {
  skipGuestConversion: flagOff('Disks are copied as they are; drivers are not changed.'),
  runPreflightInspection: flagOn('Warm: the guest is inspected on its first snapshot.'),
  xfsCompatibility: flagOff('Convert with an image that reads XFS of version 4.'),
  installLegacyDrivers: flag('Unset: chosen by the version of Windows.'),
  deleteGuestConversionPod: flag('The conversion pod is deleted when it has succeeded.'),
  convertorLabels: words('Labels of conversion pods.'),
  convertorNodeSelector: words('Nodes that conversion and import pods may run on.'),
  convertorAffinity: optional(affinity('Affinity of conversion pods.')),
  conversionTempStorageClass: word('Storage class of scratch space for conversions.'),
  conversionTempStorageSize: word('Size of scratch space for conversions, a quantity.'),
  serviceAccount: optional(
    text(253, {
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      description: 'Of the pods that copy and convert.',
    }),
  ),
  virtV2vImage: word('Image of the conversion pods.'),
  customizationScripts: optional(objectReference('ConfigMap with scripts that the guest runs.')),
};

export const PlanSpecSchema = object({ ...whatAndWhere, ...disksAndNetworks, ...targetVm, ...conversion });
export type PlanSpec = StaticOf<typeof PlanSpecSchema>;

/** An object as it was when a run began. */
const SnapshotRefSchema = object({
  namespace: openText(),
  name: openText(),
  uid: openText(),
  generation: int(),
});
export type SnapshotRef = StaticOf<typeof SnapshotRefSchema>;

const HistoryEntrySchema = object({
  conditions: conditions(),
  plan: SnapshotRefSchema,
  migration: SnapshotRefSchema,
  provider: object({ source: SnapshotRefSchema, destination: SnapshotRefSchema }),
  map: object({ network: SnapshotRefSchema, storage: SnapshotRefSchema }),
});
export type HistoryEntry = StaticOf<typeof HistoryEntrySchema>;

const PlanMigrationSchema = object({
  started: optional(openTime()),
  completed: optional(openTime()),
  history: optional(
    openList(HistoryEntrySchema, { description: 'One entry a run; the last is the current one.' }),
  ),
  vms: optional(openList(VmStatusSchema)),
});
export type PlanMigration = StaticOf<typeof PlanMigrationSchema>;

export const PlanStatusSchema = object({
  ...statusFields,
  migration: optional(PlanMigrationSchema),
  netAppShiftDestination: optional(bool()),
});
export type PlanStatus = StaticOf<typeof PlanStatusSchema>;

export interface Plan extends KubeObject {
  readonly spec: PlanSpec;
  readonly status?: PlanStatus;
}
