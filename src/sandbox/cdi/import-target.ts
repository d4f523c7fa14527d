import type { PersistentVolumeClaim } from '../../api/external/core.ts';
import type { Stored } from '../../api/meta.ts';
import type { Disk, DiskStore } from '../disk-store.ts';
import { claimDiskId, modeOf, requestedBytes, usableBytes } from '../storage/volume-size.ts';

/** The volume of a claim as an importer finds it when it starts. */
export interface ImportTarget {
  /** What is there from before; undefined: nothing. */
  readonly disk: Disk | undefined;
  /** On a file system: bytes that no file takes, and never more than was asked for. The leftover of an earlier try counts as taken (fact: cdi 0.9, 6). */
  readonly freeBytes: number;
  /** On a file system: bytes that fit in all. On a block volume: its size. */
  readonly capacityBytes: number;
  readonly isBlock: boolean;
  /** An empty disk that can take `imageBytes`, in place of what is there. */
  clear(imageBytes: number): Disk;
}

/** @param filesystemTakes share of the volume, 0 to 1; without it all that was asked for is free at first. */
export function claimTarget(
  disks: DiskStore,
  claim: Stored<PersistentVolumeClaim>,
  filesystemTakes = 0,
): ImportTarget {
  const id = claimDiskId(claim);
  const mode = modeOf(claim);
  const requested = requestedBytes(claim);
  const disk = disks.get(id);
  const leftover = disk?.extents().reduce((sum, { length }) => sum + length, 0) ?? 0;
  const capacityBytes = mode === 'Block' ? (disk?.sizeBytes ?? requested) : requested;
  return {
    disk,
    isBlock: mode === 'Block',
    capacityBytes,
    freeBytes: Math.max(0, Math.floor(requested * (1 - filesystemTakes)) - leftover),
    clear: (imageBytes) => {
      disks.delete(id);
      const usable = usableBytes(requested, mode);
      return disks.create(id, mode === 'Block' ? capacityBytes : Math.max(usable, imageBytes));
    },
  };
}
