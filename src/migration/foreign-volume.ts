import { terminal } from './failures.ts';
import type { VolumeFact } from './facts.ts';
import type { Context, Fail } from './phase.ts';

export const takenNameHint =
  'Remove it, or give the plan another pvcNameTemplate, and start the plan again. It was left untouched.';

/** `claim`: "namespace/name, owned by ...". */
export function claimNameTaken(claim: string): Fail {
  return terminal(
    'ClaimNameTaken',
    `There is a claim of that name already which is not of this import: ${claim}.`,
    takenNameHint,
  );
}

/** The claim that was filled is not there any more, though another may stand in its place. */
export function lostClaim(
  { claim, claimName, diskKey }: VolumeFact,
  { spec, status }: Context,
): Fail | undefined {
  const filled = status.disks?.find(({ key }) => key === diskKey)?.claimUID;
  const isTheOne = filled === undefined || claim?.uid === filled;
  if (claim !== undefined && !claim.deleting && isTheOne) return undefined;
  return terminal(
    'ClaimLost',
    `Claim ${spec.target.namespace}/${claimName} was deleted by somebody after it was filled.`,
    'Start the plan again; the disk is then copied anew.',
  );
}

/** The first of them that is lost: without its claims the VM could never start. */
export function firstLost(volumes: readonly VolumeFact[], context: Context): Fail | undefined {
  for (const volume of volumes) {
    const failure = lostClaim(volume, context);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** A claim or DataVolume under the name of one of our disks that this import did not make: somebody's data. */
export function foreignVolume(volume: VolumeFact, { spec }: Context): Fail | undefined {
  const at = `${spec.target.namespace}/${volume.claimName}`;
  if (volume.claim !== undefined && !volume.claim.ours) {
    return claimNameTaken(volume.claim.describedAs);
  }
  if (volume.dataVolume !== undefined && !volume.dataVolume.ours) {
    return terminal(
      'ClaimNameTaken',
      `There is a DataVolume ${at} already which is not of this import.`,
      takenNameHint,
    );
  }
  return undefined;
}
