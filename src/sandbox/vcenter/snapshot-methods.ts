import { changedAreas } from './change-tracking.ts';
import { vmOf } from './power-methods.ts';
import {
  numberArg,
  refArg,
  textArg,
  type Handlers,
  type Result,
  type SessionContext,
} from './service-context.ts';
import type { Snapshot } from './snapshots.ts';
import { changesUnknown, invalidArgument, notFound } from './vim-fault.ts';
import { vim } from './vim-schema.ts';
import { isVimObject, MoRef, type VimValue } from './vim-value.ts';
import type { SimulatedVm } from './vm-store.ts';

/** Snapshots and changed areas (fact: vs 1.5, 4.1, 4.3); the privileges are those that Forklift asks for, for reverting: inferred. */
export const snapshotMethods: Handlers<SessionContext> = {
  CreateSnapshot_Task: (context) => createSnapshot(context, context.call.args['quiesce'] === true),
  CreateSnapshotEx_Task: (context) => createSnapshot(context, isVimObject(context.call.args['quiesceSpec'])),
  RemoveSnapshot_Task: (context) => {
    const { vm, id } = snapshotOf(context);
    context.privileges.require('VirtualMachine.State.RemoveSnapshot', vm.object);
    const removeChildren = context.call.args['removeChildren'] === true;
    const options = { removeChildren, consolidate: consolidates(context) };
    return context.snapshotControl.remove(vm, context.session, id, options);
  },
  RemoveAllSnapshots_Task: (context) => {
    const vm = vmOf(context);
    context.privileges.require('VirtualMachine.State.RemoveSnapshot', vm.object);
    return context.snapshotControl.removeAll(vm, context.session, consolidates(context));
  },
  ConsolidateVMDisks_Task: (context) => {
    const vm = vmOf(context);
    context.privileges.require('VirtualMachine.State.RemoveSnapshot', vm.object);
    return context.snapshotControl.consolidate(vm, context.session);
  },
  RevertToSnapshot_Task: (context) => {
    const { vm, id } = snapshotOf(context);
    return revert(context, vm, id);
  },
  RevertToCurrentSnapshot_Task: (context) => revert(context, vmOf(context), undefined),
  QueryChangedDiskAreas: queryChangedAreas,
};

function createSnapshot(context: SessionContext, quiesce: boolean): Result {
  const vm = vmOf(context);
  context.privileges.require('VirtualMachine.State.CreateSnapshot', vm.object);
  return context.snapshotControl.create(vm, context.session, {
    method: context.call.method.name,
    name: textArg(context, 'name'),
    description: textArg(context, 'description'),
    memory: context.call.args['memory'] === true,
    quiesce,
  });
}

function revert(context: SessionContext, vm: SimulatedVm, id: string | undefined): Result {
  context.privileges.require('VirtualMachine.State.RevertToSnapshot', vm.object);
  const suppressPowerOn = context.call.args['suppressPowerOn'] === true;
  return context.snapshotControl.revert(vm, context.session, id, suppressPowerOn);
}

/** Unset means that disks are merged, as clients leave it out who want that. fact: inferred, vs 4.1 only names `true`. */
function consolidates({ call }: SessionContext): boolean {
  return call.args['consolidate'] !== false;
}

/** The snapshot that `_this` names, and whose it is. Throws ManagedObjectNotFound. */
function snapshotOf({ call, registry, vms }: SessionContext): {
  readonly vm: SimulatedVm;
  readonly id: string;
} {
  const object = registry.require(call.on, 'VirtualMachineSnapshot');
  const owner = object.get('vm');
  const vm = owner instanceof MoRef ? vms.byId(owner.id) : undefined;
  if (vm === undefined) throw notFound(call.on);
  return { vm, id: object.id };
}

/** fact: vs 1.5: synchronous; without a snapshot it speaks of the disk as it is, which needs a VM that is off (inferred). */
function queryChangedAreas(context: SessionContext): VimValue {
  const vm = vmOf(context);
  context.privileges.require('VirtualMachine.Provisioning.DiskRandomRead', vm.object);
  const key = numberArg(context.call.args['deviceKey']);
  const disk = vm.disks.find(({ placed }) => placed.key === key);
  if (disk === undefined || key === undefined) throw invalidArgument('deviceKey');
  const chain = context.snapshots.chainOf(vm);
  const ref = refArg(context, 'snapshot');
  const link = ref === undefined ? undefined : snapshotNamed(context, vm, ref).links.get(key);
  const file = link?.file ?? chain.liveFile(key) ?? disk.placed.fileName;
  if (ref !== undefined && link === undefined) throw invalidArgument('deviceKey');
  if (ref === undefined && vm.object.get('runtime.powerState') !== 'poweredOff') {
    throw changesUnknown(file, 'cannotGetChanges');
  }
  const changeId = textArg(context, 'changeId');
  const startOffset = numberArg(context.call.args['startOffset']) ?? 0;
  const answer = changedAreas(
    vm,
    disk,
    { changeId, startOffset, until: link, file },
    context.maxChangedAreas,
  );
  return vim('DiskChangeInfo', {
    startOffset: answer.startOffset,
    length: answer.length,
    changedArea: answer.areas.map(({ offset: start, length }) => vim('DiskChangeExtent', { start, length })),
  });
}

function snapshotNamed(context: SessionContext, vm: SimulatedVm, ref: MoRef): Snapshot {
  const snapshot = context.snapshots.of(vm).find(({ id }) => id === ref.id);
  if (snapshot === undefined) throw notFound(ref);
  return snapshot;
}
