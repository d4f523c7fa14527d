import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cpioArchive } from '../../hack/testbed/guest/cpio.ts';
import { parseReport } from '../../hack/testbed/guest/init.ts';
import { modulesInOrder } from '../../hack/testbed/guest/kernel-modules.ts';
import { WrittenFiles } from '../../hack/testbed/guest/writing.ts';

test('an archive has a header, a name and a content for each entry, each to a multiple of four bytes', () => {
  const bytes = Buffer.from(
    cpioArchive([
      { path: 'bin', mode: 0o755 },
      { path: 'bin/x', mode: 0o644, content: Buffer.from('hello') },
    ]),
  );
  const entries: (readonly [string, string, string])[] = [];
  for (let at = 0; at < bytes.length;) {
    expect(bytes.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index: number): number =>
      parseInt(bytes.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = bytes.toString('latin1', at + 110, at + 110 + nameSize - 1);
    const content = at + Math.ceil((110 + nameSize) / 4) * 4;
    entries.push([name, mode.toString(8), bytes.toString('latin1', content, content + size)]);
    at = content + Math.ceil(size / 4) * 4;
  }
  expect(entries).toEqual([
    ['bin', '40755', ''],
    ['bin/x', '100644', 'hello'],
    ['TRAILER!!!', '0', ''],
  ]);
});

test('modules come after what they depend on, each once, and those of the kernel itself are no files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-modules-'));
  try {
    const module = (name: string, depends: string) =>
      writeFile(join(folder, `${name}.ko`), `ELF\0name=${name}\0depends=${depends}\0retpoline=Y\0`);
    await module('disk-driver', 'bus_driver,common');
    await module('bus_driver', 'common');
    await module('common', '');
    const paths = await modulesInOrder(folder, ['disk_driver', 'common', 'builtin']);
    expect(paths).toEqual(['common', 'bus_driver', 'disk-driver'].map((name) => join(folder, `${name}.ko`)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const told = [
  'Loading Linux',
  '',
  'GUEST-BEGIN',
  'firmware efi',
  'cpus 2',
  'memory 1000',
  'uuid 4213',
  'serial VMware-42 13',
  'disk vda virtio 1048576 abc',
  'disk sdb sata 512 ',
  'nic 00:50:56:00:00:01 virtio_net',
  'root /dev/vda2',
  'file 0ac2 ./etc/hostname',
  'file 0a4e ./srv/data of two words',
  'GUEST-END',
].join('\r\n');

test('what a guest tells on its console is read', () => {
  expect(parseReport(told)).toEqual({
    firmware: 'efi',
    cpus: 2,
    memoryBytes: 1_024_000,
    uuid: '4213',
    serial: 'VMware-42 13',
    disks: [
      { name: 'vda', bus: 'virtio', sizeBytes: 1_048_576, serial: 'abc' },
      { name: 'sdb', bus: 'sata', sizeBytes: 512, serial: '' },
    ],
    nics: [{ mac: '00:50:56:00:00:01', driver: 'virtio_net' }],
    root: '/dev/vda2',
    files: { 'etc/hostname': '0ac2', 'srv/data of two words': '0a4e' },
  });
});

test('a guest that has not come to its end has told nothing', () => {
  expect(parseReport(told.replace('GUEST-END', ''))).toBeUndefined();
  expect(parseReport('')).toBeUndefined();
});

test('what a guest has written is what it told last of each file that is still there', () => {
  const [one, other] = ['1'.repeat(64), '2'.repeat(64)];
  const written = new WrittenFiles();
  written.read('Loading Linux');
  expect(written.hasBegun).toBe(false);
  for (const line of ['GUEST-WRITES', `wrote ${one} var/a`, `wrote ${one} var/b`, `wrote ${other} var/a`])
    written.read(line);
  written.read('removed var/b');
  // Cut off in the middle.
  written.read(`wrote ${one.slice(1)} var/c`);
  expect(written).toMatchObject({ hasBegun: true, total: 3, files: { 'var/a': other } });
});
