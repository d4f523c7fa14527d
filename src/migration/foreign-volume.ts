import { terminal } from './failures.ts';
import type { Context, Fail, VolumeFact } from './phase.ts';

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
