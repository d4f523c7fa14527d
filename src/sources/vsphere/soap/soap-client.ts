import { SourceError } from '../../../model/fault.ts';
import type { Scrub } from '../../../model/scrub.ts';
import type { Json } from '../../../model/vm.ts';
import type { HttpAnswer, HttpEndpoint } from '../../source.ts';
import { newestKnown, negotiateVersion } from './api-version.ts';
import { faultToError, garbledError, statusToError } from './faults.ts';
import { EnvelopeDecoder, type SoapBody } from './xml-decode.ts';
import { encodeEnvelope, type VimRequest } from './xml-encode.ts';

/** The path is the same on vCenter and ESXi (fact: vs 1.1). */
const sdkPath = '/sdk';

/**
 * One conversation with one vim25 server: envelopes over HTTP and the cookie that makes them a session. It knows nothing of logging in;
 * that is session.ts. Throws only SourceError, or the reason of the signal.
 */
export class SoapClient {
  readonly #endpoint: HttpEndpoint;
  readonly #scrub: Scrub;
  #apiVersion = newestKnown;
  #cookie: string | undefined;

  constructor(endpoint: HttpEndpoint, scrub: Scrub) {
    this.#endpoint = endpoint;
    this.#scrub = scrub;
  }

  /** Without it an older server would answer at its oldest level, and newer properties would vanish silently (fact: vs 1.1). */
  async negotiate(signal: AbortSignal): Promise<void> {
    const answer = await this.#endpoint.call(
      { method: 'GET', path: '/sdk/vimServiceVersions.xml', headers: {} },
      signal,
    );
    const text = await textOf(answer);
    if (answer.status === 200) this.#apiVersion = negotiateVersion(text);
  }

  /** Forgets the session: logging in twice with one cookie is a fault (fact: vs 1.3). */
  dropCookie(): void {
    this.#cookie = undefined;
  }

  /** The `returnval` of the answer; undefined for void and null. */
  async send(request: VimRequest, signal: AbortSignal): Promise<Json | undefined> {
    const answer = await this.#endpoint.call(
      {
        method: 'POST',
        path: sdkPath,
        headers: {
          'content-type': 'text/xml; charset="utf-8"',
          soapaction: `urn:vim25/${this.#apiVersion}`,
          ...(this.#cookie === undefined ? {} : { cookie: this.#cookie }),
        },
        body: encodeEnvelope(request),
      },
      signal,
    );
    // A fault travels with 500; everything else that is not 200 never came from vim25 (fact: vs 1.6).
    if (answer.status !== 200 && answer.status !== 500) {
      await textOf(answer);
      throw statusToError(request, answer.status);
    }
    const body = await bodyOf(request, answer, signal);
    this.#keepCookie(request, answer);
    if (body.kind === 'fault') throw faultToError(request, body, this.#scrub);
    return body.returnval;
  }

  /**
   * The value is quoted and the quotes belong to it (fact: vs 1.3). Only a login may replace a cookie: the late answer to a call of a
   * session that has ended must not.
   */
  #keepCookie(request: VimRequest, answer: HttpAnswer): void {
    if (this.#cookie !== undefined && request.method !== 'Login') return;
    const cookie = /vmware_soap_session=("[^"]*"|[^;,\s]*)/.exec(answer.headers['set-cookie'] ?? '');
    if (cookie !== null) this.#cookie = cookie[0];
  }
}

async function bodyOf(request: VimRequest, answer: HttpAnswer, signal: AbortSignal): Promise<SoapBody> {
  const decoder = new EnvelopeDecoder();
  try {
    for await (const chunk of answer.body) decoder.write(chunk);
    return decoder.end();
  } catch (error) {
    // The endpoint's own words for a connection that broke; all else is the decoder's.
    if (error instanceof SourceError) throw error;
    signal.throwIfAborted();
    throw answer.status === 500 ? statusToError(request, answer.status) : garbledError(request);
  }
}

async function textOf(answer: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
