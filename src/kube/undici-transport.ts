import { Pool, type Dispatcher } from 'undici';
import type { Clock } from '../runtime/clock.ts';
import type { Auth, Credentials } from './credentials.ts';
import { LinkedAbort, unlessAborted } from './linked-abort.ts';
import { jsonLines, parseDocument } from './line-splitter.ts';
import { TimeLimit } from './time-limit.ts';
import { errorText, toTransportError } from './to-transport-error.ts';
import type { ApiRequest, ApiResponse, ApiStream, Transport } from './transport.ts';
import { TransportError, contentTypes } from './transport.ts';

export interface UndiciTransportOptions {
  /** "https://host:port", perhaps with a path that all requests begin with (a proxying gateway). */
  readonly server: string;
  /** PEM; absent: the system's roots. */
  readonly ca?: string;
  /** Name to expect in the server's certificate, where it is not the host's. */
  readonly serverName?: string;
  readonly skipTlsVerify?: boolean;
  readonly auth: Auth;
  readonly clock: Clock;
  /** Requests under way at once (watches apart); more wait. Default 16. */
  readonly connections?: number;
  /** Milliseconds until a request must be answered in full, and a watch must have begun. Default 60 s, as servers have it. */
  readonly timeoutMs?: number;
  readonly userAgent?: string;
}

const defaultConnections = 16;
const defaultTimeoutMs = 60_000;
/** An idle connection is kept this long: shorter than servers (90 s and more) and load balancers do, so that we close it first. */
const keepAliveMs = 55_000;
const connectTimeoutMs = 10_000;

interface Pools {
  readonly credentials: Credentials;
  readonly requests: Pool;
  /** Each watch holds a connection for minutes: apart, so that they never take the place of requests. */
  readonly streams: Pool;
}

export function createUndiciTransport(options: UndiciTransportOptions): Transport {
  return new UndiciTransport(options);
}

class UndiciTransport implements Transport {
  readonly #options: UndiciTransportOptions;
  readonly #origin: string;
  readonly #basePath: string;
  #pools: Pools | undefined;
  readonly #closing = new Set<Promise<void>>();

