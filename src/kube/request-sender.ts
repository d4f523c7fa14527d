import type { ResourceKind } from '../api/meta.ts';
import { resourceName } from '../api/meta.ts';
import type { ObjectKey } from './client.ts';
import { KubeError } from './errors.ts';
import { keyString } from './object-key.ts';
import type { RetryDeps } from './request-retry.ts';
import { withRetries } from './request-retry.ts';
import { responseToError } from './status-to-error.ts';
import type { ApiRequest, ApiResponse, ApiStream, Transport } from './transport.ts';
import { TransportError } from './transport.ts';

export type KubeVerb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete' | 'proxy' | 'version';

/** One request as it went over the wire: repeats count one by one. */
export interface RequestObservation {
  readonly verb: KubeVerb;
  /** "plans.forklift.konveyor.io"; empty for `version`. */
  readonly resource: string;
  readonly method: ApiRequest['method'];
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly durationMs: number;
}

export interface RequestDeps extends RetryDeps {
  /** Called once for each request sent, after the head of its answer. Must not throw. */
  readonly onRequest?: (observation: RequestObservation) => void;
}

/** What is being attempted: for error messages and observation. */
export interface Attempt {
  readonly verb: KubeVerb;
  readonly resource: string;
  /** "patch plans.forklift.konveyor.io ns/name". */
  readonly words: string;
}

export function attemptOn(verb: KubeVerb, kind: ResourceKind, at: ObjectKey, subresource = ''): Attempt {
  const resource = resourceName(kind);
  return { verb, resource, words: `${verb} ${resource}${subresource} ${keyString(at)}` };
}

export function attemptOnAll(verb: KubeVerb, kind: ResourceKind, namespace: string | undefined): Attempt {
  const resource = resourceName(kind);
  return { verb, resource, words: `${verb} ${resource}${namespace === undefined ? '' : ` in ${namespace}`}` };
}

/** Sends requests, repeats those that may be repeated, and turns every refusal and silence into a KubeError. */
export class RequestSender {
  readonly #transport: Transport;
  readonly #deps: RequestDeps;

  constructor(transport: Transport, deps: RequestDeps) {
    this.#transport = transport;
    this.#deps = deps;
  }

  /** The answer that `accepts` lets through (by default 2xx); every other one, and none, is a KubeError. */
  send(
    attempt: Attempt,
    request: ApiRequest,
    signal: AbortSignal | undefined,
    accepts: (response: ApiResponse) => boolean = isSuccess,
  ): Promise<ApiResponse> {
    const once = async (): Promise<ApiResponse> => {
      const started = this.#deps.clock.monotonicMs();
      let status = 0;
      try {
        const response = await this.#transport.request(request, signal);
        status = response.status;
        if (!accepts(response)) throw responseToError(attempt.words, response);
        return response;
      } catch (error) {
        throw asKubeError(error, attempt);
      } finally {
        this.#observe(attempt, request, status, started);
      }
    };
    return withRetries(once, request.method === 'GET', this.#deps, signal);
  }

  /** Never repeated: whoever watches knows whether the version it watches from is still good. */
  async open(attempt: Attempt, request: ApiRequest, signal: AbortSignal): Promise<ApiStream> {
    const started = this.#deps.clock.monotonicMs();
    let status = 0;
    try {
      const stream = await this.#transport.stream(request, signal);
      status = stream.status;
      if (isSuccess(stream)) return stream;
      let body: unknown;
      for await (const document of stream.lines) body = document;
      throw responseToError(attempt.words, { status, headers: stream.headers, body });
    } finally {
      this.#observe(attempt, request, status, started);
    }
  }

  #observe(attempt: Attempt, request: ApiRequest, status: number, started: number): void {
    this.#deps.onRequest?.({
      verb: attempt.verb,
      resource: attempt.resource,
      method: request.method,
      status,
      durationMs: this.#deps.clock.monotonicMs() - started,
    });
  }
}

/** A TransportError as Unreachable; everything else (a refusal, the reason of an abort) as it is. */
export function asKubeError(error: unknown, attempt: Attempt): unknown {
  if (!(error instanceof TransportError)) return error;
  const fields = { code: 'Unreachable', status: 0, attempted: attempt.words } as const;
  return new KubeError({ ...fields, reason: error.code, detail: error.message }, { cause: error });
}

export function isSuccess(response: { readonly status: number }): boolean {
  return response.status >= 200 && response.status < 300;
}
