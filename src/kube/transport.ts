/**
 * One API server as a place to send requests to. Two implementations: sockets (undici-transport.ts) and a call in the same process
 * (the sandbox), which makes tests fast and lets them skip time.
 */
export interface Transport extends AsyncDisposable {
  /**
   * Sends one request and reads the whole answer. Resolves for every HTTP status; the caller judges it.
   * Throws TransportError when no answer came, and the signal's reason when aborted.
   */
  request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse>;
  /**
   * Sends one request whose answer is a stream of JSON documents, one a line (a watch). Resolves when the head of the answer is there;
   * `lines` ends when the server ends it, and throws TransportError when the connection breaks.
   */
  stream(request: ApiRequest, signal: AbortSignal): Promise<ApiStream>;
}

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export const contentTypes = {
  json: 'application/json',
  mergePatch: 'application/merge-patch+json',
  jsonPatch: 'application/json-patch+json',
} as const;
export type ContentType = (typeof contentTypes)[keyof typeof contentTypes];

export interface ApiRequest {
  readonly method: HttpMethod;
  /** Absolute path, already escaped, without query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: ContentType;
  /** Plain JSON; the transport serialises it. The receiver gets a copy, never this object. */
  readonly body?: unknown;
}

export interface ApiResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON, or the text where the answer is none (a pod proxy's, a log's). */
  readonly body: unknown;
}

export interface ApiStream {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed documents. Where status is not 2xx: one document, the Status object. */
  readonly lines: AsyncIterable<unknown>;
}

/** No answer came: refused, reset, timed out. The request may or may not have had its effect. */
export class TransportError extends Error {
  readonly code: 'ConnectFailed' | 'ConnectionLost' | 'Timeout';

  constructor(code: TransportError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TransportError';
    this.code = code;
  }
}
