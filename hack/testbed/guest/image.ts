import { createHash } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { byteStream } from '../../../src/sandbox/seeded-bytes.ts';
import { gpt, guidText, mbr, type Partition, type Write } from '../../../src/sandbox/demo/partition-table.ts';
import { cacheFolder, type Environment } from '../build/cache.ts';
import { runCommand } from '../cell/run-command.ts';
import { cpioArchive, type CpioEntry } from './cpio.ts';
import { initScript, rootLabel } from './init.ts';
import type { GuestParts } from './parts.ts';

/** By what firmware a guest is to be booted. */
export type GuestFirmware = 'bios' | 'efi';

/** A disk that boots by itself. */
export interface GuestImage {
  readonly firmware: GuestFirmware;
  /** Raw, sparse. Never to be written to: it is kept. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 of the files of its root, by path: "srv/data". */
  readonly files: Readonly<Record<string, string>>;
}

const mebibyte = 2 ** 20;
const pieceBytes = 65_536;
const seed = 'guest';
const bootPartition: Partition = { offset: mebibyte, length: 48 * mebibyte, type: 'efi', name: 'boot' };
const rootPartition: Partition = {
  offset: 49 * mebibyte,
  length: 64 * mebibyte,
  type: 'linux',
  name: 'root',
};
/** One more for the copy of a GPT. */
const diskBytes = 114 * mebibyte;
const commandLine = 'console=ttyS0,115200 quiet loglevel=3 panic=-1';

/** The image, from the cache or made now out of the parts. */
export async function provideGuestImage(
  firmware: GuestFirmware,
  parts: GuestParts,
  env: Environment,
  signal: AbortSignal,
): Promise<GuestImage> {
  const recipe = createHash('sha256');
  for (const text of [initScript, commandLine, seed, String(diskBytes), ...parts.moduleOrder])
    recipe.update(`${text}\0`);
  for (const path of [import.meta.filename, parts.kernel, parts.busybox]) recipe.update(await readFile(path));
  const folder = join(cacheFolder(env), `guest-${firmware}-${recipe.digest('hex').slice(0, 16)}`);
  const path = join(folder, 'disk.img');
  const told = join(folder, 'files.json');
  if ((await stat(folder).catch(() => undefined)) === undefined) {
    const temporary = await mkdtemp(join(dirname(folder), 'tmp-guest-'));
    try {
      const made = join(temporary, 'made');
      await mkdir(made);
      const files = await makeImage(join(made, 'disk.img'), temporary, firmware, parts, signal);
      await writeFile(join(made, 'files.json'), JSON.stringify(files));
      // Whoever was quicker has the same.
      await rename(made, folder).catch(async (error: unknown) => {
        if ((await stat(folder).catch(() => undefined)) === undefined) throw error;
      });
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
  const files = JSON.parse(await readFile(told, 'utf8')) as GuestImage['files'];
  return { firmware, path, sizeBytes: diskBytes, files };
}

async function makeImage(
  path: string,
  scratch: string,
  firmware: GuestFirmware,
  parts: GuestParts,
  signal: AbortSignal,
): Promise<GuestImage['files']> {
  const root = join(scratch, 'root');
  const files = await writeRootFiles(root);
  const [boot, ext4] = [join(scratch, 'boot.img'), join(scratch, 'root.img')];
  await makeBootFileSystem(boot, scratch, firmware, parts, signal);
  const uuid = guidText(seed);
  await runCommand(
    'mke2fs',
    [
      ...['-q', '-F', '-t', 'ext4', '-m', '0', '-L', rootLabel, '-U', uuid],
      ...['-E', `hash_seed=${uuid},root_owner=0:0`, '-d', root, ext4, `${rootPartition.length / 1024}k`],
    ],
    {},
    signal,
  );
  await using disk = await open(path, 'w');
  await disk.truncate(diskBytes);
  const partitions = [bootPartition, rootPartition];
  if (firmware === 'efi') for (const part of gpt(diskBytes, partitions, seed)) await put(disk, part);
  else {
    await put(disk, mbr(partitions, 0x6761_6e74));
    await put(disk, { offset: 0, bytes: await readFile(parts.masterBootCode) });
  }
  await put(disk, { offset: bootPartition.offset, bytes: await readFile(boot) });
  await put(disk, { offset: rootPartition.offset, bytes: await readFile(ext4) });
  return files;
}

/** What is all zeros stays a hole. */
async function put(disk: FileHandle, { offset, bytes }: Write): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    if (piece.some((byte) => byte !== 0)) await disk.write(piece, 0, piece.length, offset + at);
  }
}

