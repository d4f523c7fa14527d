import { isSourceError, SourceError } from '../../../model/fault.ts';
import type {
  Audit,
  DiskCheckpoint,
  SnapshotRemoval,
  SnapshotState,
  SourceFault,
  VmHandle,
} from '../../../model/source-data.ts';
import type { DiskModel, VmModel } from '../../../model/vm.ts';
import type { Snapshots } from '../../source.ts';
import type { Properties } from '../managed-object.ts';
import { snapshotsOf } from '../model/vm-model.ts';
import { retrieve } from '../retrieve.ts';
import type { VimSession } from '../session.ts';
import { meaningOf } from '../soap/faults.ts';
import { consolidateDisksTask, createSnapshotTask, removeSnapshotTask } from '../soap/requests.ts';
import { asFlag, asMoRef, member, type MoRef } from '../soap/values.ts';
import { readVm, vmRef } from '../vm-reads.ts';
import { auditedProperties, auditOf, diskDatastores } from './audit.ts';
import { checkpointsOf } from './checkpoints.ts';
import { isRunning, readTask, readTasks, type VmTask } from './vm-tasks.ts';

const treeProperties = ['snapshot', 'recentTask', 'runtime.consolidationNeeded'] as const;
const description = 'Made by Gantry to copy the disks of this VM; removed by it as soon as they are copied.';

/** Faults by which a guest, and not the platform, has failed a snapshot (fact: vs 1.5). */
const quiesceFaults = /Quiesce|^(Multiple)?SnapshotsNotSupportedByGuest$/;

/**
 * Snapshots of a vSphere VM by the name that was given to them. What counts is the snapshot tree; tasks only tell whether something is on
 * its way, because the server forgets them and their names are not ours (fact: vs 1.5).
 */
export class VsphereSnapshots implements Snapshots {
  readonly #session: VimSession;
  readonly #instance: string;
  /** The last try of this process at each marker: of no other task it could be told for sure that it was ours when it failed. */
  readonly #created = new Map<string, MoRef>();

  constructor(session: VimSession, instance: string) {
    this.#session = session;
    this.#instance = instance;
  }

