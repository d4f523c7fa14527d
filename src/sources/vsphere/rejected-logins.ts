import type { SourceFault } from '../../model/source-data.ts';

/** Enough for every Provider that anybody has; a bound, so that a Secret edited by a script for years costs nothing. */
const mostEntries = 1000;

/**
 * Passwords that a server has refused, so that none is offered twice: a second and third try by every caller would lock the account.
 * An entry stands for one version of one Secret at one URL; editing the Secret is how an operator says "try again".
 */
export class RejectedLogins {
  readonly #faults = new Map<string, SourceFault>();

  find(login: LoginKey): SourceFault | undefined {
    return this.#faults.get(keyOf(login));
  }

  remember(login: LoginKey, fault: SourceFault): void {
    const oldest = this.#faults.keys().next();
    if (this.#faults.size >= mostEntries && oldest.done !== true) this.#faults.delete(oldest.value);
    this.#faults.set(keyOf(login), fault);
  }
}

export interface LoginKey {
  readonly url: string;
  readonly secretVersion: string;
}

function keyOf(login: LoginKey): string {
  return JSON.stringify([login.url, login.secretVersion]);
}
