import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Disk } from '../disk-store.ts';

export interface Partition {
  /** Bytes, whole sectors. */
  readonly offset: number;
  readonly length: number;
  readonly type: keyof typeof gptTypes;
  readonly name: string;
}

/** One partition of a disk, and how much of it is to hold data. */
export interface PartitionPart {
  readonly disk: Disk;
  readonly partition: Partition;
  readonly dataBytes: number;
  readonly seed: string;
}

const sectorBytes = 512;
const entryBytes = 128;
const entryCount = 128;
const tableSectors = (entryBytes * entryCount) / sectorBytes;

/** In the byte order of the disk. */
const gptTypes = {
  linux: 'af3dc60f838472478e793d69d8477de4',
  efi: '28732ac11ff8d211ba4b00a0c93ec93b',
  data: 'a2a0d0ebe5b9334487c068b6b72699c7',
};
const mbrTypes = { linux: 0x83, efi: 0xef, data: 0x07 };

export interface Write {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A master boot record with up to four partitions, the first of them active. */
export function mbr(partitions: readonly Partition[], signature: number): Write {
  const bytes = Buffer.alloc(sectorBytes);
  bytes.writeUInt32LE(signature >>> 0, 440);
  for (const [index, partition] of partitions.slice(0, 4).entries()) {
    writeMbrEntry(bytes, 446 + 16 * index, {
      status: index === 0 ? 0x80 : 0,
      type: mbrTypes[partition.type],
      first: partition.offset / sectorBytes,
      sectors: partition.length / sectorBytes,
    });
  }
  bytes.writeUInt16LE(0xaa55, 510);
  return { offset: 0, bytes };
}

/** A GUID partition table with its copy at the end of the disk. GUIDs are made of `seed`. */
export function gpt(sizeBytes: number, partitions: readonly Partition[], seed: string): readonly Write[] {
  const lastSector = sizeBytes / sectorBytes - 1;
  const entries = Buffer.alloc(entryBytes * entryCount);
  for (const [index, partition] of partitions.entries()) {
    const at = entryBytes * index;
    entries.write(gptTypes[partition.type], at, 'hex');
    guid(`${seed} ${index}`).copy(entries, at + 16);
    entries.writeBigUInt64LE(BigInt(partition.offset / sectorBytes), at + 32);
    entries.writeBigUInt64LE(BigInt((partition.offset + partition.length) / sectorBytes - 1), at + 40);
    entries.write(partition.name.slice(0, 36), at + 56, 'utf16le');
  }
  const header = (own: number, other: number, table: number): Buffer => {
    const bytes = Buffer.alloc(sectorBytes);
    bytes.write('EFI PART', 0, 'latin1');
    bytes.writeUInt32LE(0x0001_0000, 8);
    bytes.writeUInt32LE(92, 12);
    bytes.writeBigUInt64LE(BigInt(own), 24);
    bytes.writeBigUInt64LE(BigInt(other), 32);
    bytes.writeBigUInt64LE(BigInt(2 + tableSectors), 40);
    bytes.writeBigUInt64LE(BigInt(lastSector - tableSectors - 1), 48);
    guid(seed).copy(bytes, 56);
    bytes.writeBigUInt64LE(BigInt(table), 72);
    bytes.writeUInt32LE(entryCount, 80);
    bytes.writeUInt32LE(entryBytes, 84);
    bytes.writeUInt32LE(crc32(entries), 88);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 92)), 16);
    return bytes;
  };
  const protective = Buffer.alloc(sectorBytes);
  writeMbrEntry(protective, 446, { status: 0, type: 0xee, first: 1, sectors: lastSector });
  protective.writeUInt16LE(0xaa55, 510);
  const copyAt = lastSector - tableSectors;
  return [
    { offset: 0, bytes: protective },
    { offset: sectorBytes, bytes: header(1, lastSector, 2) },
    { offset: 2 * sectorBytes, bytes: entries },
    { offset: copyAt * sectorBytes, bytes: entries },
    { offset: lastSector * sectorBytes, bytes: header(lastSector, 1, copyAt) },
  ];
}

function writeMbrEntry(
  bytes: Buffer,
  at: number,
  entry: { readonly status: number; readonly type: number; readonly first: number; readonly sectors: number },
): void {
  bytes.writeUInt8(entry.status, at);
  // Cylinders, heads and sectors are beyond what they can say: all ones means "use the sector numbers".
  bytes.set([0xfe, 0xff, 0xff], at + 1);
  bytes.writeUInt8(entry.type, at + 4);
  bytes.set([0xfe, 0xff, 0xff], at + 5);
  bytes.writeUInt32LE(entry.first, at + 8);
  bytes.writeUInt32LE(Math.min(entry.sectors, 0xffff_ffff), at + 12);
}

/** A version 4 GUID, the same for the same seed, in the byte order of the disk. */
function guid(seed: string): Buffer {
  const bytes = createHash('sha256').update(seed).digest().subarray(0, 16);
  bytes.writeUInt8(((bytes[7] ?? 0) & 0x0f) | 0x40, 7);
  bytes.writeUInt8(((bytes[8] ?? 0) & 0x3f) | 0x80, 8);
  return bytes;
}

/** The same as text, for mke2fs. */
export function guidText(seed: string): string {
  const hex = guid(seed).toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}
