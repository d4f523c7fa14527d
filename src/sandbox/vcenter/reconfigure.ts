import { wantTracking } from './change-tracking.ts';
import { controllerOf } from './disk-placement.ts';
import { escapeName } from './inventory.ts';
import { vmOf } from './power-methods.ts';
import type { Handlers, Result, SessionContext } from './service-context.ts';
import { invalidArgument, notSupported } from './vim-fault.ts';
import { isA } from './vim-schema.ts';
import { isVimObject, type VimObject, type VimValue } from './vim-value.ts';
import type { DiskChanges } from './vm-disk-changes.ts';
import type { SimulatedVm } from './vm-store.ts';

/** How long a ReconfigVM_Task takes, in milliseconds before `speed`. */
export interface ReconfigureLatencies {
  readonly reconfigureMs: number;
}

/** ReconfigVM_Task: change tracking (fact: vs 1.5), disks, whether a card is connected, notes, name, options; anything else is refused. */
export const reconfigureMethods: Handlers<SessionContext> = { ReconfigVM_Task: reconfigure };

function reconfigure(context: SessionContext): Result {
  const vm = vmOf(context);
  const { spec } = context.call.args;
  if (!isVimObject(spec)) throw invalidArgument('spec');
  const changes = objectsIn(spec['deviceChange']);
  for (const privilege of privilegesFor(spec, changes)) context.privileges.require(privilege, vm.object);
  return context.vmTasks.run(vm, context.session, {
    name: 'ReconfigVM_Task',
    descriptionId: 'VirtualMachine.reconfigure',
    begin: () => {
      for (const change of changes) checkChange(change);
      return context.reconfigureMs;
    },
    end: () => {
      for (const change of changes) changeDevice(vm, change, context.diskChanges);
      applySimple(vm, spec);
      return undefined;
    },
  });
}

/** fact: vs 1.5 names the one for change tracking, the others are inferred. */
function privilegesFor(spec: VimObject, changes: readonly VimObject[]): readonly string[] {
  const forDisk = { add: 'AddNewDisk', remove: 'RemoveDisk', edit: 'DiskExtend' } as const;
  const isDisk = (change: VimObject): boolean =>
    isVimObject(change['device']) && change['device'].$type === 'VirtualDisk';
  return [
    ...(spec['changeTrackingEnabled'] === undefined ? [] : ['VirtualMachine.Config.ChangeTracking']),
    ...changes.map((change) => {
      if (!isDisk(change)) return 'VirtualMachine.Config.EditDevice';
      const operation = change['operation'];
      return `VirtualMachine.Config.${forDisk[operation === 'add' || operation === 'remove' ? operation : 'edit']}`;
    }),
  ];
}

function checkChange({ device, operation }: VimObject): void {
  if (!isVimObject(device)) throw invalidArgument('deviceChange.device');
  const isDisk = device.$type === 'VirtualDisk';
  const isCardEdit = isA(device.$type, 'VirtualEthernetCard') && operation === 'edit';
  if (!isDisk && !isCardEdit) throw notSupported(`change of a ${device.$type}`);
}

function changeDevice(vm: SimulatedVm, change: VimObject, disks: DiskChanges): void {
  const { device, operation } = change;
  if (!isVimObject(device)) throw invalidArgument('deviceChange.device');
  const key = numberIn(device, 'key') ?? 0;
  if (device.$type !== 'VirtualDisk') {
    // fact: vs 1.2b: the whole card comes back, with only `connectable` altered.
    vm.object.set(`config.hardware.device[${key}].connectable`, device['connectable']);
    return;
  }
  switch (operation) {
    case 'add':
      addDisk(vm, device, disks);
      return;
    case 'remove':
      disks.remove(vm, key);
      return;
    default:
      disks.grow(vm, key, capacityOf(device));
  }
}

/** "[datastore]" or nothing in fileName lets the server name the file (inferred). */
function addDisk(vm: SimulatedVm, device: VimObject, disks: DiskChanges): void {
  const backing = isVimObject(device['backing']) ? device['backing'] : undefined;
  const fileName = textIn(backing, 'fileName');
  const datastore = /^\[([^\]]+)\]/.exec(fileName)?.[1] ?? vm.disks[0]?.placed.spec.datastore ?? 'datastore1';
  const controllerKey = numberIn(device, 'controllerKey');
  const unitNumber = numberIn(device, 'unitNumber');
  const controller = controllerKey === undefined ? undefined : controllerOf(controllerKey, vm.disks);
  const mode = textIn(backing, 'diskMode');
  disks.add(
    vm,
    {
      sizeBytes: capacityOf(device),
      datastore,
      ...(controller !== undefined && { controller }),
      ...(/\.vmdk$/.test(fileName) && { fileName }),
      ...((mode === 'independent_persistent' || mode === 'independent_nonpersistent') && { mode }),
    },
    {
      ...(controllerKey !== undefined && { controllerKey }),
      ...(unitNumber !== undefined && unitNumber >= 0 && { unitNumber }),
    },
  );
}

function applySimple(vm: SimulatedVm, spec: VimObject): void {
  const { name, annotation, changeTrackingEnabled } = spec;
  if (typeof name === 'string') {
    for (const path of ['name', 'config.name', 'summary.config.name']) vm.object.set(path, escapeName(name));
  }
  if (typeof annotation === 'string') vm.object.set('config.annotation', annotation);
  const options = objectsIn(spec['extraConfig']);
  if (options.length > 0) {
    const keys = new Set(options.map((option) => option['key']));
    const others = objectsIn(vm.object.get('config.extraConfig')).filter(
      (option) => !keys.has(option['key']),
    );
    // An empty value takes an option away (inferred).
    vm.object.set('config.extraConfig', [...others, ...options.filter((option) => option['value'] !== '')]);
  }
  if (typeof changeTrackingEnabled === 'boolean') wantTracking(vm, changeTrackingEnabled);
}

function capacityOf(device: VimObject): number {
  return numberIn(device, 'capacityInBytes') ?? 1024 * (numberIn(device, 'capacityInKB') ?? 0);
}

function objectsIn(value: VimValue | undefined): readonly VimObject[] {
  return Array.isArray(value) ? (value as readonly VimValue[]).filter(isVimObject) : [];
}
function numberIn(object: VimObject, field: string): number | undefined {
  const value = object[field];
  return typeof value === 'number' ? value : undefined;
}
function textIn(object: VimObject | undefined, field: string): string {
  const value = object?.[field];
  return typeof value === 'string' ? value : '';
}
