import { SourceError } from '../../model/fault.ts';
import { certificateNotTrusted, noAnswer, thumbprintMismatch } from '../../sources/endpoint-faults.ts';
import type { HttpAnswer, HttpCall, HttpEndpoint, Trust } from '../../sources/source.ts';
import { trustsCertificate, type ServerCertificate } from './certificate.ts';
import { ConnectionReset } from './property-collector.ts';
import type { SoapAnswer, SoapRequest } from './soap-service.ts';

/** The server as a caller in the same process reaches it. */
export interface ReachableServer {
  /** Asked at each call: it may be renewed at any time. */
  certificate(): ServerCertificate;
  /** False: nobody answers at this host, or not now. */
  answersAt(url: string): boolean;
  handle(request: SoapRequest, signal: AbortSignal): Promise<SoapAnswer>;
}

const chunkBytes = 64 * 1024;

/** HTTP and TLS without a socket: the certificate is looked at before each call, as a new connection would. */
export class InProcessEndpoint implements HttpEndpoint {
  readonly #server: ReachableServer;
  readonly #url: string;
  readonly #trust: Trust;
  readonly #closed = new AbortController();

  constructor(server: ReachableServer, url: string, trust: Trust) {
    this.#server = server;
    this.#url = url;
    this.#trust = trust;
  }

  async call(request: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const both = AbortSignal.any([signal, this.#closed.signal]);
    both.throwIfAborted();
    this.#connect();
    if (!isTrusted(this.#trust, this.#server.certificate())) throw this.#notTrusted();
    const answer = await this.#answer(plain(request), both);
    both.throwIfAborted();
    // A connection that broke while the answer was on its way.
    this.#connect();
    return { status: answer.status, headers: answer.headers, body: chunks(answer.body) };
  }

  peerThumbprint(signal: AbortSignal): Promise<string> {
    return Promise.resolve().then(() => {
      signal.throwIfAborted();
      this.#connect();
      return this.#server.certificate().thumbprint;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(
      new SourceError({
        code: 'Unreachable',
        kind: 'transient',
        message: `the connection to ${this.#url} was closed`,
      }),
    );
    return Promise.resolve();
  }

  async #answer(request: SoapRequest, signal: AbortSignal): Promise<SoapAnswer> {
    try {
      return await this.#server.handle(request, signal);
    } catch (error) {
      throw error instanceof ConnectionReset ? this.#noAnswer() : error;
    }
  }

  #connect(): void {
    if (!this.#server.answersAt(this.#url)) throw this.#noAnswer();
  }

  #noAnswer(): SourceError {
    return noAnswer(this.#url, 'ECONNREFUSED');
  }

  /** In Node's and OpenSSL's words, as over a socket. */
  #notTrusted(): SourceError {
    const { thumbprint } = this.#server.certificate();
    const why =
      this.#trust.by === 'thumbprint'
        ? `THUMBPRINT_MISMATCH: ${thumbprintMismatch(thumbprint, this.#trust.sha1)}`
        : 'DEPTH_ZERO_SELF_SIGNED_CERT: self-signed certificate';
    return certificateNotTrusted(this.#url, why);
  }
}

/** As TLS would judge: a self-signed certificate is never among the system's roots. */
export function isTrusted(trust: Trust, certificate: ServerCertificate): boolean {
  switch (trust.by) {
    case 'nothing':
      return true;
    case 'system':
      return false;
    case 'ca':
      return trustsCertificate(trust.pem, certificate.certificatePem);
    case 'thumbprint':
      return trust.sha1.toUpperCase() === certificate.thumbprint;
  }
}

function plain(request: HttpCall): SoapRequest {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const { body = '' } = request;
  return {
    method: request.method,
    path: request.path,
    headers,
    body: typeof body === 'string' ? body : Buffer.from(body).toString('utf8'),
  };
}

/** In pieces, as a socket would bring it: a reader must not count on whole characters. */
// eslint-disable-next-line @typescript-eslint/require-await -- an async iterable that has nothing to wait for
async function* chunks(text: string): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text, 'utf8');
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    yield bytes.subarray(offset, offset + chunkBytes);
  }
}
