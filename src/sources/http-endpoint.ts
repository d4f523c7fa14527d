import type { TLSSocket } from 'node:tls';
import { buildConnector, Pool } from 'undici';
import { SourceError } from '../model/fault.ts';
import { certificateNotTrusted, noAnswer, thumbprintMismatch } from './endpoint-faults.ts';
import type { HttpAnswer, HttpCall, HttpEndpoint, Trust } from './source.ts';

export interface HttpEndpointOptions {
  /** Also bounds the calls in flight to this server (review.md F53: one session, a handful of calls). */
  readonly connections?: number;
  readonly connectTimeoutMs?: number;
  /** Until the headers, and between two pieces of a body. Longer than any long poll: a collector waits 60 s (fact: vs 1.4). */
  readonly idleTimeoutMs?: number;
}

/**
 * HTTPS with keep-alive to one server. TLS is verified unless the user has said otherwise. Throws SourceError: transient when there is no
 * answer, auth when the certificate is not trusted; or the reason of the caller's signal.
 */
export function createHttpEndpoint(
  url: string,
  trust: Trust,
  options: HttpEndpointOptions = {},
): HttpEndpoint {
  return new UndiciEndpoint(new URL(url), trust, options);
}

class UndiciEndpoint implements HttpEndpoint {
  readonly #url: URL;
  readonly #connect: buildConnector.connector;
  readonly #pool: Pool;

  constructor(url: URL, trust: Trust, options: HttpEndpointOptions) {
    this.#url = url;
    this.#connect = verifiedConnector(trust, options.connectTimeoutMs ?? 10_000);
    const idle = options.idleTimeoutMs ?? 120_000;
    this.#pool = new Pool(url.origin, {
      connect: this.#connect,
      allowH2: false,
      connections: options.connections ?? 10,
      headersTimeout: idle,
      bodyTimeout: idle,
    });
  }

  async call(request: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const answering = this.#pool.request({
        method: request.method,
        path: request.path,
        headers: { ...request.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
        signal,
      });
      // A request that waits for its connection heeds the signal only when that stands, or has failed: ten seconds later.
      const answer = await Promise.race([answering, aborted.promise]);
      const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [
        name.toLowerCase(),
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]);
      return {
        status: answer.statusCode,
        headers: Object.fromEntries(headers),
        body: this.#bodyOf(answer.body, signal),
      };
    } catch (error) {
      throw this.#translate(error, signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  peerThumbprint(signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = (): void => reject(this.#translate(signal.reason, signal));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#connect(connectOptions(this.#url), (error, socket) => {
        signal.removeEventListener('abort', onAbort);
        if (error !== null) {
          reject(this.#translate(error, signal));
          return;
        }
        const thumbprint = thumbprintOf(socket);
        socket.destroy();
        if (thumbprint !== undefined) resolve(thumbprint);
        else reject(this.#translate(new Error('the server showed no certificate'), signal));
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }

  async *#bodyOf(body: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) yield chunk as Uint8Array;
    } catch (error) {
      throw this.#translate(error, signal);
    }
  }

  #translate(error: unknown, signal: AbortSignal): Error {
    if (signal.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted');
    if (error instanceof SourceError) return error;
    const code = codeOf(error);
    const why = error instanceof Error ? error.message : String(error);
    const url = `${this.#url.origin}${this.#url.pathname}`;
    if (untrusted.has(code)) return certificateNotTrusted(url, `${code}: ${why}`, { cause: error });
    return noAnswer(url, code === '' ? why : code, { cause: error });
  }
}

/** What OpenSSL and Node call the ways in which a certificate may fail. */
const untrusted: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'THUMBPRINT_MISMATCH',
]);

/** By shape and not by class: an error may come from another realm. */
function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

class ThumbprintMismatch extends Error {
  readonly code = 'THUMBPRINT_MISMATCH';
}

function verifiedConnector(trust: Trust, timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({
    timeout: timeoutMs,
    // As for API servers (kube/undici-transport.ts): what is open in the end must not throw out of the process.
    allowH2: false,
    rejectUnauthorized: trust.by === 'system' || trust.by === 'ca',
    ...(trust.by === 'ca' ? { ca: trust.pem } : {}),
    // A resumed TLS session shows no certificate, and then there is nothing to hold the pin against.
    maxCachedSessions: 0,
  });
  if (trust.by !== 'thumbprint') return connect;
  const pin = normalizeThumbprint(trust.sha1);
  return (options, callback) => {
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null) {
        callback(error, null);
        return;
      }
      const shown = thumbprintOf(socket);
      if (shown === pin) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      callback(new ThumbprintMismatch(thumbprintMismatch(shown, pin)), null);
    });
  };
}

function connectOptions(url: URL): buildConnector.Options {
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    host: url.host,
    protocol: url.protocol,
    port: url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port,
  };
}

/** SHA-1 in upper-case hex with colons: how VDDK and Forklift write it (fact: vs 1.7). */
function thumbprintOf(socket: object): string | undefined {
  if (!('getPeerCertificate' in socket)) return undefined;
  const certificate = (socket as TLSSocket).getPeerCertificate();
  return 'fingerprint' in certificate ? normalizeThumbprint(certificate.fingerprint) : undefined;
}

function normalizeThumbprint(text: string): string {
  const digits = text.replace(/[^0-9a-fA-F]/g, '').toUpperCase();
  return digits.match(/../g)?.join(':') ?? '';
}
