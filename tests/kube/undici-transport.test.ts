import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import type { Auth, Credentials } from '../../src/kube/credentials.ts';
import { ReadAuth, staticAuth } from '../../src/kube/credentials.ts';
import { jsonLines } from '../../src/kube/line-splitter.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { contentTypes } from '../../src/kube/transport.ts';
import type { UndiciTransportOptions } from '../../src/kube/undici-transport.ts';
import { createUndiciTransport } from '../../src/kube/undici-transport.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import { SilentServer } from '../support/silent-server.ts';

const clock = new SystemClock();
const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
async function plain(
  listener: RequestListener,
  options: Partial<UndiciTransportOptions> = {},
): Promise<Transport> {
  const server = `http://${await listen(createHttpServer(listener))}`;
  return connect({ server, ...options });
}
function connect(options: Partial<UndiciTransportOptions> & { server: string }): Transport {
  const transport = createUndiciTransport({ auth: staticAuth({ headers: {} }), clock, ...options });
  cleanUps.push(async () => {
    await transport[Symbol.asyncDispose]();
  });
  return transport;
}
const get = { method: 'GET', path: '/x' } as const;
function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('requests', () => {
  test('carry method, path, query, headers and body, and give back what was answered', async () => {
    const transport = await plain(
      (request, response) => {
        void text(request).then((body) => {
          const { authorization, 'content-type': type, 'user-agent': agent } = request.headers;
          json(response, 201, { method: request.method, url: request.url, authorization, type, agent, body });
        });
      },
      { auth: staticAuth({ headers: { authorization: 'Bearer t' } }), userAgent: 'test/1' },
    );
    const answer = await transport.request({
      method: 'PATCH',
      path: '/apis/a%2Fb',
      query: { labelSelector: 'a in (b,c)' },
      contentType: contentTypes.mergePatch,
      body: { name: 'ü' },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.body).toEqual({
      method: 'PATCH',
      url: '/apis/a%2Fb?labelSelector=a%20in%20(b%2Cc)',
      authorization: 'Bearer t',
      type: 'application/merge-patch+json',
      agent: 'test/1',
      body: '{"name":"ü"}',
    });
  });

  test('an answer that is no JSON is text', async () => {
    const transport = await plain((_request, response) =>
      response.writeHead(404).end('404 page not found\n'),
    );
    expect((await transport.request(get)).body).toBe('404 page not found\n');
  });

  test('many at once share few connections, and watches do not take from them', async () => {
    let sockets = 0;
    const server = createHttpServer((request, response) => {
      if (request.url === '/watch') response.writeHead(200).write('{"n":1}\n');
      else json(response, 200, {});
    });
    server.on('connection', () => (sockets += 1));
    const transport = connect({ server: `http://${await listen(server)}`, connections: 4 });
    const abort = new AbortController();
    for (let i = 0; i < 5; i += 1) await transport.stream({ method: 'GET', path: '/watch' }, abort.signal);
    await Promise.all(Array.from({ length: 100 }, () => transport.request(get)));
    for (let i = 0; i < 20; i += 1) await transport.request(get);
    expect(sockets).toBe(9);
    abort.abort();
  });

  test('a server that does not answer in time is a timeout, also in the middle of the body', async () => {
    const transport = await plain(
      (request, response) => {
        if (request.url === '/half')
          response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":');
      },
      { timeoutMs: 50 },
    );
    await expect(transport.request(get)).rejects.toMatchObject({ name: 'TransportError', code: 'Timeout' });
    await expect(transport.request({ method: 'GET', path: '/half' })).rejects.toMatchObject({
      code: 'Timeout',
    });
  });

  test('an abort ends the request with its reason, on both sides', async () => {
    const closed = Promise.withResolvers<string>();
    const abort = new AbortController();
    const transport = await plain((request) => {
      request.on('close', () => closed.resolve('closed'));
      abort.abort(new Error('enough'));
    });
    await expect(transport.request(get, abort.signal)).rejects.toThrow('enough');
    expect(await closed.promise).toBe('closed');
    await expect(transport.request(get, abort.signal)).rejects.toThrow('enough');
  });

  test('an abort ends at once what still waits for its connection, and so does the time limit', async () => {
    await using silent = await SilentServer.start();
    const server = `https://${silent.address}`;
    const startedMs = clock.monotonicMs();
    const abort = new AbortController();
    const transport = connect({ server });
    const request = transport.request(get, abort.signal);
    const stream = transport.stream(get, abort.signal);
    await silent.connected;
    abort.abort(new Error('enough'));
    await expect(request).rejects.toThrow('enough');
    await expect(stream).rejects.toThrow('enough');
    await expect(connect({ server, timeoutMs: 100 }).request(get)).rejects.toMatchObject({ code: 'Timeout' });
    expect(clock.monotonicMs() - startedMs).toBeLessThan(5000);
  });

  test('no connection, and a connection that breaks, are told apart', async () => {
    const nobody = connect({ server: 'http://127.0.0.1:1' });
    await expect(nobody.request(get)).rejects.toMatchObject({ code: 'ConnectFailed' });
    const breaking = await plain((request) => request.socket.destroy());
    await expect(breaking.request(get)).rejects.toMatchObject({ code: 'ConnectionLost' });
    const cut = await plain((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":');
    });
    await expect(cut.request(get)).rejects.toMatchObject({ code: 'ConnectionLost' });
  });
});

describe('streams', () => {
  test('come as documents however they are cut, and end when the server ends', async () => {
    const transport = await plain((_request, response) => {
      const bytes = Buffer.from('{"n":"ä"}\n{"n":2}\n\n{"n":3}\n');
      response.writeHead(200);
      void (async () => {
        for (const byte of bytes)
          await new Promise<void>((done) => response.write(Buffer.of(byte), () => done()));
        response.end();
      })();
    });
    const stream = await transport.stream(get, new AbortController().signal);
    const seen: unknown[] = [];
    for await (const line of stream.lines) seen.push(line);
    expect(seen).toEqual([{ n: 'ä' }, { n: 2 }, { n: 3 }]);
  });

  test('a broken connection is thrown, after what came before it', async () => {
    const transport = await plain((request, response) => {
      response.writeHead(200);
      response.write('{"n":1}\n{"n":', () => request.socket.destroy());
    });
    const stream = await transport.stream(get, new AbortController().signal);
    const lines = stream.lines[Symbol.asyncIterator]();
    expect((await lines.next()).value).toEqual({ n: 1 });
    await expect(lines.next()).rejects.toMatchObject({ name: 'TransportError', code: 'ConnectionLost' });
  });

  test('an abort ends it with the reason, and leaving it closes the connection', async () => {
    let closed = 0;
    const allClosed = Promise.withResolvers<string>();
    const transport = await plain((request, response) => {
      request.on('close', () => {
        closed += 1;
        if (closed === 2) allClosed.resolve('closed');
      });
      response.writeHead(200).write('{"n":1}\n');
    });
    const abort = new AbortController();
    const aborted = await transport.stream(get, abort.signal);
    const lines = aborted.lines[Symbol.asyncIterator]();
    await lines.next();
    abort.abort(new Error('enough'));
    await expect(lines.next()).rejects.toThrow('enough');
    const left = await transport.stream(get, new AbortController().signal);
    for await (const _line of left.lines) break;
    expect(await allClosed.promise).toBe('closed');
  });

  test('a stream may be silent for longer than a request may take', async () => {
    const transport = await plain(
      (_request, response) => {
        response.writeHead(200).flushHeaders();
        clock.setTimeout(() => response.end('{"n":1}\n'), 150);
      },
      { timeoutMs: 50 },
    );
    const stream = await transport.stream(get, new AbortController().signal);
    const seen: unknown[] = [];
    for await (const line of stream.lines) seen.push(line);
    expect(seen).toEqual([{ n: 1 }]);
  });

  test('a refusal is one document, also when it is spread over lines', async () => {
    const transport = await plain((_request, response) => {
      response.writeHead(410, { 'content-type': 'application/json' }).end('{\n "code": 410\n}\n');
    });
    const stream = await transport.stream(get, new AbortController().signal);
    expect(stream.status).toBe(410);
    const seen: unknown[] = [];
    for await (const line of stream.lines) seen.push(line);
    expect(seen).toEqual([{ code: 410 }]);
  });

  test('a document may be cut anywhere, also inside a character, and a last line needs no end', async () => {
    const bytes = Buffer.from('{"n":"ä€"}\n{"n":2}');
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      for (const byte of bytes) yield await Promise.resolve(Buffer.of(byte));
    };
    const seen: unknown[] = [];
    for await (const line of jsonLines(chunks())) seen.push(line);
    expect(seen).toEqual([{ n: 'ä€' }, { n: 2 }]);
  });

  test('200,000 lines take seconds at most', async () => {
    const line = `${JSON.stringify({ type: 'MODIFIED', object: { metadata: { name: 'x'.repeat(200) } } })}\n`;
    const chunk = Buffer.from(line.repeat(1000));
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 200; i += 1) yield await Promise.resolve(chunk);
    };
    let count = 0;
    const startedMs = clock.monotonicMs();
    for await (const _line of jsonLines(chunks())) count += 1;
    expect(count).toBe(200_000);
    expect(clock.monotonicMs() - startedMs).toBeLessThan(10_000);
  });
});

