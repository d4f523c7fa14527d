import { createHash } from 'node:crypto';
import { setImmediate as afterThisTurn } from 'node:timers/promises';
import type { Disk } from '../disk-store.ts';
import { makeExt4, type Ext4Maker } from './ext4-image.ts';
import { gpt, mbr, type Partition, type PartitionPart, type Write } from './partition-table.ts';
import { byteStream } from '../seeded-bytes.ts';

const mebibyte = 1_048_576;
/** Data stands in runs of this length at most, with holes between them. */
const longestRunBytes = 2 * mebibyte;
/** Between the last partition and the end, for the copy of a GPT. */
const tailBytes = mebibyte;

/** What is on a disk when a demo begins: a partition table, and about `dataBytes` in its partitions. */
export interface DiskContent {
  readonly table: 'mbr' | 'gpt';
  /** linux: ext4 with files, where mke2fs is there. windows: runs of bytes with holes, since nothing here can make NTFS. */
  readonly files: 'linux' | 'windows' | 'none';
  readonly dataBytes: number;
}

export interface FillOptions {
  /** The same label and seed, the same bytes. */
  readonly seed: number;
  readonly label: string;
  /** Makes file systems; undefined: there is no mke2fs. */
  readonly ext4?: Ext4Maker;
}

/** Writes the content. Gives way to other work in between; rejects with the signal's reason. */
export async function fillDisk(
  disk: Disk,
  content: DiskContent,
  options: FillOptions,
  signal: AbortSignal,
): Promise<void> {
  const seed = `${options.seed} ${options.label}`;
  const partitions = partitionsOf(disk.sizeBytes, content);
  const data = partitions.reduce((sum, { length }) => sum + length, 0);
  for (const write of tableOf(disk.sizeBytes, content, partitions, seed))
    disk.write(write.offset, write.bytes);
  for (const partition of partitions) {
    const share = Math.floor((content.dataBytes * partition.length) / data);
    const part = { disk, partition, dataBytes: share, seed: `${seed} ${partition.name}` };
    const made =
      content.files === 'linux' && options.ext4 !== undefined
        ? await makeExt4(part, options.label, options.ext4, signal)
        : false;
    if (!made) await fillWithRuns(part, signal);
  }
}

function tableOf(
  sizeBytes: number,
  content: DiskContent,
  partitions: readonly Partition[],
  seed: string,
): readonly Write[] {
  if (content.table === 'gpt') return gpt(sizeBytes, partitions, seed);
  return [mbr(partitions, createHash('sha256').update(seed).digest().readUInt32LE())];
}

/** Aligned to 1 MiB. Large Linux disks get a second partition, so that data is found on all of the disk. */
function partitionsOf(sizeBytes: number, { table, files }: DiskContent): readonly Partition[] {
  if (sizeBytes < 4 * mebibyte) {
    const offset = 64 * 1024;
    return [{ offset, length: sizeBytes - 2 * offset, type: 'linux', name: 'root' }];
  }
  const end = sizeBytes - tailBytes;
  const first = mebibyte;
  const isSplit =
    (files === 'linux' && sizeBytes >= 512 * mebibyte) || (files === 'windows' && table === 'gpt');
  const whole = files === 'windows' ? 'data' : 'linux';
  if (!isSplit) return [{ offset: first, length: end - first, type: whole, name: 'root' }];
  const share = files === 'windows' ? 1 / 8 : 1 / 2;
  const middle = first + Math.floor(((end - first) * share) / mebibyte) * mebibyte;
  return [
    { offset: first, length: middle - first, type: files === 'windows' ? 'efi' : 'linux', name: 'root' },
    { offset: middle, length: end - middle, type: whole, name: 'data' },
  ];
}

/** Runs of bytes at even distances. */
async function fillWithRuns(
  { disk, partition, dataBytes, seed }: PartitionPart,
  signal: AbortSignal,
): Promise<void> {
  const wanted = Math.min(dataBytes, partition.length);
  const runs = Math.max(1, Math.ceil(wanted / longestRunBytes), Math.min(4, Math.floor(wanted / 65_536)));
  const runBytes = Math.floor(wanted / runs / 512) * 512;
  const distance = Math.floor(partition.length / runs / 65_536) * 65_536;
  const bytes = byteStream(seed);
  for (let run = 0; run < runs; run += 1) {
    signal.throwIfAborted();
    disk.write(partition.offset + run * distance, bytes(runBytes));
    await afterThisTurn();
  }
}
