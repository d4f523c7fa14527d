import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { frontDoorSocket, startRelay } from '../../hack/testbed/cell/relay.ts';
import { TestFolder } from '../sandbox/demo/temp.ts';

/** A server behind a front door: TCP on this side, a unix socket between, and the server at its end. */
async function behindDoor(serve: (socket: Socket) => void) {
  const folder = new TestFolder();
  const server = createServer({ allowHalfOpen: true }, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const path = frontDoorSocket(folder.path);
  const inner = await startRelay({ path }, { host: '127.0.0.1', port });
  const outer = await startRelay({ host: '127.0.0.1', port: 0 }, { path });
  return {
    port: outer.port,
    inner,
    async [Symbol.asyncDispose]() {
      await outer[Symbol.asyncDispose]();
      await inner[Symbol.asyncDispose]();
      await new Promise((resolve) => server.close(resolve));
      folder[Symbol.dispose]();
    },
  };
}

describe('a front door', () => {
  test('hands on both ways, and an end as an end', async () => {
    // Answers only when the question has ended, as a server does whose client closes its half.
    await using door = await behindDoor((socket) => {
      void text(socket).then((question) => socket.end(question.toUpperCase()));
    });
    const socket = connect({ port: door.port, host: '127.0.0.1', allowHalfOpen: true });
    const answer = text(socket);
    socket.end('x'.repeat(1_000_000));
    expect(await answer).toBe('X'.repeat(1_000_000));
  });

  test('breaks the connection when the server does, and when it is closed itself', async () => {
    await using door = await behindDoor((socket) => {
      socket.on('error', () => undefined);
      socket.on('end', () => socket.end());
      socket.once('data', (chunk) => {
        if (chunk.toString() === 'break') socket.resetAndDestroy();
        else socket.write('ok');
      });
    });
    const broken = connect({ port: door.port, host: '127.0.0.1' });
    broken.on('error', () => undefined).resume();
    broken.write('break');
    await once(broken, 'close');

    const open = connect({ port: door.port, host: '127.0.0.1' });
    open.on('error', () => undefined).resume();
    open.write('stay');
    expect(String((await once(open, 'data'))[0])).toBe('ok');
    await Promise.all([once(open, 'close'), door.inner[Symbol.asyncDispose]()]);
  });
});