  async state(vm: VmHandle, marker: string, signal: AbortSignal): Promise<SnapshotState> {
    const { properties } = await readVm(this.#session, this.#instance, vm, treeProperties, signal);
    const found = snapshotsOf(properties).find(({ name }) => name === marker);
    const running = (await readTasks(this.#session, properties, signal)).filter(isRunning);
    const creating = running.find(isCreation);
    // It stands in the tree a moment before its task has ended; until then it is not ours to read.
    if (creating !== undefined) return { state: 'creating', taskId: creating.id };
    if (found !== undefined) {
      this.#created.delete(marker);
      return { state: 'ready', id: found.id };
    }
    const failed = await this.#failureOf(marker, signal);
    if (failed !== undefined) return failed;
    const [other] = running;
    return other === undefined ? { state: 'absent' } : { state: 'busy', by: other.name };
  }

  async create(
    vm: VmHandle,
    marker: string,
    { quiesce }: { readonly quiesce: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    await readVm(this.#session, this.#instance, vm, [], signal);
    this.#created.delete(marker);
    const task = await this.#session.call(
      createSnapshotTask(vmRef(vm), marker, description, quiesce),
      signal,
    );
    const ref = asMoRef(task);
    if (ref !== undefined) this.#created.set(marker, ref);
  }

  async removal(vm: VmHandle, snapshotId: string, signal: AbortSignal): Promise<SnapshotRemoval> {
    const { properties } = await readVm(this.#session, this.#instance, vm, treeProperties, signal);
    const running = (await readTasks(this.#session, properties, signal)).filter(isRunning);
    const removing = running.find(isRemoval);
    if (removing !== undefined) return { state: 'removing', taskId: removing.id };
    const isThere = snapshotsOf(properties).some(({ id }) => id === snapshotId);
    if (!isThere && !owesConsolidation(properties)) return { state: 'gone' };
    const [other] = running;
    return other === undefined ? { state: 'present' } : { state: 'busy', by: other.name };
  }

  /** What is out of the tree and has left files behind is asked away by merging them. */
  async remove(vm: VmHandle, snapshotId: string, signal: AbortSignal): Promise<void> {
    const { properties } = await readVm(this.#session, this.#instance, vm, treeProperties, signal);
    const isThere = snapshotsOf(properties).some(({ id }) => id === snapshotId);
    try {
      if (isThere) {
        const snapshot = { type: 'VirtualMachineSnapshot', value: snapshotId };
        await this.#session.call(removeSnapshotTask(snapshot), signal);
      } else if (owesConsolidation(properties)) {
        await this.#session.call(consolidateDisksTask(vmRef(vm)), signal);
      }
    } catch (error) {
      // Gone between our look and our request.
      if (!isSourceError(error, 'gone')) throw error;
    }
  }

  async checkpoints(
    vm: VmHandle,
    snapshotId: string,
    disks: readonly DiskModel[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, DiskCheckpoint>> {
    const obj = { type: 'VirtualMachineSnapshot', value: snapshotId };
    const spec = {
      propSet: [{ type: 'VirtualMachineSnapshot', paths: ['config.hardware.device'] }],
      objectSet: [{ obj }],
    };
    const [snapshot] = await retrieve(this.#session, spec, signal);
    if (snapshot === undefined) throw lost(vm, snapshotId);
    return checkpointsOf(snapshotId, snapshot.properties['config.hardware.device'], disks);
  }

  async audit(vm: VmHandle, frozen: VmModel, ours: readonly string[], signal: AbortSignal): Promise<Audit> {
    const { properties } = await readVm(this.#session, this.#instance, vm, auditedProperties, signal);
    const refs = diskDatastores(properties).map((value) => ({ obj: { type: 'Datastore', value } }));
    const paths = ['name', 'summary.capacity', 'summary.freeSpace'];
    const datastores =
      refs.length === 0
        ? []
        : await retrieve(this.#session, { propSet: [{ type: 'Datastore', paths }], objectSet: refs }, signal);
    return auditOf(properties, frozen, ours, datastores);
  }

  async #failureOf(marker: string, signal: AbortSignal): Promise<SnapshotState | undefined> {
    const ref = this.#created.get(marker);
    if (ref === undefined) return undefined;
    const task = await readTask(this.#session, ref, signal);
    if (task?.state !== 'error') return undefined;
    return { state: 'failed', error: faultOf(marker, task), quiesceFault: isQuiesceFault(task) };
  }
}

function isCreation({ name }: VmTask): boolean {
  return /^CreateSnapshot(Ex)?_Task$/.test(name);
}

function isRemoval({ name }: VmTask): boolean {
  return /^(RemoveSnapshot|RemoveAllSnapshots|ConsolidateVMDisks)_Task$/.test(name);
}

function owesConsolidation(properties: Properties): boolean {
  return asFlag(member(properties, 'runtime.consolidationNeeded')) === true;
}

function isQuiesceFault({ fault }: VmTask): boolean {
  return fault !== undefined && quiesceFaults.test(fault.type);
}

function faultOf(marker: string, { fault }: VmTask): SourceFault {
  const { kind, advice } = meaningOf(fault?.type ?? '');
  return {
    code: fault?.type === undefined || fault.type === '' ? 'SnapshotFailed' : fault.type,
    kind,
    message: `Snapshot ${marker} could not be made: ${fault?.text ?? 'the task failed'}. ${advice}`,
  };
}

function lost(vm: VmHandle, snapshotId: string): SourceError {
  return new SourceError({
    code: 'SnapshotLost',
    kind: 'invalid',
    message: `Snapshot ${snapshotId} of VM ${vm.vmId} is not there any more: somebody has removed it while it was in use. Start the plan again.`,
  });
}
