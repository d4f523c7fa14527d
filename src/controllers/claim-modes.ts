import type { FrozenDisk } from '../api/virtual-machine-import.ts';
import type { TargetCluster } from './target-cluster.ts';

/** What a disk asks of its class. Left out: CDI takes it from the StorageProfile of the class. */
export type ClaimModes = Pick<FrozenDisk, 'class' | 'accessMode' | 'volumeMode'>;

/**
 * Classes in which CDI would not make a claim for these disks: no access mode is given, and the StorageProfile, which is empty for a
 * provisioner that CDI does not know, has none either (fact: cdi 1.2). It says so only when the DataVolume is there, and then the source
 * is off. A class whose profile is not there yet is given the benefit of the doubt; '' is the default class, which CDI finds itself.
 */
export function classesWithoutModes(
  disks: readonly ClaimModes[],
  { storageProfiles }: Pick<TargetCluster, 'storageProfiles'>,
): readonly string[] {
  const lacking = disks.filter(({ class: name, accessMode, volumeMode }) => {
    const profile = name === '' ? undefined : storageProfiles.get({ name });
    if (profile === undefined || accessMode !== undefined) return false;
    const sets = profile.status?.claimPropertySets ?? [];
    const set =
      volumeMode === undefined
        ? sets[0]
        : sets.find((candidate) => (candidate.volumeMode ?? 'Filesystem') === volumeMode);
    return (set?.accessModes ?? []).length === 0;
  });
  return [...new Set(lacking.map(({ class: name }) => name))];
}
