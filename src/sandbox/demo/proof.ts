import {
  configMaps,
  dataVolumes,
  persistentVolumeClaims,
  pods,
  secrets,
  virtualMachineInstances,
  virtualMachines,
} from '../../api/kinds.ts';
import { importLabel, markerPrefix } from '../../api/labels.ts';
import type { Stored } from '../../api/meta.ts';
import type { FrozenDisk, VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { KubeClient } from '../../kube/client.ts';
import { keyOf } from '../../kube/object-key.ts';
import type { Sandbox } from '../sandbox.ts';
import { claimDiskId } from '../storage/volume-size.ts';
import type { VmHandle } from '../vcenter/vm-handle.ts';
import { compareDisks } from './compare-disks.ts';
import type { DemoDiskStore } from './demo-disk-store.ts';
import { DemoError } from './demo-error.ts';
import type { DowntimeSplit, ImportTimes } from './downtime.ts';
import type { DiskReport, VmReport } from './report.ts';
import type { RoundsSeen } from './rounds-seen.ts';
import type { WatchedRun } from './watched-run.ts';

/** Where the end of a run is looked at. */
export interface ProofWorld {
  readonly sandbox: Sandbox;
  readonly client: KubeClient;
  readonly disks: DemoDiskStore;
  readonly run: WatchedRun;
  readonly times: ImportTimes;
  readonly rounds: RoundsSeen;
}

/** One VM at its end: what it was, and the import that moved it. */
export interface MovedVm {
  readonly name: string;
  readonly wasOn: boolean;
  readonly source: VmHandle;
  readonly object: Stored<VirtualMachineImport>;
}

/** The import of each VM. Throws DemoError `VmFailed` for the first that did not succeed. */
export function movedVms(
  run: WatchedRun,
  vms: readonly { readonly name: string; readonly wasOn: boolean; readonly source: VmHandle }[],
): readonly MovedVm[] {
  const byName = new Map(run.imports.list().map((object) => [object.spec.vm.name, object]));
  return vms.map((vm) => {
    const object = byName.get(vm.name);
    if (object === undefined) throw new DemoError('VmFailed', `${vm.name} was not moved: it has no import.`);
    const { status = {} } = object;
    if (status.outcome === 'Succeeded') return { ...vm, object };
    const why = status.error?.message ?? status.message ?? 'nothing is known of why';
    throw new DemoError('VmFailed', `${vm.name} was not moved: ${why}`);
  });
}

/** Throws DemoError `LedgerNotEmpty` or `TargetLeftover`. */
export async function checkNothingIsOwed(
  world: ProofWorld,
  moved: readonly MovedVm[],
  signal: AbortSignal,
): Promise<void> {
  for (const { name, object } of moved) {
    const owed = (object.status?.ledger ?? []).filter((entry) => entry.doneAt === undefined);
    if (owed.length > 0) {
      const what = owed.map((entry) => `${entry.kind} ${entry.marker}`).join(', ');
      throw new DemoError('LedgerNotEmpty', `The import of ${name} still owes ${what}.`);
    }
  }
  const kinds = [dataVolumes, pods, secrets, configMaps, virtualMachines, persistentVolumeClaims];
  for (const kind of kinds) {
    const { items } = await world.client.list(kind, { labelSelector: importLabel }, signal);
    const [left] = items;
    if (left === undefined) continue;
    throw new DemoError(
      'TargetLeftover',
      `${kind.kind} ${keyOf(left)} still carries the label of its import.`,
    );
  }
}

/** Throws DemoError `SourceNotOff`, `SourceLeftover` or `SourceChanged`. */
export function checkSource(world: ProofWorld, { name, source }: MovedVm): void {
  if (source.power !== 'poweredOff') {
    throw new DemoError(
      'SourceNotOff',
      `The source of ${name} is ${source.power}, it should be powered off.`,
    );
  }
  const marked = world.sandbox.vcenter.marked(markerPrefix).find(({ vm }) => vm === source.name);
  const left = marked ?? source.snapshots[0];
  if (left !== undefined) {
    throw new DemoError('SourceLeftover', `The snapshot "${left.name}" was left at the source of ${name}.`);
  }
  const offAt = poweredOffAt(world, source);
  for (const { file, disk } of source.disks) {
    const writtenAt = world.disks.writtenAt(disk.id);
    if (offAt === undefined || writtenAt === undefined || writtenAt <= offAt) continue;
    throw new DemoError('SourceChanged', `The source disk ${file} of ${name} was written after power-off.`);
  }
}

/** Throws DemoError `TargetMissing`, `TargetNotRunning` or `TargetRunning`. */
export async function checkTarget(world: ProofWorld, moved: MovedVm, signal: AbortSignal): Promise<void> {
  const at = targetOf(moved);
  const where = `${at.namespace}/${at.name}`;
  const vm = await world.client.get(virtualMachines, at, signal);
  if (vm === undefined) throw new DemoError('TargetMissing', `There is no VirtualMachine ${where}.`);
  const instance = await world.client.get(virtualMachineInstances, at, signal);
  if (moved.wasOn && instance?.status?.phase !== 'Running') {
    const state = vm.status?.printableStatus ?? 'unknown';
    throw new DemoError('TargetNotRunning', `VirtualMachine ${where} should run, it is ${state}.`);
  }
  if (!moved.wasOn && instance !== undefined) {
    throw new DemoError('TargetRunning', `VirtualMachine ${where} should stay off, as its source was.`);
  }
}

/** Compares every disk; throws DemoError `DiskDiffers` or `DiskMissing`, which name it. */
export async function proveVm(world: ProofWorld, moved: MovedVm, signal: AbortSignal): Promise<VmReport> {
  const { object, source, name } = moved;
  const disks: DiskReport[] = [];
  for (const { file, disk } of source.disks) {
    const frozen = object.spec.disks.find(({ sourceId }) => sourceId === file);
    if (frozen === undefined)
      throw new DemoError('DiskMissing', `The disk ${file} of ${name} was not moved.`);
    const target = await targetDisk(world, moved, frozen, signal);
    const { difference, ...hashes } = await compareDisks(disk, target, signal);
    if (difference !== undefined) {
      throw new DemoError(
        'DiskDiffers',
        `The disk ${file} of ${name} is not what is in claim ${targetOf(moved).namespace}/${frozen.claimName}: ${difference}.`,
      );
    }
    disks.push({ bytes: disk.sizeBytes, ...hashes });
  }
  const rounds = object.status?.records?.roundsTotal ?? 1;
  return {
    name,
    strategy: object.spec.strategy.type,
    disks,
    rounds,
    copied: world.rounds.of(name),
    ...downtimeOf(world, moved),
  };
}

async function targetDisk(world: ProofWorld, moved: MovedVm, frozen: FrozenDisk, signal: AbortSignal) {
  const at = { namespace: targetOf(moved).namespace, name: frozen.claimName };
  const claim = await world.client.get(persistentVolumeClaims, at, signal);
  const disk = claim === undefined ? undefined : world.disks.get(claimDiskId(claim));
  if (disk !== undefined) return disk;
  throw new DemoError('DiskMissing', `There is no claim ${at.namespace}/${at.name} for ${moved.name}.`);
}

/** All 0 for a VM that did not run. */
function downtimeOf(world: ProofWorld, moved: MovedVm): DowntimeSplit & { readonly downtimeMs: number } {
  const offAt = poweredOffAt(world, moved.source);
  const { namespace, name } = targetOf(moved);
  const runsAt = world.run.runningSince.get(`${namespace}/${name}`);
  const span = !moved.wasOn || offAt === undefined || runsAt === undefined ? [0, 0] : [offAt, runsAt];
  const [from = 0, to = 0] = span;
  return { downtimeMs: to - from, ...world.times.split(keyOf(moved.object), from, to) };
}

/** When the vCenter switched it off, milliseconds since 1970; undefined: it was never on. */
function poweredOffAt({ sandbox }: ProofWorld, source: VmHandle): number | undefined {
  return sandbox.trace.entries.findLast(({ what, on }) => what === 'poweredOff' && on === source.name)?.atMs;
}

function targetOf({ object, name }: MovedVm): { readonly namespace: string; readonly name: string } {
  return { namespace: object.spec.target.namespace, name: object.status?.records?.targetName ?? name };
}
