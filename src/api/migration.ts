import { bool, object, optional, type StaticOf } from '../model/schema.ts';
import type { KubeObject } from './meta.ts';
import { openList, openText, openTime } from './open-schema.ts';
import { InventoryRefSchema, objectReference, statusFields } from './references.ts';
import { VmStatusSchema } from './vm-status.ts';

/** Migration: one run of a Plan (forklift-api.md 1.10). */
const VmCutoverSchema = object({ id: openText({ minLength: 1 }), cutover: openTime() });
export type VmCutover = StaticOf<typeof VmCutoverSchema>;

export const MigrationSpecSchema = object({
  plan: objectReference('The Plan to run.'),
  cancel: optional(openList(InventoryRefSchema, { description: 'VMs that are to stop.' })),
  cutover: optional(openTime({ description: 'Warm: when the sources are powered off.' })),
  vmCutover: optional(openList(VmCutoverSchema, { description: 'Wins over cutover for the VMs it names.' })),
  resumeConversion: optional(bool({ description: 'Go on after the copy with the disks of the run before.' })),
});
export type MigrationSpec = StaticOf<typeof MigrationSpecSchema>;

export const MigrationStatusSchema = object({
  ...statusFields,
  started: optional(openTime()),
  completed: optional(openTime()),
  vms: optional(openList(VmStatusSchema)),
});
export type MigrationStatus = StaticOf<typeof MigrationStatusSchema>;

export interface Migration extends KubeObject {
  readonly spec: MigrationSpec;
  readonly status?: MigrationStatus;
}
