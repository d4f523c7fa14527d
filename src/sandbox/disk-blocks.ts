import { createHash } from 'node:crypto';
import { setImmediate as afterThisTurn } from 'node:timers';
import type { Disk, Extent } from './disk-store.ts';

/** Granularity of what a disk knows about itself: written or hole (design: sandbox.md "Disks and byte-equal"). */
export const blockBytes = 65_536;

const zeros = new Uint8Array(blockBytes);

/** Hashing gives way after so many bytes, about 3 ms of work. */
const hashChunkBytes = 4 * 1_048_576;

/** Throws RangeError unless [offset, offset + length) lies within a disk of `sizeBytes`. */
export function checkRange(id: string, sizeBytes: number, offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (!whole || offset < 0 || length < 0 || offset + length > sizeBytes) {
    throw new RangeError(`disk ${id}: ${offset}+${length} is outside its ${sizeBytes} bytes`);
  }
}

/** Throws RangeError for a size that no disk can have. */
export function checkSize(id: string, sizeBytes: number): void {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new RangeError(`disk ${id}: ${sizeBytes} is no size in bytes`);
  }
}

/** The blocks that [offset, offset + length) touches, first and one past the last. */
export function blockSpan(offset: number, length: number): { readonly first: number; readonly end: number } {
  return { first: Math.floor(offset / blockBytes), end: Math.ceil((offset + length) / blockBytes) };
}

/** Written blocks, in any order, as areas in order that do not touch each other. */
export function extentsOf(blocks: Iterable<number>, sizeBytes: number): readonly Extent[] {
  const sorted = [...blocks].sort((a, b) => a - b);
  const extents: { offset: number; length: number }[] = [];
  for (const block of sorted) {
    const offset = block * blockBytes;
    const length = Math.min(blockBytes, sizeBytes - offset);
    const last = extents.at(-1);
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else extents.push({ offset, length });
  }
  return extents;
}

/** Compared in blocks, since a loop over single bytes would take longer than writing them. */
export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const part = bytes.subarray(at, at + blockBytes);
    if (Buffer.compare(part, zeros.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}

/** Hex sha256 over the whole disk, holes as zeros. Rejects with the signal's reason. */
export async function hashDisk(
  disk: Pick<Disk, 'sizeBytes' | 'read'>,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < disk.sizeBytes; offset += hashChunkBytes) {
    signal?.throwIfAborted();
    hash.update(disk.read(offset, Math.min(hashChunkBytes, disk.sizeBytes - offset)));
    await new Promise((resolve) => afterThisTurn(resolve));
  }
  return hash.digest('hex');
}
