import { connect, createServer, type NetConnectOpts, type ListenOptions } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Unix sockets are reached across network namespaces: the machine's side of a front door meets the cell's here. */
export function frontDoorSocket(folder: string): string {
  return join(folder, 'front-door.sock');
}

export interface Relay extends AsyncDisposable {
  /** What it listens on where that is TCP; 0 for a unix socket. */
  readonly port: number;
}

/** Hands every connection on, byte by byte, in both directions. Disposing of it breaks those that are open. */
export async function startRelay(from: ListenOptions, to: NetConnectOpts): Promise<Relay> {
  const open = new Set<Disposable>();
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    const outgoing = connect({ ...to, allowHalfOpen: true });
    const both: Disposable = {
      [Symbol.dispose]: () => {
        incoming.destroy();
        outgoing.destroy();
      },
    };
    open.add(both);
    // A connection that breaks on one side is broken on the other; whoever made it knows what that means.
    void Promise.all([pipeline(incoming, outgoing), pipeline(outgoing, incoming)])
      .catch(() => both[Symbol.dispose]())
      .finally(() => open.delete(both));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(from, () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const both of open) both[Symbol.dispose]();
      }),
  };
}
