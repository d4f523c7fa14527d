import type { Clock } from '../runtime/clock.ts';
import { blockBytes } from './disk-blocks.ts';
import type { Disk, Extent } from './disk-store.ts';
import { seededRandom } from './random.ts';
import { byteStream } from './seeded-bytes.ts';
import type { VmHandle } from './vcenter/vm-handle.ts';

export interface GuestOptions {
  readonly vm: Pick<VmHandle, 'name' | 'power' | 'disks'>;
  readonly clock: Clock;
  /** The same seed, the same blocks in the same order; when each is written is the clock's affair. */
  readonly seed: number;
  /** Over all its disks together. */
  readonly bytesPerSecond: number;
  /** Where it writes on each of its disks, in their order, and nowhere else: whole blocks of 64 KiB in there. Default: anywhere. */
  readonly areas?: readonly (readonly Extent[])[];
  /** Milliseconds between two bursts of writing. */
  readonly everyMs?: number;
}

const usualEveryMs = 100;
/** What it could not write in time, because the process was busy, it writes later, so much in one go at most: nobody else waits for long. */
const burstBytes = 4 * 1_048_576;

/**
 * A guest that writes to its disks for as long as it runs: bytes from a seed, in blocks of 64 KiB at drawn places. It begins at once,
 * writes only while its VM is powered on, and goes on when that is on again, until it is disposed of.
 */
export class WritingGuest implements Disposable {
  readonly #options: GuestOptions;
  /** By disk. */
  readonly #blocks: readonly (readonly number[])[];
  readonly #random: () => number;
  readonly #bytes: (length: number) => Uint8Array;
  #timer: Disposable | undefined;
  #lastMs: number;
  /** Bytes that are to be written. */
  #due = 0;
  #written = 0;

  /** Throws RangeError for an area that has no whole block. */
  constructor(options: GuestOptions) {
    const { vm, clock, seed } = options;
    const areas = options.areas ?? vm.disks.map(({ disk }) => [{ offset: 0, length: disk.sizeBytes }]);
    this.#options = options;
    this.#blocks = areas.map((extents) => extents.flatMap(wholeBlocks));
    if (this.#blocks.length === 0 || this.#blocks.some(({ length }) => length === 0))
      throw new RangeError(`the guest of ${vm.name} has no whole block to write in`);
    this.#random = seededRandom(seed);
    this.#bytes = byteStream(`guest ${seed} ${vm.name}`);
    this.#lastMs = clock.monotonicMs();
    this.#arm();
  }

  /** Bytes so far. */
  get written(): number {
    return this.#written;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #arm(): void {
    const { clock, everyMs = usualEveryMs } = this.#options;
    this.#timer = clock.setTimeout(() => {
      this.#arm();
      this.#tick();
    }, everyMs);
  }

  #tick(): void {
    const { vm, clock, bytesPerSecond } = this.#options;
    const now = clock.monotonicMs();
    const elapsedMs = now - this.#lastMs;
    this.#lastMs = now;
    if (vm.power !== 'poweredOn') {
      this.#due = 0;
      return;
    }
    this.#due += (bytesPerSecond * elapsedMs) / 1000;
    for (let left = burstBytes; this.#due >= blockBytes && left > 0; left -= blockBytes) {
      this.#write();
      this.#due -= blockBytes;
    }
  }

  #write(): void {
    const { vm } = this.#options;
    const index = Math.floor(this.#random() * this.#blocks.length);
    const blocks = this.#blocks[index] ?? [];
    const block = blocks[Math.floor(this.#random() * blocks.length)];
    const disk = vm.disks[index]?.disk;
    // A disk that was taken out of the VM since.
    if (block === undefined || disk === undefined) return;
    disk.write(block * blockBytes, this.#bytes(blockBytes));
    this.#written += blockBytes;
  }
}

function wholeBlocks({ offset, length }: Extent): readonly number[] {
  const first = Math.ceil(offset / blockBytes);
  const count = Math.max(0, Math.floor((offset + length) / blockBytes) - first);
  return Array.from({ length: count }, (_, index) => first + index);
}

/** From start and end of a disk, where tables of partitions stand. */
const marginBytes = 1_048_576;

/**
 * Room for a guest to write without harm to what is on the disk: its holes, the largest first, `mostBytes` of them at most; where there
 * is none of a mebibyte, the last quarter of the disk.
 */
export function freeAreas(disk: Pick<Disk, 'sizeBytes' | 'extents'>, mostBytes: number): readonly Extent[] {
  const holes = holesOf(disk).filter(({ length }) => length >= marginBytes);
  let left = mostBytes;
  const areas: Extent[] = [];
  for (const { offset, length } of holes.toSorted((a, b) => b.length - a.length)) {
    if (left < blockBytes) break;
    areas.push({ offset, length: Math.min(length, left) });
    left -= length;
  }
  if (areas.length > 0) return areas;
  const quarter = Math.max(blockBytes, Math.floor(disk.sizeBytes / 4 / blockBytes) * blockBytes);
  const offset = Math.max(0, Math.floor((disk.sizeBytes - quarter) / blockBytes) * blockBytes);
  return [{ offset, length: Math.min(quarter, mostBytes, disk.sizeBytes - offset) }];
}

function holesOf(disk: Pick<Disk, 'sizeBytes' | 'extents'>): readonly Extent[] {
  const end = disk.sizeBytes - marginBytes;
  const holes: Extent[] = [];
  let at = marginBytes;
  for (const { offset, length } of [...disk.extents(), { offset: end, length: 0 }]) {
    const upTo = Math.min(offset, end);
    if (upTo > at) holes.push({ offset: at, length: upTo - at });
    at = Math.max(at, offset + length);
  }
  return holes;
}
