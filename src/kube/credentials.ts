import type { Clock } from '../runtime/clock.ts';

/** What proves to a server who asks: headers, or a client certificate (PEM), or both. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly cert?: string;
  readonly key?: string;
}

/** Where the credentials of a connection come from, and come from anew. */
export interface Auth {
  /** Those to use now; cheap to call for every request. */
  current(signal?: AbortSignal): Promise<Credentials>;
  /** The server took them no more (401). Gives true when `current` may bring others, so that asking again makes sense. */
  renew(): boolean;
}

/** So often (milliseconds) a source of credentials is read again: a mounted token is replaced long before it expires. */
export const credentialsAgeMs = 60_000;

export function staticAuth(credentials: Credentials): Auth {
  return { current: () => Promise.resolve(credentials), renew: () => false };
}

/**
 * Reads credentials when they are needed, at most once a minute, and at once after a refusal. A reading that fails while older
 * credentials are held is not an error: the server will say when they no longer do.
 */
export class ReadAuth implements Auth {
  readonly #read: (isRenewal: boolean) => Promise<Credentials>;
  readonly #clock: Clock;
  #held: { readonly credentials: Credentials; readonly untilMs: number } | undefined;
  #reading: Promise<Credentials> | undefined;
  #isRenewal = false;

  constructor(read: (isRenewal: boolean) => Promise<Credentials>, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  async current(): Promise<Credentials> {
    if (this.#held !== undefined && this.#clock.monotonicMs() < this.#held.untilMs)
      return this.#held.credentials;
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  renew(): boolean {
    this.#isRenewal = true;
    if (this.#held !== undefined) this.#held = { ...this.#held, untilMs: 0 };
    return true;
  }

  async #readOnce(): Promise<Credentials> {
    const isRenewal = this.#isRenewal;
    this.#isRenewal = false;
    const held = this.#held;
    const credentials = await this.#read(isRenewal).catch((error: unknown) => {
      if (held === undefined) throw error;
      return held.credentials;
    });
    this.#held = { credentials, untilMs: this.#clock.monotonicMs() + credentialsAgeMs };
    return credentials;
  }
}
