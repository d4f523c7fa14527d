import { blockBytes, blockSpan, checkRange, extentsOf, hashDisk } from './disk-blocks.ts';
import type { Disk, DiskStore, Extent } from './disk-store.ts';

/** A disk as it was when it was frozen. It costs what was written to the disk since. */
export interface FrozenDisk extends Pick<Disk, 'id' | 'sizeBytes' | 'read' | 'extents' | 'sha256'> {
  /** Which writes it holds: all up to and with this generation. */
  readonly generation: number;
}

/**
 * A disk that remembers: views of what it held, by copy on write, and which blocks were written between any two of them. It lies over a
 * disk of any store, and all writes must go through it. Generations count the freezings; a write belongs to the one that is open.
 *
 * Invariant: a view holds in `saved` what a block held when the view was the newest one and the block was first written; so a block of a
 * view is found in it, else in the next newer view, and so on, else in the disk itself.
 */
export class DiskHistory implements Disk {
  readonly id: string;
  readonly #store: DiskStore;
  #disk: Disk;
  /** Oldest first. */
  readonly #views: View[] = [];
  /** Blocks written, by generation; the last one is open. Generation 0 is before all writes. */
  readonly #written: Set<number>[] = [new Set(), new Set()];

  constructor(store: DiskStore, disk: Disk) {
    this.id = disk.id;
    this.#store = store;
    this.#disk = disk;
  }

  get sizeBytes(): number {
    return this.#disk.sizeBytes;
  }
  /** The last generation that is closed. */
  get generation(): number {
    return this.#written.length - 2;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#disk.read(offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    checkRange(this.id, this.sizeBytes, offset, bytes.length);
    const { first, end } = blockSpan(offset, bytes.length);
    const newest = this.#views.at(-1);
    const open = this.#written.at(-1);
    for (let block = first; block < end; block += 1) {
      if (newest?.has(block) === false) newest.save(block, this.#block(block));
      open?.add(block);
    }
    this.#disk.write(offset, bytes);
  }

  extents(): readonly Extent[] {
    return this.#disk.extents();
  }

  sha256(signal?: AbortSignal): Promise<string> {
    return this.#disk.sha256(signal);
  }

  /** A view of what the disk holds now; closes the generation. `name` is unique among the views of this disk. */
  freeze(name: string): FrozenDisk {
    const view: View = new View(this.#store, `frozen/${name}/${this.id}`, {
      sizeBytes: this.sizeBytes,
      extents: this.extents(),
      generation: this.#written.length - 1,
      newer: (block) => this.#afterView(view, block),
    });
    this.#views.push(view);
    this.#written.push(new Set());
    return view;
  }

  /** The view is not needed any more; older views take over what only it has saved. No-op when it is not one of this disk. */
  release(frozen: FrozenDisk): void {
    const at = this.#views.findIndex((view) => view === frozen);
    const view = this.#views[at];
    if (view === undefined) return;
    const older = this.#views[at - 1];
    if (older !== undefined) {
      for (const block of view.blocks) if (!older.has(block)) older.save(block, view.block(block));
    }
    view.drop();
    this.#views.splice(at, 1);
  }

  /** The disk holds again what the view holds; other views keep what they hold. */
  restore(frozen: FrozenDisk): void {
    for (const { offset, length } of this.changedSince(frozen.generation)) {
      for (let done = 0; done < length; done += blockBytes) {
        const size = Math.min(blockBytes, length - done);
        this.write(offset + done, frozen.read(offset + done, size));
      }
    }
  }

  /** What was written after the end of generation `after`, and up to the end of `upTo` (default: until now), in blocks of 64 KiB. */
  changedSince(after: number, upTo = Infinity): readonly Extent[] {
    const blocks = new Set<number>();
    for (const written of this.#written.slice(after + 1, upTo + 1))
      for (const block of written) blocks.add(block);
    return extentsOf(blocks, this.sizeBytes);
  }

  /** More bytes, zeros, at the end. Throws RangeError while there are views, or when it is not more. */
  grow(sizeBytes: number): void {
    if (this.#views.length > 0) throw new RangeError(`disk ${this.id} has snapshots and cannot grow`);
    if (!(sizeBytes > this.sizeBytes)) throw new RangeError(`disk ${this.id}: ${sizeBytes} is not more`);
    const old = this.#disk;
    const grown = this.#store.create(`grown/${sizeBytes}/${this.id}`, sizeBytes);
    for (const { offset, length } of old.extents()) {
      for (let done = 0; done < length; done += blockBytes) {
        const size = Math.min(blockBytes, length - done);
        grown.write(offset + done, old.read(offset + done, size));
      }
    }
    this.#disk = grown;
    this.#store.delete(old.id);
  }

  /** With all views and all bytes. */
  remove(): void {
    for (const view of this.#views.splice(0)) view.drop();
    this.#store.delete(this.#disk.id);
  }

  #afterView(view: View, block: number): Uint8Array {
    for (const newer of this.#views.slice(this.#views.indexOf(view) + 1)) {
      if (newer.has(block)) return newer.block(block);
    }
    return this.#block(block);
  }

  #block(block: number): Uint8Array {
    const offset = block * blockBytes;
    return this.#disk.read(offset, Math.min(blockBytes, this.sizeBytes - offset));
  }
}

interface Frozen {
  readonly sizeBytes: number;
  readonly extents: readonly Extent[];
  readonly generation: number;
  /** A block that was not written while this was the newest view. */
  newer(block: number): Uint8Array;
}

class View implements FrozenDisk {
  readonly id: string;
  readonly generation: number;
  readonly #store: DiskStore;
  readonly #frozen: Frozen;
  readonly #blocks = new Set<number>();
  /** Made with the first block that is saved: most snapshots of a test never need one. */
  #saved: Disk | undefined;

  constructor(store: DiskStore, id: string, frozen: Frozen) {
    this.id = id;
    this.generation = frozen.generation;
    this.#store = store;
    this.#frozen = frozen;
  }

  get sizeBytes(): number {
    return this.#frozen.sizeBytes;
  }
  get blocks(): ReadonlySet<number> {
    return this.#blocks;
  }

  has(block: number): boolean {
    return this.#blocks.has(block);
  }

  save(block: number, bytes: Uint8Array): void {
    this.#saved ??= this.#store.create(this.id, this.sizeBytes);
    this.#saved.write(block * blockBytes, bytes);
    this.#blocks.add(block);
  }

  block(block: number): Uint8Array {
    if (this.#saved === undefined || !this.#blocks.has(block)) return this.#frozen.newer(block);
    const offset = block * blockBytes;
    return this.#saved.read(offset, Math.min(blockBytes, this.sizeBytes - offset));
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.id, this.sizeBytes, offset, length);
    const bytes = new Uint8Array(length);
    const { first, end } = blockSpan(offset, length);
    for (let block = first; block < end; block += 1) {
      const start = block * blockBytes;
      const from = Math.max(offset, start);
      const to = Math.min(offset + length, start + blockBytes);
      bytes.set(this.block(block).subarray(from - start, to - start), from - offset);
    }
    return bytes;
  }

  extents(): readonly Extent[] {
    return this.#frozen.extents;
  }

  sha256(signal?: AbortSignal): Promise<string> {
    return hashDisk(this, signal);
  }

  drop(): void {
    if (this.#saved !== undefined) this.#store.delete(this.#saved.id);
    this.#saved = undefined;
  }
}
