import { mayBeHalfConverted } from '../conversion.ts';
import { sourceGone } from '../faults.ts';
import type { VolumeFact } from '../facts.ts';
import type { Context } from '../phase.ts';

/**
 * Whether a claim stays with the user after a failure: the plan asked for it (deleteVmOnFailMigration is false), or the VM is not at its
 * source any more, so that the copy may be all that is left of it; and the disk on it is whole. What was half copied, or half converted, helps nobody. A claim that has left its DataVolume was whole; one that still names a DataVolume which is
 * gone is about to follow it.
 */
export function keepsClaim(
  claimName: string,
  volumes: readonly VolumeFact[],
  { spec, status, records }: Pick<Context, 'spec' | 'status' | 'records'>,
): boolean {
  if (spec.options.deleteOnFail && status.error?.code !== sourceGone) return false;
  const disk = spec.disks.find((candidate) => candidate.claimName === claimName);
  if (disk !== undefined && mayBeHalfConverted(records.conversion, disk.key)) return false;
  const volume = volumes.find((candidate) => candidate.claimName === claimName);
  if (volume?.claim === undefined || volume.claim.deleting) return false;
  if (volume.dataVolume !== undefined) return volume.dataVolume.phase === 'Succeeded';
  return volume.claim.owner.kind !== 'DataVolume';
}
