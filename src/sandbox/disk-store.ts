/**
 * Real bytes behind the simulated disks and claims. Everything is synchronous but hashing: a read or write never gives the simulated
 * clock a reason to jump (design: sandbox.md "Disks and byte-equal").
 */
export interface DiskStore extends Disposable {
  /** A new disk of zeros. Throws when the id exists. */
  create(id: string, sizeBytes: number): Disk;
  get(id: string): Disk | undefined;
  delete(id: string): void;
  readonly ids: readonly string[];
}

export interface Disk {
  readonly id: string;
  readonly sizeBytes: number;
  /** Bytes [offset, offset + length); holes read as zeros. Throws RangeError outside the disk. */
  read(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
  /** Areas that may hold something else than zeros, in order, not touching each other. */
  extents(): readonly Extent[];
  /** Hex sha256 over all sizeBytes, computed in chunks that let other work run in between. */
  sha256(signal?: AbortSignal): Promise<string>;
}

export interface Extent {
  readonly offset: number;
  readonly length: number;
}
