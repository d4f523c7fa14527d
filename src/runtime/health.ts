import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Runnable } from './manager.ts';

/** What is wrong, in a few words for whoever looks at a failed probe; undefined when nothing is. Must be quick. */
export type HealthCheck = () => string | undefined;

export interface HealthServerOptions {
  readonly host: string;
  /** 0: any free one, see `address`. */
  readonly port: number;
  /** By name. Live: the process can be trusted to go on; fails, and the kubelet starts it anew. */
  readonly live?: Readonly<Record<string, HealthCheck>>;
  /** By name. Ready: it can answer its clients now. */
  readonly ready?: Readonly<Record<string, HealthCheck>>;
  /** Text in Prometheus' exposition format. */
  readonly metrics?: { readonly contentType: string; metrics(): Promise<string> };
}

/** /healthz, /readyz (each also as /healthz/NAME) and /metrics over plain HTTP: for the kubelet and Prometheus inside the cluster. */
export class HealthServer implements Runnable {
  readonly name = 'health';
  readonly #options: HealthServerOptions;
  readonly #listening = Promise.withResolvers<AddressInfo>();

  constructor(options: HealthServerOptions) {
    this.#options = options;
    // Whoever does not ask for the address learns of a failure from `run`.
    this.#listening.promise.catch(() => undefined);
  }

  /** Where it listens. Rejects when it cannot. */
  get address(): Promise<{ readonly address: string; readonly port: number }> {
    return this.#listening.promise;
  }

  async run(signal: AbortSignal): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    try {
      this.#listening.resolve(await listen(server, this.#options));
    } catch (error) {
      this.#listening.reject(error);
      throw error;
    }
    await new Promise<void>((resolve) => {
      const close = (): void => {
        server.close(() => resolve());
        server.closeAllConnections();
      };
      if (signal.aborted) close();
      else signal.addEventListener('abort', close, { once: true });
    });
  }

  /** Never throws. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, page = '', ...rest] = (request.url ?? '').split('?', 1)[0]?.split('/') ?? [];
    const { live = {}, ready = {}, metrics } = this.#options;
    if (request.method !== 'GET' && request.method !== 'HEAD') reply(response, 405, 'only GET is answered\n');
    else if (page === 'healthz') report(response, live, rest.join('/'));
    else if (page === 'readyz') report(response, ready, rest.join('/'));
    else if (page === 'metrics' && metrics !== undefined) {
      try {
        reply(response, 200, await metrics.metrics(), metrics.contentType);
      } catch (error) {
        reply(response, 500, `metrics: ${String(error)}\n`);
      }
    } else reply(response, 404, 'there are /healthz, /readyz and /metrics\n');
  }
}

function report(response: ServerResponse, checks: Readonly<Record<string, HealthCheck>>, only: string): void {
  const chosen = Object.entries(checks).filter(([name]) => only === '' || name === only);
  if (only !== '' && chosen.length === 0) {
    reply(response, 404, `there is no check "${only}"\n`);
    return;
  }
  const results = chosen.map(([name, check]) => ({ name, wrong: check() }));
  const isGood = results.every(({ wrong }) => wrong === undefined);
  const lines = results.map(({ name, wrong }) =>
    wrong === undefined ? `[+] ${name}\n` : `[-] ${name}: ${wrong}\n`,
  );
  reply(response, isGood ? 200 : 503, `${lines.join('')}${isGood ? 'ok' : 'failed'}\n`);
}

function reply(response: ServerResponse, status: number, text: string, contentType = 'text/plain'): void {
  response.writeHead(status, { 'content-type': contentType }).end(text);
}

function listen(server: Server, { host, port }: HealthServerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}
