import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../runtime/log.ts';
import type { Disk } from '../disk-store.ts';
import { guidText, type PartitionPart } from './partition-table.ts';
import { byteStream } from '../seeded-bytes.ts';

/** Makes ext4 file systems by mke2fs in a folder of its own. */
export interface Ext4Maker {
  /** Exists; everything made in it is removed again. */
  readonly folder: string;
  /** Where programs are looked for, as in PATH. */
  readonly path: string;
  readonly log: Logger;
}

const mebibyte = 1_048_576;
const pieceBytes = 65_536;
const largestFileBytes = 24 * mebibyte;
/** Administrators' programs are not on everybody's PATH. */
const adminFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/opt/homebrew/opt/e2fsprogs/sbin'];

/**
 * Puts a file system with files into the partition. Resolves to false where there is no mke2fs, or none that does it: the caller has
 * another way. Rejects with the signal's reason; mke2fs is ended then.
 */
export async function makeExt4(
  part: PartitionPart,
  hostname: string,
  maker: Ext4Maker,
  signal: AbortSignal,
): Promise<boolean> {
  const root = join(maker.folder, 'files');
  const image = join(maker.folder, 'ext4.img');
  try {
    writeFiles(root, part, hostname);
    if (!(await runMke2fs(image, root, part, maker, signal))) return false;
    await copyImage(image, part.disk, part.partition.offset, signal);
    return true;
  } finally {
    rmSync(root, { recursive: true, force: true });
    rmSync(image, { force: true });
  }
}

function writeFiles(root: string, { dataBytes, seed, partition }: PartitionPart, hostname: string): void {
  for (const folder of ['etc', 'srv', 'var/log']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'etc/hostname'), `${hostname}\n`);
  writeFileSync(
    join(root, 'etc/motd'),
    `The ${partition.name} file system of ${hostname}, made for a demo.\n`,
  );
  const lines = Array.from({ length: 2000 }, (_, line) => `${line} ${hostname} demo[1]: nothing to report\n`);
  writeFileSync(join(root, 'var/log/messages'), lines.join(''));
  const bytes = byteStream(seed);
  // A part of the room is the file system's own.
  let left = Math.min(dataBytes, Math.floor(partition.length * 0.85));
  for (let number = 1; left > 0; number += 1) {
    const length = Math.min(left, largestFileBytes);
    writeFileSync(join(root, `srv/data-${String(number).padStart(2, '0')}.bin`), bytes(length));
    left -= length;
  }
}

async function runMke2fs(
  image: string,
  root: string,
  { partition, seed }: PartitionPart,
  { path, log }: Ext4Maker,
  signal: AbortSignal,
): Promise<boolean> {
  const uuid = guidText(seed);
  const args = ['-q', '-F', '-t', 'ext4', '-m', '0', '-L', partition.name, '-U', uuid];
  args.push('-E', `hash_seed=${uuid},root_owner=0:0`, '-d', root, image, `${partition.length / 1024}k`);
  const child = spawn('mke2fs', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: [path, ...adminFolders].join(':'), LC_ALL: 'C' },
    signal,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-2000)));
  const code = await new Promise<number | NodeJS.ErrnoException>((resolve) => {
    child.once('error', resolve);
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  signal.throwIfAborted();
  if (code === 0) return true;
  if (typeof code === 'number') log.warn('mke2fs failed, the disk gets no file system', { code, said });
  else log.info('there is no mke2fs, the disk gets no file system', { code: code.code });
  return false;
}

async function copyImage(image: string, disk: Disk, offset: number, signal: AbortSignal): Promise<void> {
  await using file = await open(image, 'r');
  const buffer = Buffer.alloc(mebibyte);
  for (let at = 0; ;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    for (let from = 0; from < bytesRead; from += pieceBytes) {
      // The disk leaves out what is all zeros, piece by piece.
      disk.write(offset + at + from, buffer.subarray(from, Math.min(bytesRead, from + pieceBytes)));
    }
    at += bytesRead;
  }
}