  constructor(options: UndiciTransportOptions) {
    const url = new URL(options.server);
    this.#options = options;
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/+$/, '');
  }

  async request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse> {
    const { clock, timeoutMs = defaultTimeoutMs } = this.#options;
    using limit = new TimeLimit(clock, timeoutMs, () => this.#timeout(request, timeoutMs), signal);
    try {
      const response = await this.#sendWithAuth(request, 'requests', limit.signal);
      const text = await response.body.text();
      const headers = plainHeaders(response.headers);
      return { status: response.statusCode, headers, body: parseBody(text, headers) };
    } catch (error) {
      throw this.#thrown(error, request, limit.signal);
    }
  }

  async stream(request: ApiRequest, signal: AbortSignal): Promise<ApiStream> {
    const { clock, timeoutMs = defaultTimeoutMs } = this.#options;
    // Followed until the last line is read; the time limit ends with the head of the answer.
    const abort = new LinkedAbort(signal);
    using limit = new TimeLimit(clock, timeoutMs, () => this.#timeout(request, timeoutMs));
    const onLimit = (): void => abort.abort(limit.signal.reason);
    limit.signal.addEventListener('abort', onLimit, { once: true });
    try {
      const response = await this.#sendWithAuth(request, 'streams', abort.signal);
      const headers = plainHeaders(response.headers);
      const isStream = response.statusCode >= 200 && response.statusCode < 300;
      const lines = isStream ? jsonLines(response.body) : oneDocument(response.body, headers);
      return { status: response.statusCode, headers, lines: this.#lines(lines, request, abort) };
    } catch (error) {
      abort[Symbol.dispose]();
      throw this.#thrown(error, request, abort.signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#pools !== undefined) this.#retire(this.#pools, 'destroy');
    this.#pools = undefined;
    await Promise.all(this.#closing);
  }

  async *#lines(
    lines: AsyncIterable<unknown>,
    request: ApiRequest,
    abort: LinkedAbort,
  ): AsyncGenerator<unknown, void, undefined> {
    try {
      yield* lines;
    } catch (error) {
      throw this.#thrown(error, request, abort.signal);
    } finally {
      // Also when the reader leaves early: the connection cannot serve anyone else with half an answer in it.
      abort.abort(new Error('stream left'));
      abort[Symbol.dispose]();
    }
  }

  async #sendWithAuth(
    request: ApiRequest,
    pool: 'requests' | 'streams',
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const response = await this.#send(request, pool, signal);
    if (response.statusCode !== 401 || !this.#options.auth.renew()) return response;
    await response.body.dump();
    return this.#send(request, pool, signal);
  }

  async #send(
    request: ApiRequest,
    pool: 'requests' | 'streams',
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    const credentials = await this.#credentials(signal);
    const { body, contentType = contentTypes.json } = request;
    const answer = this.#poolsFor(credentials)[pool].request({
      method: request.method,
      path: this.#basePath + request.path,
      ...(request.query && { query: request.query }),
      headers: {
        accept: 'application/json',
        ...(this.#options.userAgent !== undefined && { 'user-agent': this.#options.userAgent }),
        ...(body !== undefined && { 'content-type': contentType }),
        ...request.headers,
        ...credentials.headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal,
    });
    // A request that waits for its connection heeds the signal only when that stands, or has failed: ten seconds later.
    return unlessAborted(answer, signal);
  }

  async #credentials(signal: AbortSignal): Promise<Credentials> {
    try {
      return await this.#options.auth.current(signal);
    } catch (error) {
      signal.throwIfAborted();
      const message = `no credentials for ${this.#origin}: ${errorText(error)}`;
      throw new TransportError('ConnectFailed', message, { cause: error });
    }
  }

  /** A client certificate belongs to its connections: a new one takes new connections, and the old ones end with their requests. */
  #poolsFor(credentials: Credentials): Pools {
    const pools = this.#pools;
    if (pools !== undefined) {
      if (pools.credentials.cert === credentials.cert && pools.credentials.key === credentials.key)
        return pools;
      this.#retire(pools, 'close');
    }
    const made: Pools = {
      credentials,
      requests: this.#makePool(credentials, this.#options.connections ?? defaultConnections),
      streams: this.#makePool(credentials, null),
    };
    this.#pools = made;
    return made;
  }

  #makePool({ cert, key }: Credentials, connections: number | null): Pool {
    const { ca, serverName, skipTlsVerify } = this.#options;
    return new Pool(this.#origin, {
      connections,
      // API servers prefer HTTP/2, whose streams (undici 8.12) throw out of the process when a watch is open at the end, and on which
      // watches and requests would share one connection.
      allowH2: false,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      // Time is kept by the transport, as a whole for each request, and for a watch by who reads it.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: connectTimeoutMs,
        rejectUnauthorized: skipTlsVerify !== true,
        ...(ca !== undefined && { ca }),
        ...(serverName !== undefined && { servername: serverName }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
      },
    });
  }

  #retire(pools: Pools, how: 'close' | 'destroy'): void {
    const closed = Promise.all([pools.requests[how](), pools.streams[how]()]).then(
      () => undefined,
      () => undefined,
    );
    this.#closing.add(closed);
    void closed.then(() => this.#closing.delete(closed));
  }

  #timeout(request: ApiRequest, ms: number): TransportError {
    return new TransportError('Timeout', `${request.method} ${this.#origin}: no answer within ${ms} ms`);
  }

  #thrown(error: unknown, request: ApiRequest, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    return toTransportError(error, `${request.method} ${this.#origin}`);
  }
}

async function* oneDocument(
  body: Dispatcher.ResponseData['body'],
  headers: Readonly<Record<string, string>>,
): AsyncGenerator<unknown, void, undefined> {
  yield parseBody(await body.text(), headers);
}

function parseBody(text: string, headers: Readonly<Record<string, string>>): unknown {
  const isJson = /^application\/([\w.-]+\+)?json\b/.test(headers['content-type'] ?? '');
  return isJson && text !== '' ? parseDocument(text) : text;
}

/** undici gives names in lower case, and an array where a name comes more than once. */
function plainHeaders(headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return plain;
}
