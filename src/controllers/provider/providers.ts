import { providers as providerKind } from '../../api/kinds.ts';
import { isTrue, mergeConditions } from '../../api/conditions.ts';
import type { Stored } from '../../api/meta.ts';
import type { Provider, ProviderStatus } from '../../api/provider.ts';
import { InventoryStore } from '../../inventory/store.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { SourceError } from '../../model/fault.ts';
import type { Scrub } from '../../model/scrub.ts';
import type { Finding, SourceFault } from '../../model/source-data.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { Logger } from '../../runtime/log.ts';
import type { SourceAccess } from '../../migration/facts.ts';
import type { SecretView, Source, SourceDeps, SourcePlatform } from '../../sources/source.ts';
import type { ProviderRef, SourceHub } from '../source-hub.ts';
import { writeStatus } from '../write-status.ts';
import { notConnected, ProviderSession, secretScrub } from './session.ts';
import { secretData, SecretWatch } from './secret-watch.ts';
import { isHost, judgeProvider, type ProviderFacts } from './status.ts';

export interface ProvidersDeps {
  readonly client: KubeClient;
  readonly cache: ObjectCache<Provider>;
  readonly platformOf: (type: string) => SourcePlatform | undefined;
  readonly connect: SourceDeps['connect'];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly events: EventRecorder;
  /** Has the Provider of this key looked at again. */
  readonly enqueue: (key: string) => void;
}

/** What is kept of one Provider while it is there. */
interface Member {
  readonly uid: string;
  secret?: SecretWatch;
  session?: ProviderSession;
  /** What the session was opened with: when it changes, a new one is. */
  opened?: string;
  /** resourceVersion of the Secret that the session was opened with. */
  secretVersion?: string;
  /** resourceVersion of the Secret of which an event has said that it is rejected. */
  rejected?: string;
  inventory: InventoryStore;
}

/**
 * Keeps a session for each Provider, and tells in its status how it is. The one place where credentials are read; everybody else asks
 * for the live Source.
 */
export class Providers implements SourceHub {
  readonly #deps: ProvidersDeps;
  readonly #members = new Map<string, Member>();
  readonly #handlers = new Set<(providerUid: string) => void>();

  constructor(deps: ProvidersDeps) {
    this.#deps = deps;
  }

  // ---- SourceHub ----------------------------------------------------------------------------------------------------------------

  source(provider: ProviderRef): Source {
    const member = this.#members.get(`${provider.namespace}/${provider.name}`);
    if (member?.uid !== provider.uid) {
      const message = `Provider ${provider.namespace}/${provider.name} is not there, or is another one of that name.`;
      throw new SourceError({ code: 'ProviderGone', kind: 'transient', message });
    }
    if (member.session === undefined) {
      const message = `Provider ${provider.namespace}/${provider.name} is not connected; its conditions say why.`;
      throw new SourceError({ code: 'ProviderNotConnected', kind: 'transient', message });
    }
    return member.session.source;
  }

  access({ namespace, name, uid }: ProviderRef): SourceAccess {
    const member = this.#members.get(`${namespace}/${name}`);
    const session = member?.uid === uid ? member.session : undefined;
    const shut = (fault: SourceFault, isRejected: boolean): SourceAccess => {
      return { state: 'shut', code: fault.code, message: fault.message, isRejected };
    };
    if (member === undefined || session === undefined) return shut(notConnected, false);
    const { state } = session;
    if (state.kind === 'connecting') return shut(notConnected, false);
    if (state.kind === 'failed') return shut(state.fault, state.refused);
    const { inventoryState } = session;
    if (inventoryState.kind === 'stale') return shut(inventoryState.fault, false);
    return { state: 'open', credentials: member.secretVersion ?? '', isVerified: session.isVerified };
  }

  async verifyLogin({ namespace, name, uid }: ProviderRef, credentials: string): Promise<void> {
    const member = this.#members.get(`${namespace}/${name}`);
    if (member?.uid !== uid || member.secretVersion !== credentials) return;
    await member.session?.verify();
  }

  inventory(providerUid: string): InventoryStore | undefined {
    return this.#byUid(providerUid)?.inventory;
  }

  platform(providerUid: string): SourcePlatform | undefined {
    return this.#byUid(providerUid)?.session?.platform;
  }

  scrub(providerUid: string): Scrub {
    return this.#byUid(providerUid)?.session?.scrub ?? ((text) => text);
  }

  onChange(handler: (providerUid: string) => void): Disposable {
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }

