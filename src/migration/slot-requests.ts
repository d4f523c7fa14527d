import { createHash } from 'node:crypto';
import type { VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';
import type { SlotRequest } from './phase.ts';
import type { EngineSettings } from './settings.ts';

/** Longest name of a resource in the schema of an import's slots. */
const longestResource = 253;

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

function lock(resource: string): SlotRequest {
  return { resource: bounded(resource), cost: 1, capacity: 1 };
}

function bounded(resource: string): string {
  if (resource.length <= longestResource) return resource;
  const digest = createHash('sha256').update(resource).digest('hex').slice(0, 16);
  return `${resource.slice(0, longestResource - digest.length - 1)}~${digest}`;
}

const identityPrefix = 'identity/';

export function isIdentitySlot(resource: string): boolean {
  return resource.startsWith(identityPrefix);
}
