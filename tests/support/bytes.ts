import type { PersistentVolumeClaim } from '../../src/api/external/core.ts';
import type { Stored } from '../../src/api/meta.ts';
import type { Disk, DiskStore, Extent } from '../../src/sandbox/disk-store.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { claimDiskId } from '../../src/sandbox/storage/volume-size.ts';
import type { Content } from './world.ts';

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

/** The bytes behind a claim of an embedded world. Throws when there are none. */
export function contentInSandbox(
  disks: Pick<DiskStore, 'get'>,
  claim: Stored<PersistentVolumeClaim>,
): Content {
  const disk = disks.get(claimDiskId(claim));
  if (disk === undefined) throw new Error(`claim ${claim.metadata.name} has no bytes`);
  return disk;
}

/** A source as it is after its conversion: overlaid with what the converter says that it has written (design: sandbox.md "byte-equal"). */
export function overlaid(
  source: Content,
  writes: readonly { readonly offset: number; readonly bytes: Uint8Array }[],
): Content {
  return {
    sizeBytes: source.sizeBytes,
    read(offset, length) {
      const bytes = source.read(offset, length);
      for (const write of writes) {
        const from = Math.max(offset, write.offset);
        const end = Math.min(offset + length, write.offset + write.bytes.length);
        if (from < end)
          bytes.set(write.bytes.subarray(from - write.offset, end - write.offset), from - offset);
      }
      return bytes;
    },
    extents: () => source.extents(),
  };
}

const chunkBytes = 1 << 20;

/** A claim may be larger than the disk that was copied into it; the rest must read as zeros. */
export function sameBytes(source: Content, target: Content): boolean {
  if (target.sizeBytes < source.sizeBytes) return false;
  for (const { offset, length } of chunks(0, source.sizeBytes)) {
    if (Buffer.compare(source.read(offset, length), target.read(offset, length)) !== 0) return false;
  }
  return target.extents().every((extent) => {
    const from = Math.max(extent.offset, source.sizeBytes);
    return chunks(from, extent.offset + extent.length).every(({ offset, length }) =>
      target.read(offset, length).every((byte) => byte === 0),
    );
  });
}

function chunks(from: number, end: number): readonly Extent[] {
  const count = Math.max(0, Math.ceil((end - from) / chunkBytes));
  return Array.from({ length: count }, (_, index) => {
    const offset = from + index * chunkBytes;
    return { offset, length: Math.min(chunkBytes, end - offset) };
  });
}
