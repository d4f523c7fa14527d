import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { NfcDisk } from '../../../src/sandbox/vcenter/nfc.ts';
import type { SimulatedVCenter } from '../../../src/sandbox/vcenter/simulated-vcenter.ts';
import type { Faults } from '../../../src/sandbox/world.ts';
import { answerOf, RequestReader, type DataRequest } from './protocol.ts';

/** Where ESXi hosts serve disks to VDDK. */
export const nfcPort = 902;

export interface DataService extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Disks that are open now. */
  readonly openDisks: number;
}

export interface DataServiceOptions {
  readonly vcenter: Pick<SimulatedVCenter, 'openNfc'>;
  readonly faults: Faults;
  /** An address of this machine. */
  readonly host: string;
  /** Default 902; 0: any that is free. */
  readonly port?: number;
  /** Each read is answered when this resolves, for a source that is slow. `isFirst`: of this opening of the disk. */
  readonly beforeRead?: (read: { readonly length: number; readonly isFirst: boolean }) => Promise<void>;
}

/**
 * The disks of a simulated vCenter over TCP, for the nbdkit plugin that stands for VDDK (modules/vddk-plugin). Plain TCP, between programs
 * of one testbed; user, password and thumbprint are proved as the vCenter does. The fault `vcenter-down` cuts it.
 */
export async function serveDisks(options: DataServiceOptions): Promise<DataService> {
  const { host, port = nfcPort } = options;
  const service = new RunningService(options);
  service.server.listen(port, host);
  await once(service.server, 'listening');
  return service;
}

class RunningService implements DataService {
  readonly server: Server;
  readonly host: string;
  readonly #vcenter: DataServiceOptions['vcenter'];
  readonly #sockets = new Set<Socket>();
  readonly #disks = new Map<Socket, NfcDisk>();
  readonly #watch: Disposable;
  readonly #beforeRead: DataServiceOptions['beforeRead'];
  /** Whose disks were read. */
  readonly #read = new WeakSet<Socket>();

  constructor({ vcenter, faults, host, beforeRead }: DataServiceOptions) {
    this.#vcenter = vcenter;
    this.host = host;
    this.#beforeRead = beforeRead;
    this.server = createServer((socket) => this.#serve(socket));
    this.#watch = faults.onStart('vcenter-down', () => this.#cut());
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }
  get openDisks(): number {
    return this.#disks.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    const closed = once(this.server, 'close');
    this.server.close();
    this.#cut();
    await closed;
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const reader = new RequestReader();
    socket.setNoDelay(true);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#disks.delete(socket);
    });
    // The other end went away, or was cut off: `close` follows.
    socket.on('error', () => undefined);
    let last = Promise.resolve();
    socket.on('data', (chunk: Buffer) => {
      for (const request of reader.read(chunk)) {
        if (request.do === 'nonsense') socket.destroy();
        else last = last.then(() => this.#answerInTime(socket, request));
      }
    });
  }

  /** Never rejects: who waits for the one before is answered all the same. */
  async #answerInTime(socket: Socket, request: DataRequest): Promise<void> {
    if (request.do === 'read' && this.#beforeRead !== undefined) {
      const isFirst = !this.#read.has(socket);
      this.#read.add(socket);
      await this.#beforeRead({ length: request.length, isFirst }).catch(() => socket.destroy());
    }
    if (!socket.destroyed) socket.write(this.#answer(socket, request));
  }

  #answer(socket: Socket, request: DataRequest): Buffer {
    try {
      if (request.do === 'open') {
        const disk = this.#vcenter.openNfc(request);
        this.#disks.set(socket, disk);
        return answerOf({ of: 'open', sizeBytes: disk.sizeBytes, host: disk.host });
      }
      const disk = this.#disks.get(socket);
      if (disk === undefined) throw new Error('no disk is open on this connection');
      const { offset, length } = request;
      if (request.do === 'read') return answerOf({ of: 'read', bytes: disk.read(offset, length) });
      return answerOf({ of: 'extents', extents: within(disk.extents(), offset, length) });
    } catch (error) {
      return answerOf({ of: 'error', text: error instanceof Error ? error.message : String(error) });
    }
  }
}

type Extents = ReturnType<NfcDisk['extents']>;

/** The parts of the extents that lie in [offset, offset + length). */
function within(extents: Extents, offset: number, length: number): Extents {
  return extents.flatMap((extent) => {
    const from = Math.max(extent.offset, offset);
    const to = Math.min(extent.offset + extent.length, offset + length);
    return to > from ? [{ offset: from, length: to - from }] : [];
  });
}
