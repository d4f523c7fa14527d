import type { VirtualMachineImportSpec } from '../../api/virtual-machine-import.ts';
import type { VolumeFact } from '../phase.ts';

/**
 * Whether a claim stays with the user after a failure: the plan asked for it (deleteVmOnFailMigration is false) and the disk on it is
 * whole. What was half copied helps nobody. A claim that has left its DataVolume was whole; one that still names a DataVolume which is
 * gone is about to follow it.
 */
export function keepsClaim(
  claimName: string,
  volumes: readonly VolumeFact[],
  spec: VirtualMachineImportSpec,
): boolean {
  if (spec.options.deleteOnFail) return false;
  const volume = volumes.find((candidate) => candidate.claimName === claimName);
  if (volume?.claim === undefined || volume.claim.deleting) return false;
  if (volume.dataVolume !== undefined) return volume.dataVolume.phase === 'Succeeded';
  return volume.claim.owner.kind !== 'DataVolume';
}