describe('credentials', () => {
  const byToken: RequestListener = (request, response) => {
    json(response, request.headers.authorization === 'Bearer new' ? 200 : 401, {});
  };
  const tokens = (...list: readonly string[]): (() => Promise<Credentials>) => {
    const left = [...list];
    return () => Promise.resolve({ headers: { authorization: `Bearer ${left.shift() ?? ''}` } });
  };

  test('are read again after a 401, and the request is repeated once', async () => {
    const transport = await plain(byToken, { auth: new ReadAuth(tokens('old', 'new'), clock) });
    expect((await transport.request(get)).status).toBe(200);
    const stubborn = await plain(byToken, { auth: new ReadAuth(tokens('old', 'old', 'new'), clock) });
    expect((await stubborn.request(get)).status).toBe(401);
    const fixed = await plain(byToken, { auth: staticAuth({ headers: { authorization: 'Bearer old' } }) });
    expect((await fixed.request(get)).status).toBe(401);
  });

  test('are read once a minute, and what cannot be read again is used on', async () => {
    const simulated = new SimulatedClock({ start: 0 });
    let reads = 0;
    const read = (): Promise<Credentials> => {
      reads += 1;
      if (reads === 2) return Promise.reject(new Error('no such file'));
      return Promise.resolve({ headers: { authorization: `Bearer ${reads}` } });
    };
    const auth: Auth = new ReadAuth(read, simulated);
    const bearer = async () => (await auth.current()).headers['authorization'];
    expect(await Promise.all([bearer(), bearer()])).toEqual(['Bearer 1', 'Bearer 1']);
    await simulated.advance(59_999);
    expect([await bearer(), reads]).toEqual(['Bearer 1', 1]);
    await simulated.advance(1);
    expect([await bearer(), reads]).toEqual(['Bearer 1', 2]);
    await simulated.advance(60_000);
    expect(await bearer()).toBe('Bearer 3');
  });

  test('that cannot be had are said so, without a request', async () => {
    const auth = new ReadAuth(() => Promise.reject(new Error('exec plugin not found')), clock);
    const transport = await plain(byToken, { auth });
    await expect(transport.request(get)).rejects.toThrow(/no credentials for .*exec plugin not found/);
  });
});

