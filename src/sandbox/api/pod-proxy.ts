import { pods } from '../../api/kinds.ts';
import type { ServerAnswer, ServerRequest } from './exchange.ts';
import { refused } from './exchange.ts';
import { notFound, Refusal } from './refusal.ts';
import type { Route } from './routes.ts';
import type { Store } from './store.ts';

export interface PodRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  /** With the leading slash, without query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly method: string;
  readonly body: unknown;
}

/** What a pod's own server says; undefined: this responder does not answer for that pod and port. */
export type PodResponder = (
  request: PodRequest,
) => Promise<{ readonly status: number; readonly body: string } | undefined>;

/** `pods/<name>:<port>/proxy/...`: what the pod says is passed on as it is (review.md F42). */
export async function proxied(
  store: Store,
  responders: readonly PodResponder[],
  request: ServerRequest,
  route: Extract<Route, { to: 'podProxy' }>,
): Promise<ServerAnswer> {
  const { namespace, pod, port, path } = route;
  if (store.get(pods, namespace, pod) === undefined) return refused(notFound(pods, pod));
  const { query, method, body } = request;
  for (const responder of [...responders]) {
    const answer = await responder({ namespace, pod, port, path, query, method, body });
    if (answer !== undefined) {
      return { ...answer, headers: { 'content-type': 'text/plain; charset=utf-8' } };
    }
  }
  // fact: a pod that does not listen is told as ServiceUnavailable by the API server's proxy.
  const why = `error trying to reach service: dial tcp: connect: connection refused`;
  return refused(new Refusal(503, 'ServiceUnavailable', why));
}
