import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { ManagedObject, Registry } from './managed-object.ts';
import type { PropertyCollector } from './property-collector.ts';
import type { PropertySelection } from './property-selection.ts';
import { vim } from './vim-schema.ts';
import type { VimObject } from './vim-value.ts';
import type { ListMembers } from './views.ts';

/** fact: vs 1.3: a session that nobody uses for about half an hour is gone. */
export const idleLimitMs = 30 * 60 * 1000;

/** What is left of a paged answer. */
export interface OpenRetrieve {
  readonly selection: PropertySelection;
  readonly rest: readonly ManagedObject[];
  readonly pageSize: number;
}

/** One login, and everything that dies with it (fact: vs 1.3: views, private collectors and filters). */
export class Session {
  readonly key: string;
  readonly cookie: string;
  readonly userName: string;
  readonly #loginAtMs: number;
  lastActiveMs: number;
  userAgent = '';
  callCount = 0;
  readonly collectors = new Map<string, PropertyCollector>();
  readonly lists = new Map<string, ListMembers>();
  readonly retrieves = new Map<string, OpenRetrieve>();
  readonly #owned = new Map<string, ManagedObject>();
  readonly #registry: Registry;
  #made = 0;

  constructor(
    ids: { readonly key: string; readonly cookie: string; readonly userName: string },
    nowMs: number,
    registry: Registry,
  ) {
    this.key = ids.key;
    this.cookie = ids.cookie;
    this.userName = ids.userName;
    this.#loginAtMs = nowMs;
    this.lastActiveMs = nowMs;
    this.#registry = registry;
  }

  /** An id for a thing of this session, as a vCenter writes them. */
  newId(): string {
    return `session[${this.key}]${(this.#made += 1)}`;
  }

  own(object: ManagedObject): ManagedObject {
    this.#owned.set(object.id, object);
    return object;
  }

  owns(object: ManagedObject): boolean {
    return this.#owned.has(object.id);
  }

  drop(object: ManagedObject): void {
    this.#owned.delete(object.id);
    this.#registry.remove(object);
  }

  end(reason: Error): void {
    for (const collector of this.collectors.values()) collector.close(reason);
    this.collectors.clear();
    for (const object of this.#owned.values()) this.#registry.remove(object);
    this.#owned.clear();
  }

  /** As SessionManager lists it: with what is known of the client. */
  describeFully(displayName: string): VimObject {
    return {
      ...this.describe(displayName),
      extensionSession: false,
      ipAddress: '-',
      userAgent: this.userAgent,
      callCount: this.callCount,
    };
  }

  describe(displayName: string): VimObject {
    return vim('UserSession', {
      key: this.key,
      userName: displayName,
      fullName: displayName
        .split('\\')
        .reverse()
        .join(' ')
        .toLowerCase()
        .replace(/^./, (c) => c.toUpperCase()),
      loginTime: rfc3339(this.#loginAtMs),
      lastActiveTime: rfc3339(this.lastActiveMs),
      locale: 'en',
      messageLocale: 'en',
    });
  }
}

/** All live sessions, by cookie. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  /** Whose call is being answered right now: `currentSession` is another one for each client. */
  serving: Session | undefined;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #registry: Registry;

  constructor(clock: Clock, random: () => number, registry: Registry) {
    this.#clock = clock;
    this.#random = random;
    this.#registry = registry;
  }

  get live(): readonly Session[] {
    return [...this.#sessions.values()].filter((session) => !this.#isIdle(session));
  }

  open(userName: string): Session {
    const ids = { key: `52${this.#hex(6)}-${this.#uuidTail()}`, cookie: this.#hex(40), userName };
    const session = new Session(ids, this.#clock.now(), this.#registry);
    this.#sessions.set(session.cookie, session);
    return session;
  }

  /** The session that a Cookie header names, now marked as used; undefined when it has expired or never was. */
  ofCookie(header: string | undefined, ended: Error): Session | undefined {
    const cookie = /(?:^|;\s*)vmware_soap_session="([^"]+)"/.exec(header ?? '')?.[1];
    const session = cookie === undefined ? undefined : this.#sessions.get(cookie);
    if (session === undefined) return undefined;
    if (this.#isIdle(session)) {
      this.end(session, ended);
      return undefined;
    }
    session.lastActiveMs = this.#clock.now();
    session.callCount += 1;
    return session;
  }

  end(session: Session, reason: Error): void {
    this.#sessions.delete(session.cookie);
    session.end(reason);
  }

  endAll(reason: Error): void {
    for (const session of [...this.#sessions.values()]) this.end(session, reason);
  }

  #isIdle(session: Session): boolean {
    return this.#clock.now() - session.lastActiveMs > idleLimitMs;
  }

  #uuidTail(): string {
    return `${this.#hex(4)}-4${this.#hex(3)}-8${this.#hex(3)}-${this.#hex(12)}`;
  }

  #hex(digits: number): string {
    return Array.from({ length: digits }, () => Math.floor(this.#random() * 16).toString(16)).join('');
  }
}

/** fact: vs 1.3: the value stands in quotes, which belong to it. */
export function sessionCookie(session: Session): string {
  return `vmware_soap_session="${session.cookie}"; Path=/; HttpOnly; Secure`;
}
