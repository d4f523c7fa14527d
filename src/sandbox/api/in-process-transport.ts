import type { ApiRequest, ApiResponse, ApiStream, Transport } from '../../kube/transport.ts';
import { TransportError } from '../../kube/transport.ts';
import type { EmbeddedApiServer } from './api-server.ts';
import type { WatchClient } from './open-watch.ts';
import { isWatch } from './subjects.ts';
import type { ServerRequest } from './exchange.ts';
import { copyOf, received } from './json.ts';
import { LineQueue } from './line-queue.ts';
import type { WatchLine } from './watching.ts';

/**
 * A client's way to the server in the same process. No socket, no timer: what the server does is done in microtasks, so a simulated
 * clock sees when nothing is under way. Both sides get copies, as over a wire.
 */
export class InProcessTransport implements Transport {
  readonly #server: EmbeddedApiServer;
  readonly #user: string;
  readonly #streams = new Set<WatchStream>();
  #closed = false;

  constructor(server: EmbeddedApiServer, user: string) {
    this.#server = server;
    this.#user = user;
  }

  async request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse> {
    if (isWatch(request.query ?? {})) throw new TypeError('a watch is asked for with stream()');
    const arrived = this.#arrived(request);
    // Never inside the caller: what it does next must not depend on how fast the server is.
    await Promise.resolve();
    this.#checkOpen(signal);
    const answer = await this.#server.answer(arrived);
    signal?.throwIfAborted();
    return { status: answer.status, headers: answer.headers, body: copyOf(answer.body) };
  }

  async stream(request: ApiRequest, signal: AbortSignal): Promise<ApiStream> {
    const arrived = this.#arrived(request);
    await Promise.resolve();
    this.#checkOpen(signal);
    const stream = new WatchStream(signal, () => this.#streams.delete(stream));
    const start = this.#server.watch(arrived, stream);
    if ('refused' in start) {
      const { status, headers, body } = start.refused;
      stream.queue.push(copyOf(body));
      stream.queue.end();
      return { status, headers, lines: stream.queue };
    }
    this.#streams.add(stream);
    stream.begin(start.watch);
    return { status: 200, headers: { 'content-type': 'application/json' }, lines: stream.queue };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const stream of [...this.#streams]) stream.breakOff();
    return Promise.resolve();
  }

  #checkOpen(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed) throw new TransportError('ConnectFailed', `the transport of ${this.#user} is closed`);
  }

  #arrived({ method, path, query, headers, contentType, body }: ApiRequest): ServerRequest {
    const lower = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
    return {
      user: this.#user,
      method,
      path,
      query: query ?? {},
      headers: Object.fromEntries(lower) as Record<string, string>,
      contentType,
      body: body === undefined ? undefined : received(body),
    };
  }
}

class WatchStream implements WatchClient {
  readonly queue: LineQueue;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  readonly #onClose: () => void;
  #watch: Disposable | undefined;

  constructor(signal: AbortSignal, onClose: () => void) {
    this.#signal = signal;
    this.#onClose = onClose;
    this.queue = new LineQueue(() => this.#close());
    this.#onAbort = () => {
      this.#close();
      this.queue.fail(signal.reason);
    };
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  begin(watch: Disposable): void {
    this.#watch = watch;
    if (this.queue.isEnded) this.#close();
  }

  line(line: WatchLine): void {
    this.queue.push(copyOf(line));
  }

  end(): void {
    this.#close();
    this.queue.end();
  }

  breakOff(): void {
    this.#close();
    this.queue.fail(new TransportError('ConnectionLost', 'the connection of the watch was lost'));
  }

  #close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#watch?.[Symbol.dispose]();
    this.#onClose();
  }
}
