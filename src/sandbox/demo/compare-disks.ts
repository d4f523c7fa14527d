import { createHash } from 'node:crypto';
import { setImmediate as afterThisTurn } from 'node:timers/promises';
import { isZero } from '../disk-blocks.ts';
import type { Disk } from '../disk-store.ts';

/** Small enough to stay in the processor's cache from the read to the hash. */
const chunkBytes = 256 * 1024;
/** Other work gets its turn after so many bytes, about 5 ms. */
const turnBytes = 4 * 1_048_576;

export interface Comparison {
  readonly sha256Source: string;
  /** Over as many bytes as the source has. */
  readonly sha256Target: string;
  /** Undefined: equal, byte for byte. Else what differs, in words. */
  readonly difference?: string;
}

/**
 * Reads both disks whole, in chunks, giving way in between. A target may be larger than its source, since volumes are whole mebibytes; what
 * it has more must be zeros. Rejects with the signal's reason.
 */
export async function compareDisks(source: Disk, target: Disk, signal: AbortSignal): Promise<Comparison> {
  const hashes = [createHash('sha256'), createHash('sha256')] as const;
  const common = Math.min(source.sizeBytes, target.sizeBytes);
  let difference: string | undefined;
  for (let offset = 0; offset < source.sizeBytes; offset += chunkBytes) {
    signal.throwIfAborted();
    const ours = source.read(offset, Math.min(chunkBytes, source.sizeBytes - offset));
    const theirs =
      offset < common ? target.read(offset, Math.min(ours.length, common - offset)) : new Uint8Array();
    hashes[0].update(ours);
    hashes[1].update(theirs);
    if (difference === undefined && Buffer.compare(ours, theirs) !== 0)
      difference = firstDifference(ours, theirs, offset);
    if (offset % turnBytes === 0) await afterThisTurn();
  }
  difference ??= await surplus(source, target, signal);
  return {
    sha256Source: hashes[0].digest('hex'),
    sha256Target: hashes[1].digest('hex'),
    ...(difference !== undefined && { difference }),
  };
}

function firstDifference(ours: Uint8Array, theirs: Uint8Array, offset: number): string {
  const at = ours.findIndex((byte, index) => byte !== theirs[index]);
  return at < theirs.length
    ? `byte ${offset + at} is ${String(theirs[at])} in place of ${String(ours[at])}`
    : `the target ends after ${offset + theirs.length} bytes`;
}

async function surplus(source: Disk, target: Disk, signal: AbortSignal): Promise<string | undefined> {
  for (const extent of target.extents()) {
    const end = extent.offset + extent.length;
    for (let at = Math.max(extent.offset, source.sizeBytes); at < end; at += chunkBytes) {
      signal.throwIfAborted();
      if (!isZero(target.read(at, Math.min(chunkBytes, end - at)))) {
        return `the target has data behind the ${source.sizeBytes} bytes of the source`;
      }
      await afterThisTurn();
    }
  }
  return undefined;
}