/** Text, data that no compression makes smaller, names that are odd, and a file with a hole. */
async function writeRootFiles(root: string): Promise<GuestImage['files']> {
  const bytes = byteStream(seed);
  const hole = Buffer.alloc(3 * mebibyte);
  hole.set(bytes(1000), 2 * mebibyte);
  const contents: Readonly<Record<string, Uint8Array>> = {
    'etc/hostname': Buffer.from('guest\n'),
    'srv/data': bytes(6 * mebibyte),
    'srv/more/data of two words': bytes(12_345),
    'srv/Zürich': bytes(1),
    'srv/empty': new Uint8Array(),
    'srv/hole': hole,
  };
  const hashes: [string, string][] = [];
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    hashes.push([path, createHash('sha256').update(content).digest('hex')]);
  }
  return Object.fromEntries(hashes);
}

/** A FAT file system with kernel, first file system and boot loader. */
async function makeBootFileSystem(
  image: string,
  scratch: string,
  firmware: GuestFirmware,
  parts: GuestParts,
  signal: AbortSignal,
): Promise<void> {
  const file = (name: string): string => join(scratch, name);
  const run = (...words: readonly string[]) =>
    // mtools takes a size that it has not been told of for a mistake.
    runCommand(
      'env',
      [`PATH=${parts.programs}:${process.env['PATH'] ?? ''}`, 'MTOOLS_SKIP_CHECK=1', ...words],
      {},
      signal,
    );
  const copy = (from: string, to: string) => run('mcopy', '-i', image, from, `::${to}`);
  const sector = 512;
  await writeFile(image, new Uint8Array(bootPartition.length));
  await run(
    ...['mformat', '-i', image, '-v', 'BOOT', '-T', String(bootPartition.length / sector)],
    ...['-H', String(bootPartition.offset / sector), '-h', '64', '-s', '32', '::'],
  );
  await writeFile(file('initrd.gz'), gzipSync(cpioArchive(await firstFiles(parts)), { level: 1 }));
  await copy(parts.kernel, '/vmlinuz');
  await copy(file('initrd.gz'), '/initrd.gz');
  if (firmware === 'bios') {
    const menu = `DEFAULT guest\nLABEL guest\n  KERNEL /vmlinuz\n  APPEND initrd=/initrd.gz ${commandLine}\n`;
    await writeFile(file('syslinux.cfg'), menu);
    await copy(file('syslinux.cfg'), '/syslinux.cfg');
    await run('syslinux', '--install', image);
    return;
  }
  await writeFile(file('loader.conf'), 'default guest.conf\ntimeout 0\n');
  await writeFile(file('guest.conf'), `linux /vmlinuz\ninitrd /initrd.gz\noptions ${commandLine}\n`);
  await run('mmd', '-i', image, '::/EFI', '::/EFI/BOOT', '::/loader', '::/loader/entries');
  await copy(parts.efiLoader, '/EFI/BOOT/BOOTX64.EFI');
  await copy(file('loader.conf'), '/loader/loader.conf');
  await copy(file('guest.conf'), '/loader/entries/guest.conf');
}

async function firstFiles(parts: GuestParts): Promise<readonly CpioEntry[]> {
  const program = 0o755;
  const folders = ['bin', 'modules'].map((path) => ({ path, mode: program }));
  const modules = await Promise.all(
    parts.moduleOrder.map(async (name) => ({
      path: `modules/${name}`,
      mode: 0o644,
      content: await readFile(join(parts.modules, name)),
    })),
  );
  return [
    ...folders,
    { path: 'bin/busybox', mode: program, content: await readFile(parts.busybox) },
    { path: 'init', mode: program, content: Buffer.from(initScript) },
    ...modules,
  ];
}
