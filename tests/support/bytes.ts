import type { PersistentVolumeClaim } from '../../src/api/external/core.ts';
import type { Stored } from '../../src/api/meta.ts';
import type { Disk } from '../../src/sandbox/disk-store.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { claimDiskId } from '../../src/sandbox/storage/volume-size.ts';
import type { Look } from './world.ts';

/** Writes seeded bytes into about a third of the disk, so that it has data and holes. */
export function fill(disk: Disk, seed: number): void {
  const random = seededRandom(seed);
  const block = 16 * 1024;
  for (let offset = 0; offset < disk.sizeBytes; offset += block) {
    if (random() > 0.34) continue;
    const bytes = Uint8Array.from({ length: Math.min(block, disk.sizeBytes - offset) }, () =>
      Math.floor(random() * 256),
    );
    disk.write(offset, bytes);
  }
}

/** The bytes behind a claim. Throws when there are none. */
export function diskOfClaim(world: Pick<Look, 'sandbox'>, claim: Stored<PersistentVolumeClaim>): Disk {
  const disk = world.sandbox.disks.get(claimDiskId(claim));
  if (disk === undefined) throw new Error(`claim ${claim.metadata.name} has no bytes`);
  return disk;
}

/** A claim may be larger than the disk that was copied into it; the rest must read as zeros. */
export function sameBytes(source: Disk, target: Disk): boolean {
  if (target.sizeBytes < source.sizeBytes) return false;
  const chunk = 1 << 20;
  for (let offset = 0; offset < source.sizeBytes; offset += chunk) {
    const length = Math.min(chunk, source.sizeBytes - offset);
    if (Buffer.compare(source.read(offset, length), target.read(offset, length)) !== 0) return false;
  }
  return target.extents().every((extent) => {
    if (extent.offset + extent.length <= source.sizeBytes) return true;
    const from = Math.max(extent.offset, source.sizeBytes);
    return target.read(from, extent.offset + extent.length - from).every((byte) => byte === 0);
  });
}
