import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate as afterThisTurn } from 'node:timers/promises';
import { basename } from 'node:path';
import { blockBytes, checkRange, extentsOf, isZero } from '../disk-blocks.ts';
import type { Extent } from '../disk-store.ts';
import { DemoError } from './demo-error.ts';

/** A raw disk image of the user's, opened read-only. Disposing of it closes the file. */
export interface ImageFile extends Disposable {
  readonly path: string;
  readonly sizeBytes: number;
  read(offset: number, length: number): Uint8Array;
  /** Areas with something else than zeros, in blocks of 64 KiB. Reads the whole image. Rejects with the signal's reason. */
  scan(signal: AbortSignal): Promise<readonly Extent[]>;
}

const sectorBytes = 512;
const leastBytes = 1_048_576;
const scanBytes = 4 * 1_048_576;

/** How other formats begin: name as `qemu-img convert -f` takes it, and the bytes at their place. */
const formats: readonly { readonly name: string; readonly at: number; readonly magic: string }[] = [
  { name: 'qcow2', at: 0, magic: 'QFI\u00fb' },
  { name: 'vmdk', at: 0, magic: 'KDMV' },
  { name: 'vmdk', at: 0, magic: 'COWD' },
  { name: 'vmdk', at: 0, magic: '# Disk DescriptorFile' },
  { name: 'vhdx', at: 0, magic: 'vhdxfile' },
  { name: 'vpc', at: 0, magic: 'conectix' },
  { name: 'vdi', at: 64, magic: '\u007f\u0010\u00da\u00be' },
  { name: 'qed', at: 0, magic: 'QED\u0000' },
];
const packed: readonly { readonly name: string; readonly tool: string; readonly magic: string }[] = [
  { name: 'gzip', tool: 'gunzip --keep', magic: '\u001f\u008b' },
  { name: 'xz', tool: 'unxz --keep', magic: '\u00fd7zXZ\u0000' },
  { name: 'zstd', tool: 'unzstd --keep', magic: '(\u00b5/\u00fd' },
  { name: 'bzip2', tool: 'bunzip2 --keep', magic: 'BZh' },
];

/** Throws DemoError: `ImageNotFound`, `ImageNotReadable`, `ImageNotRegular`, `ImageFormat`, `ImageSize`. */
export function openImage(path: string): ImageFile {
  const file = openReadOnly(path);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) {
      throw new DemoError('ImageNotRegular', `${path} is no regular file: give a raw disk image.`);
    }
    const head = new Uint8Array(sectorBytes);
    readSync(file, head, 0, head.length, 0);
    checkFormat(path, head);
    checkImageSize(path, stat.size);
    return new OpenImage(path, file, stat.size);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function openReadOnly(path: string): number {
  try {
    // Not blocking: a pipe that nobody writes to would else be waited for.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new DemoError('ImageNotFound', `There is no file ${path}.`, { cause: error });
    }
    throw new DemoError('ImageNotReadable', `${path} cannot be read (${message}).`, { cause: error });
  }
}

/** Throws DemoError `ImageFormat` unless the image may be a raw one. `head`: its first sector. */
export function checkFormat(path: string, head: Uint8Array): void {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  const format = formats.find(({ at, magic }) => text.startsWith(magic, at));
  if (format !== undefined) {
    throw new DemoError(
      'ImageFormat',
      `${path} is a ${format.name} image and a raw one is needed: run "${convertCommand(path, format.name)}" and give the new file.`,
    );
  }
  const archive = packed.find(({ magic }) => text.startsWith(magic));
  if (archive !== undefined) {
    throw new DemoError(
      'ImageFormat',
      `${path} is compressed with ${archive.name} and a raw image is needed: run "${archive.tool} ${quoted(path)}", ` +
        `then "${convertCommand(unpackedName(path), undefined)}" unless what came out is raw, and give that file.`,
    );
  }
}

/** Throws DemoError `ImageSize`. */
export function checkImageSize(path: string, sizeBytes: number): void {
  if (sizeBytes < leastBytes) {
    throw new DemoError('ImageSize', `${path} has ${sizeBytes} bytes: a disk of 1 MiB or more is needed.`);
  }
  if (sizeBytes % sectorBytes === 0) return;
  const whole = Math.ceil(sizeBytes / sectorBytes) * sectorBytes;
  throw new DemoError(
    'ImageSize',
    `${path} has ${sizeBytes} bytes, which is no multiple of ${sectorBytes}: run "${convertCommand(path, 'raw')}", ` +
      `which fills it up to ${whole}, and give the new file.`,
  );
}

function convertCommand(path: string, from: string | undefined): string {
  const format = from === undefined ? '' : `-f ${from} `;
  const target = path.replace(/\.(qcow2?|vmdk|vhdx?|vdi|qed|img|raw)$/i, '');
  return `qemu-img convert ${format}-O raw ${quoted(path)} ${quoted(`${basename(target)}-raw.img`)}`;
}

function unpackedName(path: string): string {
  return path.replace(/\.(gz|xz|zst|bz2)$/i, '');
}

/** As a shell would take it. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

class OpenImage implements ImageFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #file: number;

  constructor(path: string, file: number, sizeBytes: number) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.#file = file;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.path, this.sizeBytes, offset, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = readSync(this.#file, bytes, done, length - done, offset + done);
      if (count === 0) throw new DemoError('ImageChanged', `${this.path} became shorter while it was read.`);
      done += count;
    }
    return bytes;
  }

  async scan(signal: AbortSignal): Promise<readonly Extent[]> {
    const blocks: number[] = [];
    for (let offset = 0; offset < this.sizeBytes; offset += scanBytes) {
      signal.throwIfAborted();
      const bytes = this.read(offset, Math.min(scanBytes, this.sizeBytes - offset));
      for (let at = 0; at < bytes.length; at += blockBytes) {
        if (!isZero(bytes.subarray(at, at + blockBytes))) blocks.push((offset + at) / blockBytes);
      }
      await afterThisTurn();
    }
    return extentsOf(blocks, this.sizeBytes);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
