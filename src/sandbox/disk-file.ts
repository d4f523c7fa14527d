import { closeSync, ftruncateSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { blockSpan, checkRange, checkSize, extentsOf, hashDisk, isZero } from './disk-blocks.ts';
import type { Disk, DiskStore, Extent } from './disk-store.ts';

/**
 * Disks as sparse files in `directory`, which is made where it is missing; for demo disks too big for memory. All calls are synchronous,
 * so that the simulated clock never takes file work for idleness. The store owns its files: disposing of it removes them.
 */
export function createFileDiskStore(directory: string): DiskStore {
  mkdirSync(directory, { recursive: true });
  return new FileDiskStore(directory);
}

class FileDiskStore implements DiskStore {
  readonly #directory: string;
  readonly #disks = new Map<string, FileDisk>();
  #made = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  create(id: string, sizeBytes: number): Disk {
    if (this.#disks.has(id)) throw new Error(`disk ${id} exists already`);
    checkSize(id, sizeBytes);
    this.#made += 1;
    const disk = new FileDisk(id, sizeBytes, join(this.#directory, fileName(this.#made, id)));
    this.#disks.set(id, disk);
    return disk;
  }

  get(id: string): Disk | undefined {
    return this.#disks.get(id);
  }

  delete(id: string): void {
    this.#disks.get(id)?.remove();
    this.#disks.delete(id);
  }

  get ids(): readonly string[] {
    return [...this.#disks.keys()];
  }

  [Symbol.dispose](): void {
    for (const id of this.ids) this.delete(id);
  }
}

/** The number keeps names apart; the id is there for people and is cut, since a path's part has at most 255 bytes. */
function fileName(number: number, id: string): string {
  return `${String(number).padStart(4, '0')}-${id.replaceAll(/[^\w.-]/g, '_').slice(0, 100)}.img`;
}

class FileDisk implements Disk {
  readonly id: string;
  readonly sizeBytes: number;
  readonly #path: string;
  readonly #file: number;
  /** What was written, by block: a file system's own map of holes is not the same on every file system. */
  readonly #written = new Set<number>();

  constructor(id: string, sizeBytes: number, path: string) {
    this.id = id;
    this.sizeBytes = sizeBytes;
    this.#path = path;
    this.#file = openSync(path, 'wx+', 0o600);
    ftruncateSync(this.#file, sizeBytes);
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.id, this.sizeBytes, offset, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = readSync(this.#file, bytes, done, length - done, offset + done);
      if (count === 0) throw new Error(`disk ${this.id}: its file ${this.#path} ends too early`);
      done += count;
    }
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    checkRange(this.id, this.sizeBytes, offset, bytes.length);
    const { first, end } = blockSpan(offset, bytes.length);
    const blocks = Array.from({ length: end - first }, (_, i) => first + i);
    if (blocks.every((block) => !this.#written.has(block)) && isZero(bytes)) return;
    for (let done = 0; done < bytes.length;) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, offset + done);
    }
    for (const block of blocks) this.#written.add(block);
  }

  extents(): readonly Extent[] {
    return extentsOf(this.#written, this.sizeBytes);
  }

  sha256(signal?: AbortSignal): Promise<string> {
    return hashDisk(this, signal);
  }

  remove(): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }
}
