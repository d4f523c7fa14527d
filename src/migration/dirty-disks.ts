import type { DiskStatus } from '../api/virtual-machine-import.ts';

/**
 * What is on these disks is no copy of the source any more, or nobody knows whether it is: nothing may resume on them, no delta be added
 * (review.md F42).
 */
export function marked(disks: readonly DiskStatus[], keys: readonly string[]): readonly DiskStatus[] {
  return disks.map((disk) => (keys.includes(disk.key) ? { ...disk, dirty: true } : disk));
}

/** Proven unchanged, or changed to the end. */
export function unmarked(disks: readonly DiskStatus[], keys: readonly string[]): readonly DiskStatus[] {
  return disks.map((disk) => {
    if (!keys.includes(disk.key)) return disk;
    const { dirty: _dirty, ...rest } = disk;
    return rest;
  });
}
