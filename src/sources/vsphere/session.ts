import { SourceError, isSourceError } from '../../model/fault.ts';
import type { Scrub } from '../../model/scrub.ts';
import type { Json } from '../../model/vm.ts';
import type { Logger } from '../../runtime/log.ts';
import type { HttpEndpoint } from '../source.ts';
import type { RejectedLogins } from './rejected-logins.ts';
import { serviceContentFrom, type ServiceContent } from './service-content.ts';
import { login, logout, retrieveServiceContent } from './soap/requests.ts';
import { SoapClient } from './soap/soap-client.ts';
import { asText, member } from './soap/values.ts';
import type { VimRequest } from './soap/xml-encode.ts';

export interface SessionOptions {
  readonly endpoint: HttpEndpoint;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly secretVersion: string;
  readonly rejected: RejectedLogins;
  readonly scrub: Scrub;
  readonly log: Logger;
}

/**
 * One login, shared by everything that talks to this server: vCenter limits live sessions (fact: vs 1.3). When the server has forgotten
 * it, the first call to notice logs in again and the others wait for that same login; each call is then sent once more, and only once.
 * Nothing keeps an idle session alive on purpose: the collector's waiting does, and where it does not run a forgotten session costs one
 * login.
 */
export class VimSession implements AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #client: SoapClient;
  readonly #closed = new AbortController();
  #content: ServiceContent | undefined;
  #key = '';
  #thumbprint = '';
  /** How often we have logged in: tells a call whose session has died meanwhile that somebody has already cared for it. */
  #generation = 0;
  #loggingIn: Promise<void> | undefined;
  #closing = false;

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#client = new SoapClient(options.endpoint, options.scrub);
  }

  /** Logs in. Throws SourceError. */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<VimSession> {
    const session = new VimSession(options);
    await session.#renew(0, signal);
    return session;
  }

  get content(): ServiceContent {
    if (this.#content === undefined) throw new Error('the session was never opened');
    return this.#content;
  }

  /** The key of our own session, as HasPrivilegeOnEntity wants it. */
  get key(): string {
    return this.#key;
  }

  /** SHA-1 of the certificate that the server showed when we last logged in. */
  get thumbprint(): string {
    return this.#thumbprint;
  }

  /** Grows with each login: what the server kept for an older session (views, collectors) is gone. */
  get generation(): number {
    return this.#generation;
  }

  /** Throws SourceError, or the reason of `signal`. */
  async call(request: VimRequest, signal: AbortSignal): Promise<Json | undefined> {
    const generation = this.#generation;
    this.#refuseWhenClosed();
    try {
      return await this.#client.send(request, signal);
    } catch (error) {
      if (!isSourceError(error) || error.code !== 'NotAuthenticated') throw error;
    }
    await this.#renew(generation, signal);
    return this.#client.send(request, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const content = this.#content;
    if (content !== undefined && this.#loggingIn === undefined) {
      // A server that cannot be reached forgets the session by itself.
      await this.#client
        .send(logout(content.sessionManager), this.#closed.signal)
        .catch((error: unknown) => this.#options.log.debug('could not log out', { error }));
    }
    this.#closed.abort(new Error('the session was closed'));
    await this.#options.endpoint[Symbol.asyncDispose]();
  }

  /** A new login, unless one has happened since `seen`. Several callers share one. */
  async #renew(seen: number, signal: AbortSignal): Promise<void> {
    if (this.#generation > seen) return;
    this.#refuseWhenClosed();
    this.#loggingIn ??= this.#logIn().finally(() => {
      this.#loggingIn = undefined;
    });
    await untilAborted(this.#loggingIn, signal);
  }

  async #logIn(): Promise<void> {
    this.#refuseKnownBad();
    const signal = this.#closed.signal;
    const { user, password, endpoint, rejected, log } = this.#options;
    this.#client.dropCookie();
    await this.#client.negotiate(signal);
    const content = serviceContentFrom(await this.#client.send(retrieveServiceContent(), signal));
    try {
      const answer = await this.#client.send(login(content.sessionManager, user, password), signal);
      this.#key = asText(member(answer, 'key')) ?? '';
    } catch (error) {
      if (isSourceError(error) && error.code === 'InvalidLogin')
        rejected.remember(this.#loginKey(), error.fault);
      throw error;
    }
    this.#thumbprint = await endpoint.peerThumbprint(signal);
    this.#content = content;
    this.#generation += 1;
    log.info('logged in to vSphere', { url: this.#options.url, version: content.about.fullName });
  }

  /** A login after the log-out would leave a session behind that nobody ends. */
  #refuseWhenClosed(): void {
    if (!this.#closing) return;
    throw new SourceError({
      code: 'SessionClosed',
      kind: 'transient',
      message: `The session at ${this.#options.url} was closed. Whoever still needs the vCenter uses its next one.`,
    });
  }

  #refuseKnownBad(): void {
    const fault = this.#options.rejected.find(this.#loginKey());
    if (fault !== undefined) throw new SourceError(fault);
  }

  #loginKey() {
    return { url: this.#options.url, secretVersion: this.#options.secretVersion };
  }
}

/** The promise goes on for the others when one caller gives up. */
function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