  // ---- reconciling --------------------------------------------------------------------------------------------------------------

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const provider = this.#deps.cache.getByKey(key);
    const known = this.#members.get(key);
    if (provider === undefined || (known !== undefined && known.uid !== provider.metadata.uid)) {
      await this.#drop(key);
      if (provider === undefined) return {};
    }
    const member = this.#members.get(key) ?? newMember(provider);
    this.#members.set(key, member);
    const facts = await this.#connect(key, provider, member);
    await this.#write(provider, member, facts, signal);
    this.#tellRejection(provider, member, facts);
    return {};
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#members.keys()].map((key) => this.#drop(key)));
  }

  async #connect(key: string, provider: Stored<Provider>, member: Member): Promise<ProviderFacts> {
    const { spec } = provider;
    const platform = this.#deps.platformOf(spec.type);
    const base = { spec, session: undefined, inventory: undefined };
    if (platform === undefined || isHost(spec)) return { ...base, checks: undefined, secret: 'none needed' };
    const at = {
      namespace: spec.secret.namespace ?? provider.metadata.namespace ?? '',
      name: spec.secret.name ?? '',
    };
    if (at.name === '') return { ...base, checks: [], secret: 'not set' };
    const watch = this.#follow(key, member, at);
    if (!watch.hasSynced) return { ...base, checks: [], secret: 'loading' };
    const secret = watch.secret;
    if (secret === undefined) {
      await this.#close(member);
      return { ...base, checks: [], secret: 'not found' };
    }
    const data = secretData(secret);
    const view: SecretView = { resourceVersion: secret.metadata.resourceVersion, get: (name) => data[name] };
    const settings = spec.settings ?? {};
    const checks = platform.checkProvider({ type: platform.type, url: spec.url ?? '', settings }, view);
    if (checks.some((finding) => finding.severity === 'Critical')) {
      await this.#close(member);
      return { ...base, checks, secret: 'present' };
    }
    await this.#open(key, provider, member, platform, view, data);
    return this.#facts(provider, member, checks);
  }

  #facts(provider: Stored<Provider>, member: Member, checks: readonly Finding[]): ProviderFacts {
    const inventory = member.session?.inventoryState;
    return { spec: provider.spec, checks, secret: 'present', session: member.session?.state, inventory };
  }

  #follow(
    key: string,
    member: Member,
    at: { readonly namespace: string; readonly name: string },
  ): SecretWatch {
    const { secret } = member;
    if (secret?.at.name === at.name && secret.at.namespace === at.namespace) return secret;
    secret?.stop();
    member.secret = new SecretWatch(at, this.#deps, () => this.#deps.enqueue(key));
    return member.secret;
  }

  async #open(
    key: string,
    provider: Stored<Provider>,
    member: Member,
    platform: SourcePlatform,
    secret: SecretView,
    data: Readonly<Record<string, string>>,
  ): Promise<void> {
    const opened = JSON.stringify([provider.spec.url, provider.spec.settings, data]);
    const { session } = member;
    // A touched Secret that says the same is how an administrator who has unlocked the account asks for one more try.
    const isRefused = session?.state.kind === 'failed' && session.state.refused;
    const mayTryAgain = isRefused && member.secretVersion !== secret.resourceVersion;
    if (session !== undefined && member.opened === opened && !mayTryAgain) return;
    await this.#close(member);
    const { clock, random, connect, enqueue } = this.#deps;
    const log = this.#deps.log.child({ provider: key });
    const connection = {
      url: provider.spec.url ?? '',
      secret,
      settings: provider.spec.settings ?? {},
      hosts: [],
    };
    const deps: SourceDeps = { clock, random, log, connect, scrub: secretScrub(data) };
    member.session = new ProviderSession(platform, connection, member.inventory, deps, () => {
      enqueue(key);
      for (const handler of [...this.#handlers]) handler(member.uid);
    });
    member.opened = opened;
    member.secretVersion = secret.resourceVersion;
    member.session.start();
  }

  async #write(
    provider: Stored<Provider>,
    member: Member,
    facts: ProviderFacts,
    signal: AbortSignal,
  ): Promise<void> {
    const { phase, conditions } = judgeProvider(facts);
    const before = provider.status ?? {};
    const fingerprint =
      facts.session?.kind === 'connected' ? facts.session.probe.fingerprint : before.fingerprint;
    const version = member.secret?.secret?.metadata.resourceVersion;
    const wanted: ProviderStatus = {
      ...before,
      phase,
      conditions: mergeConditions(before.conditions ?? [], conditions, rfc3339(this.#deps.clock.now())),
      ...(provider.metadata.generation !== undefined && { observedGeneration: provider.metadata.generation }),
      ...(fingerprint !== undefined && { fingerprint }),
      ...(version !== undefined && { secretResourceVersion: version }),
    };
    await writeStatus(providerKind, provider, wanted, this.#deps, signal);
  }

  /** Once for each version of the Secret: it is what somebody has to edit, and every edit is one more try. */
  #tellRejection(provider: Stored<Provider>, member: Member, { session }: ProviderFacts): void {
    const { secretVersion, secret } = member;
    if (session?.kind !== 'failed' || !session.refused || secretVersion === undefined) return;
    if (member.rejected === secretVersion) return;
    member.rejected = secretVersion;
    const named = `Secret ${secret?.at.namespace ?? ''}/${secret?.at.name ?? ''}`;
    const message = `The source rejects what ${named} holds: ${session.fault.message} What is under way waits, and goes on by itself when the Secret is corrected.`;
    this.#deps.events.record(provider, { type: 'Warning', reason: 'SourceCredentialsRejected', message });
  }

  async #close(member: Member): Promise<void> {
    const { session } = member;
    delete member.session;
    delete member.opened;
    delete member.secretVersion;
    await session?.stop();
  }

  async #drop(key: string): Promise<void> {
    const member = this.#members.get(key);
    if (member === undefined) return;
    this.#members.delete(key);
    member.secret?.stop();
    await this.#close(member);
    for (const handler of [...this.#handlers]) handler(member.uid);
  }

  #byUid(uid: string): Member | undefined {
    return [...this.#members.values()].find((member) => member.uid === uid);
  }
}

/** A process before this one may have told of the same rejection. */
function newMember({ metadata, status }: Stored<Provider>): Member {
  const rejected = isTrue(status?.conditions, 'ConnectionAuthFailed')
    ? status?.secretResourceVersion
    : undefined;
  return {
    uid: metadata.uid,
    inventory: new InventoryStore(),
    ...(rejected !== undefined && { rejected }),
  };
}
