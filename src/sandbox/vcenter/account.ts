import type { Clock } from '../../runtime/clock.ts';
import type { Faults, Trace } from '../world.ts';

/**
 * The usual policy of a vCenter's single sign-on: five wrong passwords within three minutes shut the account for five. fact: inferred, vs 1.6
 * only says that accounts get locked.
 */
export const lockoutPolicy = { tries: 5, withinMs: 180_000, lockedMs: 300_000 } as const;

export interface AccountParts {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly trace: Trace;
}

/** The one account of this vCenter, for its API and for VDDK alike. Every wrong try counts, so that a client that hammers is seen. */
export class Account {
  readonly user: string;
  #password: string;
  #wrong = 0;
  /** When the wrong tries since the last right one were made. */
  #recent: readonly number[] = [];
  #lockedUntilMs = 0;
  readonly #parts: AccountParts;

  constructor(credentials: { readonly user: string; readonly password: string }, parts: AccountParts) {
    this.user = credentials.user;
    this.#password = credentials.password;
    this.#parts = parts;
  }

  get wrongTries(): number {
    return this.#wrong;
  }
  get locked(): boolean {
    return this.#parts.clock.monotonicMs() < this.#lockedUntilMs;
  }
  get password(): string {
    return this.#password;
  }

  /** A new password; it also opens a locked account. */
  setPassword(password: string): void {
    this.#password = password;
    this.#recent = [];
    this.#lockedUntilMs = 0;
  }

  /** Single sign-on does not mind case in user names; passwords do. A locked account refuses the right one too. */
  accepts(user: string, password: string, by: string): boolean {
    const { faults, trace } = this.#parts;
    const isRight = user.toLowerCase() === this.user.toLowerCase() && password === this.#password;
    if (isRight && !this.locked && !faults.strikes('vcenter-password-changed', this.user)) {
      this.#recent = [];
      return true;
    }
    const detail = this.locked ? 'account locked' : 'wrong password';
    this.#wrong += 1;
    if (!this.locked) this.#countWrong();
    trace.add({ who: by, what: 'login refused', on: 'vcenter', detail });
    return false;
  }

  #countWrong(): void {
    const now = this.#parts.clock.monotonicMs();
    this.#recent = [...this.#recent.filter((at) => now - at < lockoutPolicy.withinMs), now];
    if (this.#recent.length >= lockoutPolicy.tries) this.#lockedUntilMs = now + lockoutPolicy.lockedMs;
  }

  /** "VSPHERE.LOCAL\Administrator" for administrator@vsphere.local. */
  get displayName(): string {
    const [name = '', domain] = this.user.split('@');
    const capital = name.charAt(0).toUpperCase() + name.slice(1);
    return domain === undefined ? capital : `${domain.toUpperCase()}\\${capital}`;
  }
}
