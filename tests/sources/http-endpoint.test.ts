import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { createHttpEndpoint } from '../../src/sources/http-endpoint.ts';
import type { HttpAnswer, HttpEndpoint, Trust } from '../../src/sources/source.ts';
import { SilentServer } from '../support/silent-server.ts';

const never = new AbortController().signal;
const get = { method: 'GET', path: '/a', headers: {} } as const;

let server: Server;
let url: string;
let pem: string;
let sockets = 0;
let offered: readonly string[] = [];

beforeAll(async () => {
  const certificate = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  pem = certificate.cert;
  const ALPNCallback = ({ protocols }: { readonly protocols: string[] }): string | undefined => {
    offered = protocols;
    return protocols[0];
  };
  const options = { key: certificate.private, cert: certificate.cert, ALPNCallback };
  server = createServer(options, (request, response) => {
    if (request.url === '/hang') return;
    if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
      return;
    }
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => {
      response.setHeader('Set-Cookie', ['a=1', 'b="2"; Path=/']);
      response.end(
        `${request.method ?? ''} ${String(request.headers['x-test'])} ${Buffer.concat(body).toString()}`,
      );
    });
  });
  server.on('secureConnection', () => (sockets += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/sdk`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function textOf(answer: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function withEndpoint<T>(
  trust: Trust,
  use: (endpoint: HttpEndpoint) => Promise<T>,
  at = url,
): Promise<T> {
  await using endpoint = createHttpEndpoint(at, trust, { connectTimeoutMs: 2000, idleTimeoutMs: 300 });
  return await use(endpoint);
}

describe('a call', () => {
  test('offers HTTP/1.1 and nothing else', async () => {
    await withEndpoint({ by: 'ca', pem }, async (endpoint) => textOf(await endpoint.call(get, never)));
    expect(offered).toEqual(['http/1.1']);
  });

  test('carries method, headers and body, and uses the connection again', async () => {
    const before = sockets;
    await withEndpoint({ by: 'ca', pem }, async (endpoint) => {
      for (let round = 0; round < 10; round += 1) {
        const call = { method: 'POST', path: '/sdk', headers: { 'x-test': 'yes' }, body: 'hello' } as const;
        const answer = await endpoint.call(call, never);
        expect(answer.status).toBe(200);
        expect(answer.headers['set-cookie']).toBe('a=1, b="2"; Path=/');
        expect(await textOf(answer)).toBe('POST yes hello');
      }
    });
    expect(sockets - before).toBeLessThanOrEqual(2);
  });

  test('that gets no answer is transient', async () => {
    const refused = withEndpoint(
      { by: 'nothing' },
      (endpoint) => endpoint.call(get, never),
      'https://127.0.0.1:1/',
    );
    await expect(refused).rejects.toMatchObject({ kind: 'transient', code: 'Unreachable' });
    const silent = withEndpoint({ by: 'nothing' }, (endpoint) =>
      endpoint.call({ ...get, path: '/hang' }, never),
    );
    await expect(silent).rejects.toMatchObject({ kind: 'transient' });
    const cut = withEndpoint({ by: 'nothing' }, async (endpoint) =>
      textOf(await endpoint.call({ ...get, path: '/cut' }, never)),
    );
    await expect(cut).rejects.toMatchObject({ kind: 'transient' });
  });

  test('ends with the reason of its signal', async () => {
    const abort = new AbortController();
    const call = withEndpoint({ by: 'nothing' }, (endpoint) =>
      endpoint.call({ ...get, path: '/hang' }, abort.signal),
    );
    abort.abort(new Error('no longer wanted'));
    await expect(call).rejects.toThrow('no longer wanted');
  });

  test('ends with the reason of its signal also while it waits for its connection', async () => {
    await using silent = await SilentServer.start();
    await using endpoint = createHttpEndpoint(`https://${silent.address}/sdk`, { by: 'nothing' });
    const abort = new AbortController();
    const call = endpoint.call(get, abort.signal);
    const thumbprint = endpoint.peerThumbprint(abort.signal);
    await silent.connected;
    abort.abort(new Error('no longer wanted'));
    // Long before the connection is given up, which the time limit of this test would not wait for.
    await expect(call).rejects.toThrow('no longer wanted');
    await expect(thumbprint).rejects.toThrow('no longer wanted');
  }, 5000);
});

describe('trust', () => {
  test.each<[string, () => Trust]>([
    ['the right authority', () => ({ by: 'ca', pem })],
    ['nothing at all, on request', () => ({ by: 'nothing' })],
  ])('by %s lets the call through', async (_name, trust) => {
    const answer = await withEndpoint(trust(), async (endpoint) => (await endpoint.call(get, never)).status);
    expect(answer).toBe(200);
  });

  test('by thumbprint accepts that certificate, however it is written, and no other', async () => {
    const shown = await withEndpoint({ by: 'nothing' }, (endpoint) => endpoint.peerThumbprint(never));
    expect(shown).toMatch(/^([0-9A-F]{2}:){19}[0-9A-F]{2}$/);
    const status = await withEndpoint({ by: 'thumbprint', sha1: shown.toLowerCase() }, async (endpoint) => {
      expect(await endpoint.peerThumbprint(never)).toBe(shown);
      return (await endpoint.call(get, never)).status;
    });
    expect(status).toBe(200);
    const other = shown.replace(/^../, shown.startsWith('00') ? '01' : '00');
    const refused = withEndpoint({ by: 'thumbprint', sha1: other }, (endpoint) => endpoint.call(get, never));
    await expect(refused).rejects.toMatchObject({ kind: 'auth', code: 'CertificateNotTrusted' });
  });

  test("by the machine's own authorities refuses a certificate that they did not sign", async () => {
    const refused = withEndpoint({ by: 'system' }, (endpoint) => endpoint.call(get, never));
    await expect(refused).rejects.toMatchObject({ kind: 'auth', code: 'CertificateNotTrusted' });
    const thumbprint = withEndpoint({ by: 'system' }, (endpoint) => endpoint.peerThumbprint(never));
    await expect(thumbprint).rejects.toMatchObject({ kind: 'auth' });
  });
});
