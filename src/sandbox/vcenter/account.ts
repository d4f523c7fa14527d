import type { Faults, Trace } from '../world.ts';

/** Wrong passwords in a row after which the account is shut (vCenter's default policy is five). fact: inferred, vs 1.6 only warns of it. */
export const lockoutAfter = 5;

/** The one account of this vCenter, for its API and for VDDK alike. Every wrong try counts, so that a client that hammers is seen. */
export class Account {
  readonly user: string;
  #password: string;
  #wrongInARow = 0;
  #wrong = 0;
  readonly #faults: Faults;
  readonly #trace: Trace;

  constructor(
    credentials: { readonly user: string; readonly password: string },
    faults: Faults,
    trace: Trace,
  ) {
    this.user = credentials.user;
    this.#password = credentials.password;
    this.#faults = faults;
    this.#trace = trace;
  }

  get wrongTries(): number {
    return this.#wrong;
  }
  get locked(): boolean {
    return this.#wrongInARow >= lockoutAfter;
  }
  get password(): string {
    return this.#password;
  }

  /** A new password; it also opens a locked account. */
  setPassword(password: string): void {
    this.#password = password;
    this.#wrongInARow = 0;
  }

  /** Windows and SSO do not mind case in user names; passwords do. */
  accepts(user: string, password: string, by: string): boolean {
    const isRight = user.toLowerCase() === this.user.toLowerCase() && password === this.#password;
    if (isRight && !this.locked && !this.#faults.strikes('vcenter-password-changed', this.user)) {
      this.#wrongInARow = 0;
      return true;
    }
    this.#wrong += 1;
    this.#wrongInARow += 1;
    this.#trace.add({
      who: by,
      what: 'login refused',
      on: 'vcenter',
      detail: this.locked ? 'account locked' : 'wrong password',
    });
    return false;
  }

  /** "VSPHERE.LOCAL\Administrator" for administrator@vsphere.local. */
  get displayName(): string {
    const [name = '', domain] = this.user.split('@');
    const capital = name.charAt(0).toUpperCase() + name.slice(1);
    return domain === undefined ? capital : `${domain.toUpperCase()}\\${capital}`;
  }
}
