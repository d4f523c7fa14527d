import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServerCertificate } from './certificate.ts';
import type { SoapAnswer, SoapRequest } from './soap-service.ts';

/** What the listener needs of the server behind it. */
export interface SoapHandler {
  handle(request: SoapRequest, signal: AbortSignal): Promise<SoapAnswer>;
  /** False: drop the connection without an answer. */
  isUp(): boolean;
}

/** The same service over TLS at an address of this machine. */
export class HttpsListener implements AsyncDisposable {
  readonly #server: Server;
  readonly host: string;
  readonly port: number;

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.host = host;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(
    handler: SoapHandler,
    certificate: ServerCertificate,
    at: { readonly host: string; readonly port: number },
  ): Promise<HttpsListener> {
    const { certificatePem: cert, keyPem: key } = certificate;
    const server = createServer({ cert, key }, (request, response) => {
      answer(handler, request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    });
    server.listen(at.port, at.host);
    await once(server, 'listening');
    return new HttpsListener(server, at.host);
  }

  /** New connections see the new certificate. */
  renew({ certificatePem: cert, keyPem: key }: ServerCertificate): void {
    this.#server.setSecureContext({ cert, key });
    this.#server.closeAllConnections();
  }

  /** Cuts what is open, as a crash would. */
  dropConnections(): void {
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function answer(
  handler: SoapHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort(new Error('the client went away')));
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (!handler.isUp()) {
    request.socket.destroy();
    return;
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
  const body = Buffer.concat(chunks).toString('utf8');
  const { method = 'GET', url: path = '/' } = request;
  const answered = await handler.handle({ method, path, headers, body }, gone.signal);
  response.writeHead(answered.status, answered.headers);
  response.end(answered.body);
}
