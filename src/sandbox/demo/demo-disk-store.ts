import { blockBytes, blockSpan, extentsOf, hashDisk } from '../disk-blocks.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Disk, DiskStore, Extent } from '../disk-store.ts';
import type { ImageFile } from './image-file.ts';

/** An image with what is in it. */
export interface ScannedImage {
  readonly image: Pick<ImageFile, 'sizeBytes' | 'read'>;
  readonly extents: readonly Extent[];
}

/** How the simulated vCenter names its disks in the store. */
const sourcePrefix = 'vcenter/';

/**
 * The store of a demo: it notes when each disk was last written, so that nobody can say afterwards that a source changed once it was off;
 * and where there is an image of the user's, the source disks are that image, with an overlay that takes what is written.
 */
export class DemoDiskStore implements DiskStore {
  readonly #inner: DiskStore;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #scanned: ScannedImage | undefined;
  readonly #disks = new Map<string, NotedDisk>();
  /** Of disks that are gone, too. */
  readonly #writtenBytes = new Map<string, number>();

  constructor(inner: DiskStore, clock: Pick<Clock, 'now'>, scanned?: ScannedImage) {
    this.#inner = inner;
    this.#clock = clock;
    this.#scanned = scanned;
  }

  create(id: string, sizeBytes: number): Disk {
    const made = this.#inner.create(id, sizeBytes);
    const isImage = this.#scanned !== undefined && id.startsWith(sourcePrefix);
    const disk = new NotedDisk(isImage ? new OverlayDisk(made, this.#scanned) : made, (bytes) => {
      this.#writtenBytes.set(id, (this.#writtenBytes.get(id) ?? 0) + bytes);
      return this.#clock.now();
    });
    this.#disks.set(id, disk);
    return disk;
  }

  get(id: string): Disk | undefined {
    return this.#disks.get(id);
  }

  delete(id: string): void {
    this.#disks.delete(id);
    this.#inner.delete(id);
  }

  get ids(): readonly string[] {
    return this.#inner.ids;
  }

  /** Milliseconds since 1970; undefined for a disk that was never written. */
  writtenAt(id: string): number | undefined {
    return this.#disks.get(id)?.writtenAt;
  }

  /** Bytes that were ever written to disks whose id begins so. */
  writtenBytes(idPrefix: string): number {
    let sum = 0;
    for (const [id, bytes] of this.#writtenBytes) if (id.startsWith(idPrefix)) sum += bytes;
    return sum;
  }

  [Symbol.dispose](): void {
    this.#disks.clear();
    this.#inner[Symbol.dispose]();
  }
}

class NotedDisk implements Disk {
  readonly id: string;
  readonly sizeBytes: number;
  readonly #disk: Disk;
  /** Told of so many bytes; gives the time. */
  readonly #note: (bytes: number) => number;
  writtenAt: number | undefined;

  constructor(disk: Disk, note: (bytes: number) => number) {
    this.id = disk.id;
    this.sizeBytes = disk.sizeBytes;
    this.#disk = disk;
    this.#note = note;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#disk.read(offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.writtenAt = this.#note(bytes.length);
    this.#disk.write(offset, bytes);
  }

  extents(): readonly Extent[] {
    return this.#disk.extents();
  }

  sha256(signal?: AbortSignal): Promise<string> {
    return this.#disk.sha256(signal);
  }
}

/** Reads the image, except in blocks that were written: those are copied to the upper disk first. The image is never written. */
class OverlayDisk implements Disk {
  readonly id: string;
  readonly sizeBytes: number;
  readonly #upper: Disk;
  readonly #scanned: ScannedImage;
  readonly #written = new Set<number>();

  constructor(upper: Disk, scanned: ScannedImage) {
    if (upper.sizeBytes !== scanned.image.sizeBytes) {
      throw new RangeError(`disk ${upper.id} has not the ${scanned.image.sizeBytes} bytes of its image`);
    }
    this.id = upper.id;
    this.sizeBytes = upper.sizeBytes;
    this.#upper = upper;
    this.#scanned = scanned;
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = this.#scanned.image.read(offset, length);
    if (this.#written.size === 0) return bytes;
    const { first, end } = blockSpan(offset, length);
    for (let block = first; block < end; block += 1) {
      if (!this.#written.has(block)) continue;
      const from = Math.max(offset, block * blockBytes);
      const to = Math.min(offset + length, (block + 1) * blockBytes);
      bytes.set(this.#upper.read(from, to - from), from - offset);
    }
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    const { first, end } = blockSpan(offset, bytes.length);
    for (let block = first; block < end; block += 1) {
      if (this.#written.has(block)) continue;
      const from = block * blockBytes;
      this.#upper.write(from, this.#scanned.image.read(from, Math.min(blockBytes, this.sizeBytes - from)));
      this.#written.add(block);
    }
    this.#upper.write(offset, bytes);
  }

  extents(): readonly Extent[] {
    if (this.#written.size === 0) return this.#scanned.extents;
    const blocks = new Set(this.#written);
    for (const { offset, length } of this.#scanned.extents) {
      const { first, end } = blockSpan(offset, length);
      for (let block = first; block < end; block += 1) blocks.add(block);
    }
    return extentsOf(blocks, this.sizeBytes);
  }

  sha256(signal?: AbortSignal): Promise<string> {
    return hashDisk(this, signal);
  }
}
