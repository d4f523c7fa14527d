import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Disk } from '../../../src/sandbox/disk-store.ts';

/** From the public specification of the NBD protocol; numbers are big-endian. */
const magic = { server: 'NBDMAGIC', option: 'IHAVEOPT', answer: 0x3e889045565a9n } as const;
const handshake = { fixedNewstyle: 1, noZeroes: 2 } as const;
const optionGo = 7;
const reply = { acknowledged: 1, info: 3, unsupported: 2 ** 31 + 1 } as const;
const infoExport = 0;
/** Has flags, and can flush. */
const exportFlags = 1 | 4;
const request = { magic: 0x25609513, read: 0, write: 1, disconnect: 2, flush: 3 } as const;
const simpleReply = 0x67446698;
const invalid = 22;

/**
 * A disk of a simulated VM as a network block device, for a QEMU that runs the VM's guest: what the guest writes is written to the
 * disk before it is told so. One client at a time.
 */
export class NbdDisk implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(disk: Disk) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      // Whoever runs the guest sees it end.
      serve(socket, disk).catch(() => socket.destroy());
    });
  }

  /** @param path of the socket. */
  static async serve(disk: Disk, path: string): Promise<NbdDisk> {
    const served = new NbdDisk(disk);
    served.#server.listen(path);
    await once(served.#server, 'listening');
    return served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

async function serve(socket: Socket, disk: Disk): Promise<void> {
  const input = new Input(socket);
  const flags = u16(handshake.fixedNewstyle | handshake.noZeroes);
  socket.write(Buffer.concat([Buffer.from(magic.server + magic.option), flags]));
  await input.take(4);
  await agree(input, socket, disk);
  for (;;) {
    const head = await input.take(28);
    if (head.readUInt32BE(0) !== request.magic) throw new Error('this is no request');
    const type = head.readUInt16BE(6);
    const offset = Number(head.readBigUInt64BE(16));
    const length = head.readUInt32BE(24);
    if (type === request.disconnect) break;
    const bytes = type === request.write ? await input.take(length) : undefined;
    if (bytes !== undefined) disk.write(offset, bytes);
    const isKnown = bytes !== undefined || type === request.read || type === request.flush;
    const answer = [u32(simpleReply), u32(isKnown ? 0 : invalid), head.subarray(8, 16)];
    socket.write(Buffer.concat(type === request.read ? [...answer, disk.read(offset, length)] : answer));
  }
  socket.end();
}

/** Refuses every option but the one that begins. */
async function agree(input: Input, socket: Socket, { sizeBytes }: Disk): Promise<void> {
  for (;;) {
    const head = await input.take(16);
    const option = head.readUInt32BE(8);
    await input.take(head.readUInt32BE(12));
    const answer = (type: number, data = Buffer.alloc(0)): void => {
      socket.write(Buffer.concat([u64(magic.answer), u32(option), u32(type), u32(data.length), data]));
    };
    if (option !== optionGo) {
      answer(reply.unsupported);
      continue;
    }
    answer(reply.info, Buffer.concat([u16(infoExport), u64(BigInt(sizeBytes)), u16(exportFlags)]));
    answer(reply.acknowledged);
    return;
  }
}

/** What a socket brings, in pieces of a wanted length. */
class Input {
  readonly #chunks: AsyncIterator<Buffer>;
  #pending = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Rejects when the socket ends before. */
  async take(length: number): Promise<Buffer> {
    while (this.#pending.length < length) {
      const next = await this.#chunks.next();
      if (next.done === true) throw new Error('the client has gone');
      this.#pending = Buffer.concat([this.#pending, next.value]);
    }
    const taken = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return taken;
  }
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
