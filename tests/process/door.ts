import type { EmbeddedApiServer } from '../../src/sandbox/api/api-server.ts';
import { HttpsListener } from '../../src/sandbox/api/https-listener.ts';
import { kubeconfig } from '../../src/sandbox/api/kubeconfig.ts';
import type { ServerRequest } from '../../src/sandbox/api/exchange.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

export interface Asked {
  /** On the world's clock, milliseconds. */
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly isWatch: boolean;
  /** Changes nothing, whatever its method. */
  readonly isDryRun: boolean;
}

interface Hook {
  onRequest: ((asked: Asked, count: number) => void) | undefined;
}

/** A way into the world's API server over TLS for one process alone, so that it is known who asked for what. */
export class Door implements AsyncDisposable {
  /** In the order of arrival. */
  readonly requests: Asked[];
  readonly #listener: HttpsListener;
  readonly #hook: Hook;

  private constructor(listener: HttpsListener, requests: Asked[], hook: Hook) {
    this.#listener = listener;
    this.requests = requests;
    this.#hook = hook;
  }

  static async open(sandbox: Sandbox): Promise<Door> {
    const requests: Asked[] = [];
    const hook: Hook = { onRequest: undefined };
    let count = 0;
    const note = ({ method, path, query }: ServerRequest, isWatch: boolean): void => {
      const isDryRun = query['dryRun'] !== undefined;
      const asked: Asked = { atMs: sandbox.clock.monotonicMs(), method, path, isWatch, isDryRun };
      requests.push(asked);
      if (isOfLease(asked)) return;
      count += 1;
      hook.onRequest?.(asked, count);
    };
    const served: Pick<EmbeddedApiServer, 'answer' | 'watch'> = {
      answer: (request) => {
        note(request, false);
        return sandbox.api.answer(request);
      },
      watch: (request, client) => {
        note(request, true);
        return sandbox.api.watch(request, client);
      },
    };
    const listener = await HttpsListener.start(served, {
      port: 0,
      random: sandbox.random,
      clock: sandbox.clock,
    });
    return new Door(listener, requests, hook);
  }

  get kubeconfig(): string {
    return kubeconfig(this.#listener);
  }

  /** What changes something, apart from the Lease and from what is only told. */
  get effects(): readonly Asked[] {
    return this.requests.filter(
      ({ method, path, isDryRun }) => method !== 'GET' && !isDryRun && !/\/(leases|events)(\/|$)/.test(path),
    );
  }

  /** Those of the Lease, which come by the clock. */
  get ofLease(): readonly Asked[] {
    return this.requests.filter(isOfLease);
  }

  /** Called before each is carried out, with the number of requests so far; both without those of the Lease, which come by the clock. */
  onRequest(hook: (asked: Asked, count: number) => void): Disposable {
    this.#hook.onRequest = hook;
    return { [Symbol.dispose]: () => void (this.#hook.onRequest = undefined) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
  }
}

function isOfLease({ path }: Pick<Asked, 'path'>): boolean {
  return path.includes('/leases/') || path.endsWith('/leases');
}
