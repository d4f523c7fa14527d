import type { HttpMethod } from '../../kube/transport.ts';
import type { UnreadBody } from './decoding.ts';
import type { Json } from './json.ts';
import type { Refusal } from './refusal.ts';

/** A request as the server sees it, whichever way it came. */
export interface ServerRequest {
  /** For the trace. */
  readonly user: string;
  readonly method: HttpMethod;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  readonly body: Json | undefined;
  /** A body that is no JSON, which is told only to who would have read it. */
  readonly unread?: UnreadBody;
  /** Length of the body on the wire. */
  readonly bytes?: number;
}

/** The body may be shared with the store: it is copied or written out before a client gets it. A string is sent as text. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export function refused(refusal: Refusal): ServerAnswer {
  const { status } = refusal;
  if (refusal.isText) return { status: status.code, headers: {}, body: refusal.message };
  const retryAfter = status.details?.retryAfterSeconds;
  return {
    status: status.code,
    headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
    body: status,
  };
}
