import { createServer, type AddressInfo, type Socket } from 'node:net';

/** Takes connections and never says a word, so that TLS never comes about. */
export class SilentServer implements AsyncDisposable {
  /** host:port */
  readonly address: string;
  /** Somebody has connected. */
  readonly connected: Promise<void>;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.connected = new Promise((resolve) => {
      server.on('connection', (socket) => {
        this.#sockets.add(socket.on('error', () => undefined));
        resolve();
      });
    });
  }

  static async start(): Promise<SilentServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SilentServer(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
