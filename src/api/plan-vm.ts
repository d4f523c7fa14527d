import { bool, choice, object, optional, type StaticOf } from '../model/schema.ts';
import { openList, openText } from './open-schema.ts';
import { inventoryRefFields, objectReference } from './references.ts';

/** One VM of a Plan (forklift-api.md 1.8). */
export const targetPowerStates = ['on', 'off', 'auto'] as const;
export type TargetPowerState = (typeof targetPowerStates)[number];

export const hookSteps = ['PreHook', 'PostHook'] as const;

const HookRefSchema = object({
  step: openText({ description: 'PreHook or PostHook.' }),
  hook: objectReference(),
});
export type HookRef = StaticOf<typeof HookRefSchema>;

/** They stand again, as they were at the start, in each entry of a status. */
export const planVmFields = {
  ...inventoryRefFields,
  hooks: optional(openList(HookRefSchema)),
  luks: optional(objectReference('Secret with passphrases of encrypted disks. {} is the same as none.')),
  nbdeClevis: optional(bool({ description: 'Encrypted disks are opened through a network-bound server.' })),
  rootDisk: optional(openText({ description: 'Device that the guest boots from, such as /dev/sda.' })),
  instanceType: optional(openText({ description: 'Gives CPU and memory in place of those of the source.' })),
  pvcNameTemplate: optional(openText({ description: "Go template; wins over the plan's." })),
  volumeNameTemplate: optional(openText({ description: "Go template; wins over the plan's." })),
  networkNameTemplate: optional(openText({ description: "Go template; wins over the plan's." })),
  targetName: optional(
    openText({ description: 'Name of the VirtualMachine; else made from the name at the source.' }),
  ),
  targetPowerState: optional(
    choice(targetPowerStates, { description: 'auto: on if the source was on. Wins over the plan.' }),
  ),
  deleteVmOnFailMigration: optional(bool({ description: 'Wins over the plan when true.' })),
  migrateSharedDisks: optional(bool({ description: 'Wins over the plan.' })),
  enableNestedVirtualization: optional(bool({ description: 'Wins over the plan.' })),
  rdmAsLun: optional(bool({ description: 'Wins over the plan.' })),
  scsiReservation: optional(bool({ description: 'Wins over the plan.' })),
};
export const PlanVmSchema = object({ ...planVmFields });
export type PlanVm = StaticOf<typeof PlanVmSchema>;
