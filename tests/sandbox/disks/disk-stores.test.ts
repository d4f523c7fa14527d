import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createFileDiskStore } from '../../../src/sandbox/disk-file.ts';
import { createMemoryDiskStore } from '../../../src/sandbox/disk-memory.ts';
import type { DiskStore } from '../../../src/sandbox/disk-store.ts';

const block = 65_536;
const folder = mkdtempSync(join(tmpdir(), 'disk-stores-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let stores = 0;

const kinds: readonly { readonly name: string; readonly make: () => DiskStore }[] = [
  { name: 'in memory', make: createMemoryDiskStore },
  { name: 'in files', make: () => createFileDiskStore(join(folder, String((stores += 1)))) },
];

describe.each(kinds)('disks $name', ({ make }) => {
  test('a new disk is all zeros and has no extents', () => {
    using store = make();
    const disk = store.create('a', 3 * block + 5);
    expect(disk.read(0, disk.sizeBytes)).toEqual(new Uint8Array(3 * block + 5));
    expect(disk.extents()).toEqual([]);
  });

  test('what is written is read again, and extents cover it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 * block }),
        fc.array(fc.record({ at: fc.nat(), length: fc.nat(100_000), fill: fc.nat(255) }), { maxLength: 6 }),
        (size, writes) => {
          using store = make();
          const disk = store.create('a', size);
          const model = new Uint8Array(size);
          for (const { at, length, fill } of writes) {
            const offset = at % size;
            const bytes = new Uint8Array(Math.min(length, size - offset)).fill(fill);
            disk.write(offset, bytes);
            model.set(bytes, offset);
          }
          expect(Buffer.compare(disk.read(0, size), model)).toBe(0);
          const covered = new Uint8Array(size);
          let end = -1;
          for (const extent of disk.extents()) {
            expect(extent.offset).toBeGreaterThan(end);
            end = extent.offset + extent.length;
            expect(end).toBeLessThanOrEqual(size);
            covered.set(model.subarray(extent.offset, end), extent.offset);
          }
          expect(Buffer.compare(covered, model)).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('zeros written to a hole leave it a hole', () => {
    using store = make();
    const disk = store.create('a', 4 * block);
    disk.write(block, new Uint8Array(block));
    expect(disk.extents()).toEqual([]);
    disk.write(2 * block + 7, Uint8Array.of(1));
    expect(disk.extents()).toEqual([{ offset: 2 * block, length: block }]);
  });

  test('zeros written over data erase it', () => {
    using store = make();
    const disk = store.create('a', block);
    disk.write(0, new Uint8Array(block).fill(9));
    disk.write(0, new Uint8Array(block));
    expect(disk.read(0, block)).toEqual(new Uint8Array(block));
  });

  test('bytes given to a disk and got from it are copies', () => {
    using store = make();
    const disk = store.create('a', 10);
    const bytes = Uint8Array.of(1, 2, 3);
    disk.write(0, bytes);
    bytes.fill(9);
    disk.read(0, 3).fill(7);
    expect(disk.read(0, 3)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('anything outside the disk is refused and changes nothing', () => {
    using store = make();
    const disk = store.create('a', 10);
    expect(() => disk.read(8, 3)).toThrow(RangeError);
    expect(() => disk.read(-1, 1)).toThrow(RangeError);
    expect(() => disk.write(9, Uint8Array.of(1, 2))).toThrow(RangeError);
    expect(() => store.create('b', -1)).toThrow(RangeError);
    expect(disk.extents()).toEqual([]);
    expect(store.ids).toEqual(['a']);
  });

  test('an id is used once at a time, and a disk made again is empty', () => {
    using store = make();
    store.create('a', 10).write(0, Uint8Array.of(1));
    expect(() => store.create('a', 10)).toThrow('exists already');
    store.delete('a');
    store.delete('a');
    expect(store.get('a')).toBeUndefined();
    expect(store.create('a', 20).read(0, 1)).toEqual(Uint8Array.of(0));
    expect(store.get('a')?.sizeBytes).toBe(20);
  });

  test('the hash is that of all bytes, holes as zeros', async () => {
    using store = make();
    const disk = store.create('a', 5 * 1_048_576 + 3);
    disk.write(5 * 1_048_576, Uint8Array.of(1, 2, 3));
    const wanted = createHash('sha256').update(disk.read(0, disk.sizeBytes)).digest('hex');
    expect(await disk.sha256()).toBe(wanted);
  });

  test('hashing ends when it is aborted', async () => {
    using store = make();
    const abort = new AbortController();
    const hashing = store.create('a', 64 * 1_048_576).sha256(abort.signal);
    abort.abort(new Error('enough'));
    await expect(hashing).rejects.toThrow('enough');
  });

  test('ids with slashes and of great length are fine', () => {
    using store = make();
    const id = `claim/${'n'.repeat(63)}/${'x'.repeat(253)}/uid`;
    store.create(id, 10).write(1, Uint8Array.of(5));
    store.create(`${id}2`, 10);
    expect(store.get(id)?.read(1, 1)).toEqual(Uint8Array.of(5));
    expect(store.get(`${id}2`)?.read(1, 1)).toEqual(Uint8Array.of(0));
  });
});

describe('disks in files', () => {
  test('a file is sparse, and is gone with its disk and with its store', () => {
    const directory = join(folder, 'sparse');
    const store = createFileDiskStore(directory);
    const disk = store.create('big', 1_073_741_824);
    disk.write(1_073_741_823, Uint8Array.of(1));
    store.create('other', 10);
    const names = readdirSync(directory);
    expect(names).toHaveLength(2);
    const big = statSync(
      join(
        directory,
        names.find((name) => name.includes('big'))!,
      ),
    );
    expect(big.size).toBe(1_073_741_824);
    expect(big.blocks * 512).toBeLessThan(1_048_576);
    store.delete('big');
    expect(readdirSync(directory)).toHaveLength(1);
    store[Symbol.dispose]();
    expect(readdirSync(directory)).toEqual([]);
  });
});
