import { createServer } from 'node:https';
import { parse as parseYaml } from 'yaml';
import type { Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpMethod } from '../../kube/transport.ts';
import { TransportError } from '../../kube/transport.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { EmbeddedApiServer } from './api-server.ts';
import type { WatchClient } from './open-watch.ts';
import { isWatch } from './subjects.ts';
import { issueCertificate } from './certificates.ts';
import type { ServerAnswer, ServerRequest } from './exchange.ts';
import { refused } from './exchange.ts';
import type { Json } from './json.ts';
import { methodNotAllowed, Refusal } from './refusal.ts';
import { unread } from './decoding.ts';
import type { WatchLine } from './watching.ts';

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
const longestFlushMs = 1000;
const longestBodyBytes = 3 * 1024 * 1024;

/** What stands behind a listener: the API server, or someone who looks at its requests on the way. */
export type Served = Pick<EmbeddedApiServer, 'answer' | 'watch'>;

/** The same server over TLS on 127.0.0.1, for real clients: one bearer token, watches as streams. */
export class HttpsListener implements AsyncDisposable {
  readonly caPem: string;
  readonly token: string;
  readonly url: string;
  readonly #server: Server;
  readonly #api: Served;
  readonly #clock: Clock;
  readonly #responses = new Set<ServerResponse>();

  private constructor(api: Served, clock: Clock, server: Server, caPem: string, token: string) {
    this.#clock = clock;
    this.#api = api;
    this.#server = server;
    this.caPem = caPem;
    this.token = token;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  /** The certificate is good from a day before the clock's time. */
  static async start(
    api: Served,
    options: { readonly port: number; readonly random: () => number; readonly clock: Clock },
  ): Promise<HttpsListener> {
    const { certPem, keyPem, caPem } = await issueCertificate(options.clock.now());
    const token = Array.from({ length: 32 }, () => Math.floor(options.random() * 36).toString(36)).join('');
    const server = createServer({ cert: certPem, key: keyPem });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, '127.0.0.1', resolve);
    });
    return new HttpsListener(api, options.clock, server, caPem, token);
  }

  /** The API server has ended its watches before; what they still have to say is sent, within a second, and then nobody is connected. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#flushed();
    this.#server.closeAllConnections();
    await closed;
  }

  async #flushed(): Promise<void> {
    const ended = [...this.#responses].filter((response) => response.writableEnded);
    const sent = ended.map((response) => new Promise<void>((resolve) => response.on('close', resolve)));
    await new Promise<void>((resolve) => {
      const limit = this.#clock.setTimeout(resolve, longestFlushMs);
      void Promise.all(sent).then(() => {
        limit[Symbol.dispose]();
        resolve();
      });
    });
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#responses.add(response);
    response.on('close', () => this.#responses.delete(response));
    try {
      const request = await this.#read(incoming);
      if (request.method === 'GET' && isWatch(request.query)) this.#watch(request, incoming, response);
      else send(response, await this.#api.answer(request));
    } catch (error) {
      if (error instanceof Refusal) send(response, refused(error));
      else if (error instanceof TransportError) incoming.socket.destroy();
      else {
        incoming.socket.destroy();
        throw error;
      }
    }
  }

  async #read(incoming: IncomingMessage): Promise<ServerRequest> {
    const { method = '', headers } = incoming;
    if (headers.authorization !== `Bearer ${this.token}`) {
      throw new Refusal(401, 'Unauthorized', 'Unauthorized');
    }
    if (!methods.has(method)) throw methodNotAllowed();
    const url = new URL(incoming.url ?? '/', this.url);
    const text = await bodyOf(incoming);
    return {
      user: headers['user-agent']?.split('/')[0] ?? 'unknown',
      method: method as HttpMethod,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { accept: headers.accept ?? '' },
      contentType: headers['content-type']?.split(';')[0]?.trim(),
      ...read(text, headers['content-type'] ?? ''),
      bytes: Buffer.byteLength(text),
    };
  }

  #watch(request: ServerRequest, incoming: IncomingMessage, response: ServerResponse): void {
    const head = (): void => {
      if (!response.headersSent)
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    };
    const client: WatchClient = {
      line: (line: WatchLine) => {
        head();
        response.write(`${JSON.stringify(line)}\n`);
      },
      end: () => {
        head();
        response.end();
      },
      breakOff: () => incoming.socket.destroy(),
    };
    const start = this.#api.watch(request, client);
    if ('refused' in start) {
      send(response, start.refused);
      return;
    }
    head();
    response.on('close', () => start.watch[Symbol.dispose]());
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > longestBodyBytes) {
      throw new Refusal(
        413,
        'RequestEntityTooLarge',
        `Request entity too large: limit is ${longestBodyBytes}`,
      );
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

/** A body that is no JSON is told only once it is known who would have read it. YAML is taken as well (fact: apiserver codecs). */
function read(text: string, contentType: string): Pick<ServerRequest, 'body' | 'unread'> {
  if (text === '') return { body: undefined };
  try {
    const isYaml = contentType.startsWith('application/yaml');
    return { body: (isYaml ? parseYaml(text) : JSON.parse(text)) as Json };
  } catch (error) {
    return { body: undefined, unread: unread(text, error) };
  }
}

function send(response: ServerResponse, { status, headers, body }: ServerAnswer): void {
  if (response.destroyed) return;
  const isText = typeof body === 'string';
  const contentType = isText ? 'text/plain; charset=utf-8' : 'application/json';
  response.writeHead(status, { ...(body !== '' && { 'content-type': contentType }), ...headers });
  response.end(isText ? body : JSON.stringify(body));
}
