import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { SystemClock } from '../../src/runtime/clock.ts';
import { ownAddress } from '../support/own-testbed.ts';

const clock = new SystemClock();

export interface FileServer extends AsyncDisposable {
  readonly url: string;
}

/** Serves one file to importers, which ask for parts of it (fact: testbed 8). `bytesPerSecond`: no faster than that. */
export async function serveFile(file: string, bytesPerSecond = Infinity): Promise<FileServer> {
  const { size } = await stat(file);
  const host = ownAddress();
  const server = createServer((request, response) => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(Number(range?.[2] === '' ? size : (range?.[2] ?? size)), size - 1);
    response.writeHead(range === null ? 200 : 206, {
      'accept-ranges': 'bytes',
      'content-length': end - start + 1,
      ...(range !== null && { 'content-range': `bytes ${start}-${end}/${size}` }),
    });
    if (request.method === 'HEAD') response.end();
    else void send(file, start, end, bytesPerSecond, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://${host}:${port}/${encodeURIComponent(file.slice(file.lastIndexOf('/') + 1))}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function send(
  file: string,
  start: number,
  end: number,
  bytesPerSecond: number,
  response: NodeJS.WritableStream,
): Promise<void> {
  for await (const piece of createReadStream(file, { start, end, highWaterMark: 1 << 18 })) {
    const { length } = piece as Buffer;
    if (!response.write(piece as Buffer)) await new Promise((resolve) => response.once('drain', resolve));
    if (bytesPerSecond !== Infinity) await clock.sleep((1000 * length) / bytesPerSecond);
  }
  response.end();
}
