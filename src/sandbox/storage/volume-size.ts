import type { PersistentVolumeClaim, VolumeMode } from '../../api/external/core.ts';
import { quantityValue } from './quantity.ts';

/** CDI's default share of a file system that is not for the image (fact: cdi 1.2). */
export const filesystemOverhead = 0.06;
const alignBytes = 1_048_576;

/** What must be asked for, in bytes, so that an image of `imageBytes` fits: rounded up to 1 MiB, then with the overhead (fact: cdi 1.2). */
export function requiredBytes(imageBytes: number, mode: VolumeMode): number {
  if (mode === 'Block') return imageBytes;
  return Math.ceil(Math.ceil(imageBytes / alignBytes) * alignBytes * (1 + filesystemOverhead));
}

/** The largest image, in bytes, that a volume of `volumeBytes` holds; whole MiB on a file system (fact: cdi 1.2). */
export function usableBytes(volumeBytes: number, mode: VolumeMode): number {
  if (mode === 'Block') return volumeBytes;
  return Math.floor(Math.ceil(volumeBytes / (1 + filesystemOverhead)) / alignBytes) * alignBytes;
}

/** Kubernetes' default is a file system. */
export function modeOf(claim: PersistentVolumeClaim): VolumeMode {
  return claim.spec.volumeMode ?? 'Filesystem';
}

/** Requested bytes; 0 where the claim says nothing that can be read. */
export function requestedBytes(claim: PersistentVolumeClaim): number {
  return Math.ceil(quantityValue(claim.spec.resources?.requests?.['storage'] ?? '') ?? 0);
}

/** Where the bytes of a claim are kept in the disk store. */
export function claimDiskId(claim: PersistentVolumeClaim): string {
  const { namespace = '', name, uid = '' } = claim.metadata;
  return `claim/${namespace}/${name}/${uid}`;
}
