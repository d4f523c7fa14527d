import { createHash } from 'node:crypto';
import type { VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';
import type { Context, SlotRequest } from './phase.ts';
import type { EngineSettings } from './settings.ts';

/** Longest name of a resource in the schema of an import's slots. */
const longestResource = 253;

/** What an import waits for whose copies may not begin yet. */
export const hostTurn = "its turn on the source's host";

/** Only one import at a time works on a source VM, through whatever Provider or plan it came (review.md F16a). */
export function identitySlot(spec: VirtualMachineImportSpec): SlotRequest {
  return lock(`${identityPrefix}${spec.model.identity}`);
}

/** Two imports never aim at the same name of a cluster's namespace (review.md F45). */
export function nameSlot(spec: VirtualMachineImportSpec, name: string): SlotRequest {
  return lock(`name/${spec.target.provider.uid}/${spec.target.namespace}/${name}`);
}

/**
 * Disks that one host of the source reads at once. A VM with more disks than that takes the whole host and runs alone. None for a VM
 * without disks to copy.
 */
export function copySlot(spec: VirtualMachineImportSpec, settings: EngineSettings): SlotRequest | undefined {
  const disks = spec.disks.filter((disk) => disk.mode === 'copy').length;
  if (disks === 0) return undefined;
  const capacity = settings.maxVmInflight;
  return {
    resource: bounded(`host/${spec.source.provider.uid}/${spec.model.host?.id ?? 'provider'}`),
    cost: Math.min(disks, capacity),
    capacity,
  };
}

/** A snapshot of the VM, from its making until it is merged again. */
export function snapshotSlot(spec: VirtualMachineImportSpec, settings: EngineSettings): SlotRequest {
  const host = `${spec.source.provider.uid}/${spec.model.host?.id ?? 'provider'}`;
  return { resource: bounded(`${snapshotPrefix}${host}`), cost: 1, capacity: settings.snapshotsInflight };
}

/** A conversion, from before its pod is made until it has ended. */
export function conversionSlot(spec: VirtualMachineImportSpec, settings: EngineSettings): SlotRequest {
  return {
    resource: bounded(`conversion/${spec.target.provider.uid}`),
    cost: 1,
    capacity: settings.conversionsInflight,
  };
}

/** All that one round takes, in one go: what holds a snapshot must never wait for its copy (design: import.md 2.2). */
export function roundSlots(spec: VirtualMachineImportSpec, settings: EngineSettings): readonly SlotRequest[] {
  const copy = copySlot(spec, settings);
  return [snapshotSlot(spec, settings), ...(copy === undefined ? [] : [copy])];
}

/** All that a cutover takes before the source goes off: nothing of what follows is to wait in a queue meanwhile (review.md F53). */
export function cutoverSlots(
  spec: VirtualMachineImportSpec,
  settings: EngineSettings,
): readonly SlotRequest[] {
  const converts = spec.strategy.conversion === 'inPlace';
  return [...roundSlots(spec, settings), ...(converts ? [conversionSlot(spec, settings)] : [])];
}

/** Those of a round or a cutover that the import holds: what is given back when nothing is copied for a while. */
export function heldRoundSlots({
  spec,
  settings,
  status,
}: Pick<Context, 'spec' | 'settings' | 'status'>): readonly string[] {
  const wanted = new Set(cutoverSlots(spec, settings).map(({ resource }) => resource));
  return (status.slots ?? []).map(({ resource }) => resource).filter((resource) => wanted.has(resource));
}

/** Held is what the saved status says: a grant that was not saved is lost with the process that got it. */
export function missingSlots(
  slots: readonly SlotRequest[],
  context: Pick<Context, 'status'>,
): readonly SlotRequest[] {
  const held = new Set((context.status.slots ?? []).map((slot) => slot.resource));
  return slots.filter((slot) => !held.has(slot.resource));
}

function lock(resource: string): SlotRequest {
  return { resource: bounded(resource), cost: 1, capacity: 1 };
}

function bounded(resource: string): string {
  if (resource.length <= longestResource) return resource;
  const digest = createHash('sha256').update(resource).digest('hex').slice(0, 16);
  return `${resource.slice(0, longestResource - digest.length - 1)}~${digest}`;
}

const identityPrefix = 'identity/';
const snapshotPrefix = 'snapshot/';

export function isSnapshotSlot(resource: string): boolean {
  return resource.startsWith(snapshotPrefix);
}

export function isIdentitySlot(resource: string): boolean {
  return resource.startsWith(identityPrefix);
}