describe('TLS', () => {
  const certificate = (name: string) =>
    generate([{ name: 'commonName', value: name }], {
      keySize: 2048,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    });

  test('a server is trusted by its CA, and by nothing else', async () => {
    const [ours, other] = await Promise.all([certificate('ours'), certificate('other')]);
    const options = { key: ours.private, cert: ours.cert };
    const server = `https://${await listen(createHttpsServer(options, (_request, response) => json(response, 200, {})))}`;
    expect((await connect({ server, ca: ours.cert }).request(get)).status).toBe(200);
    expect((await connect({ server, skipTlsVerify: true }).request(get)).status).toBe(200);
    for (const ca of [undefined, other.cert]) {
      const distrustful = connect({ server, ...(ca !== undefined && { ca }) });
      await expect(distrustful.request(get)).rejects.toMatchObject({ code: 'ConnectFailed' });
      await expect(distrustful.request(get)).rejects.toThrow(
        'check the address and the certificate authority',
      );
    }
    const elsewhere = connect({ server: server.replace('127.0.0.1', 'localhost'), ca: ours.cert });
    await expect(elsewhere.request(get)).rejects.toMatchObject({ code: 'ConnectFailed' });
    const named = connect({ server, ca: ours.cert, serverName: 'wrong.example' });
    await expect(named.request(get)).rejects.toThrow('not trusted');
  });

  test('a server that prefers HTTP/2 is asked for HTTP/1.1', async () => {
    const { private: key, cert } = await certificate('ours');
    const offered: string[] = [];
    const ALPNCallback = ({ protocols }: { readonly protocols: readonly string[] }): string | undefined => {
      offered.push(...protocols);
      return protocols.includes('h2') ? 'h2' : protocols[0];
    };
    const tls = createHttpsServer({ key, cert, ALPNCallback }, (_request, response) =>
      json(response, 200, {}),
    );
    const server = `https://${await listen(tls)}`;
    expect((await connect({ server, ca: cert }).request(get)).status).toBe(200);
    expect(offered).toEqual(['http/1.1']);
  });

  test('a client certificate is shown, and a renewed one takes its place', async () => {
    const [own, first, second] = await Promise.all([
      certificate('server'),
      certificate('first'),
      certificate('second'),
    ]);
    const server = createHttpsServer(
      { key: own.private, cert: own.cert, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const socket = request.socket as Partial<TLSSocket>;
        const CN = socket.getPeerCertificate?.().subject.CN;
        json(response, CN === 'second' ? 200 : 401, { CN });
      },
    );
    const shown = [first, second].map((one) => ({ headers: {}, cert: one.cert, key: one.private }));
    const auth = new ReadAuth(() => Promise.resolve(shown.shift() ?? { headers: {} }), clock);
    const transport = connect({ server: `https://${await listen(server)}`, ca: own.cert, auth });
    expect(await transport.request(get)).toMatchObject({ status: 200, body: { CN: 'second' } });
  });
});
