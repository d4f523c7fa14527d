import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { DemoDiskStore } from '../../../src/sandbox/demo/demo-disk-store.ts';
import { DemoError } from '../../../src/sandbox/demo/demo-error.ts';
import { openImage } from '../../../src/sandbox/demo/image-file.ts';
import { byteStream } from '../../../src/sandbox/seeded-bytes.ts';
import { createMemoryDiskStore } from '../../../src/sandbox/disk-memory.ts';
import { TestFolder } from './temp.ts';

const mebibyte = 1_048_576;
const never = new AbortController().signal;

function headed(magic: string, at = 0): Buffer {
  const bytes = Buffer.alloc(2 * mebibyte);
  bytes.write(magic, at, 'latin1');
  return bytes;
}

function refusal(path: string): DemoError {
  try {
    openImage(path)[Symbol.dispose]();
  } catch (error) {
    if (error instanceof DemoError) return error;
    throw error;
  }
  throw new Error(`${path} was taken`);
}

describe("a user's image", () => {
  test.each([
    ['disk.qcow2', headed('QFI\u00fb'), 'qcow2'],
    ['disk.vmdk', headed('KDMV'), 'vmdk'],
    ['disk.vmdk', headed('COWD'), 'vmdk'],
    ['disk.vmdk', headed('# Disk DescriptorFile\nversion=1\n'), 'vmdk'],
    ['disk.vhdx', headed('vhdxfile'), 'vhdx'],
    ['disk.vhd', headed('conectix'), 'vpc'],
    ['disk.vdi', headed('\u007f\u0010\u00da\u00be', 64), 'vdi'],
    ['disk.qed', headed('QED\u0000'), 'qed'],
  ])('%s in another format is refused with the command that converts it (%#)', (name, bytes, format) => {
    using folder = new TestFolder();
    const path = folder.file(name, bytes);
    const { code, message } = refusal(path);
    expect(code).toBe('ImageFormat');
    expect(message).toContain(`"qemu-img convert -f ${format} -O raw ${path} disk-raw.img"`);
  });

  test('a compressed one is refused with the commands that unpack and convert it', () => {
    using folder = new TestFolder();
    const path = folder.file('disk.img.gz', gzipSync(Buffer.alloc(mebibyte)));
    const { code, message } = refusal(path);
    expect(code).toBe('ImageFormat');
    expect(message).toContain(`"gunzip --keep ${path}"`);
    expect(message).toContain(`"qemu-img convert -O raw ${path.slice(0, -3)} disk-raw.img"`);
  });

  test('the command can be pasted whatever the name is', () => {
    using folder = new TestFolder();
    const path = folder.file("it's mine.qcow2", headed('QFI\u00fb'));
    expect(refusal(path).message).toContain(`-O raw '${path.replace("'", "'\\''")}' 'it'\\''s mine-raw.img'`);
  });

  test('an odd size is refused with the command that fills it up', () => {
    using folder = new TestFolder();
    const path = folder.file('odd.img', Buffer.alloc(mebibyte + 100));
    const { code, message } = refusal(path);
    expect(code).toBe('ImageSize');
    expect(message).toContain(`"qemu-img convert -f raw -O raw ${path} odd-raw.img"`);
    expect(message).toContain(String(mebibyte + 512));
  });

  test('what is too small, absent or no file is refused', () => {
    using folder = new TestFolder();
    expect(refusal(folder.file('small.img', Buffer.alloc(512))).code).toBe('ImageSize');
    expect(refusal(folder.file('empty.img', '')).code).toBe('ImageSize');
    expect(refusal(folder.file('none.img')).code).toBe('ImageNotFound');
    expect(refusal(folder.path).code).toBe('ImageNotRegular');
    expect(refusal('/dev/null').code).toBe('ImageNotRegular');
  });

  test('is never written: what a disk over it takes goes to an overlay', async () => {
    using folder = new TestFolder();
    const content = Buffer.alloc(2 * mebibyte);
    content.set(byteStream('image')(100_000), 300_000);
    const path = folder.file('disk.img', content);
    using image = openImage(path);
    const extents = await image.scan(never);
    let now = 5;
    using store = new DemoDiskStore(createMemoryDiskStore(), { now: () => now }, { image, extents });

    const disk = store.create('vcenter/vm-1/2000', image.sizeBytes);
    expect(extents).toEqual([{ offset: 262_144, length: 196_608 }]);
    expect(Buffer.compare(disk.read(0, disk.sizeBytes), content)).toBe(0);
    expect(store.writtenAt(disk.id)).toBeUndefined();
    now = 7;
    disk.write(299_999, Buffer.from([1, 2, 3]));
    disk.write(1_500_000, Buffer.from([4]));

    content.set([1, 2, 3], 299_999);
    content.set([4], 1_500_000);
    expect(Buffer.compare(disk.read(0, disk.sizeBytes), content)).toBe(0);
    expect(store.writtenAt(disk.id)).toBe(7);
    expect(disk.extents()).toEqual([
      { offset: 262_144, length: 196_608 },
      { offset: 22 * 65_536, length: 65_536 },
    ]);
    expect(readFileSync(path)[299_999]).toBe(0);
    expect(store.create('claim/ns/x/1', image.sizeBytes).extents()).toEqual([]);
  });
});
