import type { TSchema } from '../model/schema.ts';
import type { PrinterColumn } from './external/core.ts';
import { HookSpecSchema, HookStatusSchema } from './hook.ts';
import { HostSpecSchema, HostStatusSchema } from './host.ts';
import {
  hooks,
  hosts,
  migrations,
  networkMaps,
  plans,
  providers,
  storageMaps,
  virtualMachineImports,
} from './kinds.ts';
import type { ResourceKind } from './meta.ts';
import { MigrationSpecSchema, MigrationStatusSchema } from './migration.ts';
import { NetworkMapSpecSchema, NetworkMapStatusSchema } from './network-map.ts';
import { PlanSpecSchema, PlanStatusSchema } from './plan.ts';
import { ProviderSpecSchema, ProviderStatusSchema } from './provider.ts';
import { StorageMapSpecSchema, StorageMapStatusSchema } from './storage-map.ts';
import {
  VirtualMachineImportSpecSchema,
  VirtualMachineImportStatusSchema,
} from './virtual-machine-import.ts';

/** What a kind of ours consists of beside its place in the API: schemas, and how it shows in a list. */
export interface KindDefinition {
  readonly kind: ResourceKind;
  readonly description: string;
  readonly spec: TSchema;
  readonly status: TSchema;
  /** Forklift's kinds accept an object without a spec; ours does not. */
  readonly specRequired: boolean;
  /** The fields of spec that may change after the object was made; absent: all. */
  readonly mutable?: readonly string[];
  /** Further rules over the whole spec, in CEL. */
  readonly rules?: readonly CelRule[];
  readonly columns: readonly PrinterColumn[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

const text = (name: string, jsonPath: string): PrinterColumn => ({ name, type: 'string', jsonPath });
const whole = (name: string, jsonPath: string): PrinterColumn => ({ name, type: 'integer', jsonPath });
const condition = (name: string, type: string) =>
  text(name, `.status.conditions[?(@.type=='${type}')].status`);
const age = (name = 'AGE'): PrinterColumn => ({
  name,
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
});
const wide = (column: PrinterColumn): PrinterColumn => ({ ...column, priority: 1 });

const forklift = (
  kind: ResourceKind,
  description: string,
  spec: TSchema,
  status: TSchema,
  columns: readonly PrinterColumn[],
): KindDefinition => ({ kind, description, spec, status, specRequired: false, columns });

const runColumns = [condition('SUCCEEDED', 'Succeeded'), condition('FAILED', 'Failed'), age()];

/** Columns of Forklift's kinds: forklift-api.md 1.1. */
const forkliftDefinitions: readonly KindDefinition[] = [
  forklift(
    providers,
    'A platform that VMs come from, or a cluster that they go to.',
    ProviderSpecSchema,
    ProviderStatusSchema,
    [
      text('TYPE', '.spec.type'),
      text('STATUS', '.status.phase'),
      condition('READY', 'Ready'),
      condition('CONNECTED', 'ConnectionTestSucceeded'),
      condition('INVENTORY', 'InventoryCreated'),
      text('URL', '.spec.url'),
      age(),
    ],
  ),
  forklift(hosts, 'An ESXi host that disks are read from directly.', HostSpecSchema, HostStatusSchema, [
    condition('READY', 'Ready'),
    condition('CONNECTED', 'ConnectionTestSucceeded'),
    age(),
  ]),
  forklift(networkMaps, 'Where the networks of a source go.', NetworkMapSpecSchema, NetworkMapStatusSchema, [
    condition('READY', 'Ready'),
    age(),
  ]),
  forklift(
    storageMaps,
    'Which storage classes take the disks of a source.',
    StorageMapSpecSchema,
    StorageMapStatusSchema,
    [condition('READY', 'Ready'), age()],
  ),
  forklift(plans, 'VMs to migrate, and how.', PlanSpecSchema, PlanStatusSchema, [
    condition('READY', 'Ready'),
    condition('EXECUTING', 'Executing'),
    ...runColumns,
  ]),
  forklift(migrations, 'One run of a Plan.', MigrationSpecSchema, MigrationStatusSchema, [
    condition('READY', 'Ready'),
    condition('RUNNING', 'Running'),
    ...runColumns,
  ]),
  forklift(
    hooks,
    'A playbook that runs before or after the migration of a VM.',
    HookSpecSchema,
    HookStatusSchema,
    [condition('Ready', 'Ready'), text('Image', '.spec.image'), age('Age')],
  ),
];

const stickyCancel: CelRule = {
  rule:
    '!(has(oldSelf.control) && has(oldSelf.control.cancel) && oldSelf.control.cancel)' +
    ' || (has(self.control) && has(self.control.cancel) && self.control.cancel)',
  message: 'a cancel cannot be taken back',
};

/** Columns and names: import.md 3. CUTOVER is a string because kubectl shows a date that lies ahead as <invalid>. */
const importDefinition: KindDefinition = {
  kind: virtualMachineImports,
  description:
    'One VM in one Migration. Made, changed and ended by Gantry; the spec is what was decided at the start, the status all that happened since.',
  spec: VirtualMachineImportSpecSchema,
  status: VirtualMachineImportStatusSchema,
  specRequired: true,
  mutable: ['control'],
  rules: [stickyCancel],
  columns: [
    text('VM', '.spec.vm.name'),
    text('STRATEGY', '.spec.strategy.type'),
    text('PHASE', '.status.phase'),
    text('STEP', '.status.step'),
    whole('DONE', '.status.percent'),
    whole('ROUND', '.status.records.roundsTotal'),
    text('CUTOVER', '.spec.control.cutoverAt'),
    text('WAITING', '.status.waitingFor'),
    age(),
    wide(text('TARGET', '.status.records.targetName')),
    wide(text('HOST', '.spec.model.host.id')),
    wide(whole('RATE', '.status.forecast.rateBytesPerSecond')),
    wide({ name: 'DOWNTIME', type: 'number', jsonPath: '.status.downtimeSeconds' }),
  ],
  shortNames: ['vmimport'],
  categories: ['gantry'],
};

export const definitions: readonly KindDefinition[] = [...forkliftDefinitions, importDefinition];
