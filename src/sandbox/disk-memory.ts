import { blockBytes, blockSpan, checkRange, checkSize, extentsOf, hashDisk, isZero } from './disk-blocks.ts';
import type { Disk, DiskStore, Extent } from './disk-store.ts';

/** Disks in memory, for tests that make many worlds: a hole costs nothing, a written block 64 KiB. */
export function createMemoryDiskStore(): DiskStore {
  return new MemoryDiskStore();
}

class MemoryDiskStore implements DiskStore {
  readonly #disks = new Map<string, MemoryDisk>();

  create(id: string, sizeBytes: number): Disk {
    if (this.#disks.has(id)) throw new Error(`disk ${id} exists already`);
    checkSize(id, sizeBytes);
    const disk = new MemoryDisk(id, sizeBytes);
    this.#disks.set(id, disk);
    return disk;
  }

  get(id: string): Disk | undefined {
    return this.#disks.get(id);
  }

  delete(id: string): void {
    this.#disks.delete(id);
  }

  get ids(): readonly string[] {
    return [...this.#disks.keys()];
  }

  [Symbol.dispose](): void {
    this.#disks.clear();
  }
}

class MemoryDisk implements Disk {
  readonly id: string;
  readonly sizeBytes: number;
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(id: string, sizeBytes: number) {
    this.id = id;
    this.sizeBytes = sizeBytes;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.id, this.sizeBytes, offset, length);
    const bytes = new Uint8Array(length);
    const { first, end } = blockSpan(offset, length);
    for (let index = first; index < end; index += 1) {
      const block = this.#blocks.get(index);
      if (block === undefined) continue;
      const blockStart = index * blockBytes;
      const from = Math.max(offset, blockStart);
      const to = Math.min(offset + length, blockStart + blockBytes);
      bytes.set(block.subarray(from - blockStart, to - blockStart), from - offset);
    }
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    checkRange(this.id, this.sizeBytes, offset, bytes.length);
    const { first, end } = blockSpan(offset, bytes.length);
    for (let index = first; index < end; index += 1) {
      const blockStart = index * blockBytes;
      const from = Math.max(offset, blockStart);
      const to = Math.min(offset + bytes.length, blockStart + blockBytes);
      const part = bytes.subarray(from - offset, to - offset);
      let block = this.#blocks.get(index);
      if (block === undefined) {
        if (isZero(part)) continue;
        block = new Uint8Array(blockBytes);
        this.#blocks.set(index, block);
      }
      block.set(part, from - blockStart);
    }
  }

  extents(): readonly Extent[] {
    return extentsOf(this.#blocks.keys(), this.sizeBytes);
  }

  sha256(signal?: AbortSignal): Promise<string> {
    return hashDisk(this, signal);
  }
}
