import { backoffMs } from '../../kube/backoff.ts';
import { LinkedAbort } from '../../kube/linked-abort.ts';
import type { InventoryState, InventoryStore } from '../../inventory/store.ts';
import { isSourceError, SourceError } from '../../model/fault.ts';
import { scrubber, type Scrub } from '../../model/scrub.ts';
import type { SourceFault } from '../../model/source-data.ts';
import type { Connection, Probe, Source, SourceDeps, SourcePlatform } from '../../sources/source.ts';

/** How far a Provider's session has come. */
export type SessionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly probe: Probe }
  /** `refused`: trying again without a change of the Secret would only lock the account. */
  | { readonly kind: 'failed'; readonly fault: SourceFault; readonly refused: boolean };

/** An outage ends by itself and all goes on within half a minute; what an administrator has to mend is asked for less often. */
const reconnect = { outage: { firstMs: 1_000, maxMs: 15_000 }, refusal: { firstMs: 1_000, maxMs: 60_000 } };

/** A login that was proved is not proved again for so long, milliseconds. */
const verifiedForMs = 60_000;

/**
 * The one login of a Provider: opens it, keeps its inventory in step, opens it again when it breaks. A rejected password is tried once;
 * the session then rests until the Provider or its Secret change, which makes a new one. Nothing else is final: a certificate that is not
 * trusted is seen before any password is sent, a privilege may be given, so those are tried again.
 */
export class ProviderSession {
  readonly inventory: InventoryStore;
  readonly platform: SourcePlatform;
  readonly #connection: Connection;
  readonly #deps: SourceDeps;
  readonly #onChange: () => void;
  readonly #end = new AbortController();
  #state: SessionState = { kind: 'connecting' };
  #source: Source | undefined;
  #done: Promise<void> = Promise.resolve();
  /** Ends the life of the present source, not the session. */
  #endLife: (() => void) | undefined;
  #refusal: SourceFault | undefined;
  #verifying: Promise<void> | undefined;
  #verifiedMs = Number.NEGATIVE_INFINITY;

  /**
   * @param inventory of the session before, so that a change of password costs nobody the sight of the VMs.
   * @param onChange called after each change of state, also of the inventory's.
   */
  constructor(
    platform: SourcePlatform,
    connection: Connection,
    inventory: InventoryStore,
    deps: SourceDeps,
    onChange: () => void,
  ) {
    this.platform = platform;
    this.inventory = inventory;
    this.#connection = connection;
    this.#deps = deps;
    this.#onChange = onChange;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** One that is loaded anew after an outage is no longer stale for a reason that is over. */
  get inventoryState(): InventoryState {
    const { state } = this.inventory;
    return state.kind === 'stale' && state.fault.code === reloading.code ? { kind: 'loading' } : state;
  }

  get scrub(): Scrub {
    return this.#deps.scrub;
  }

  /** Throws SourceError while there is no session. */
  get source(): Source {
    if (this.#source !== undefined) return this.#source;
    throw new SourceError(this.#state.kind === 'failed' ? this.#state.fault : notConnected);
  }

  /** A login has proved the credentials a moment ago. */
  get isVerified(): boolean {
    return this.#deps.clock.monotonicMs() - this.#verifiedMs < verifiedForMs;
  }

  /**
   * One login beside the live one, which outlives a change of the password: somebody else says that the credentials are refused. Callers
   * share one try. When it is refused, so is this session.
   */
  async verify(): Promise<void> {
    if (this.#state.kind !== 'connected' || this.isVerified) return;
    this.#verifying ??= this.#verify(this.#end.signal).finally(() => (this.#verifying = undefined));
    await this.#verifying;
  }

  start(): void {
    this.#done = this.#run(this.#end.signal);
  }

  async stop(): Promise<void> {
    this.#end.abort(new Error('the session of the Provider is over'));
    await this.#done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        await this.#live(signal, () => (failures = 1));
      } catch (error) {
        if (isOver(signal)) break;
        const fault = faultOf(error);
        const refused = fault.code === 'InvalidLogin';
        this.inventory.stale(fault);
        this.#enter({ kind: 'failed', fault, refused });
        this.#deps.log.warn('source lost', { code: fault.code, error: fault.message, refused });
        if (refused) break;
        await this.#pause(fault, failures, signal);
      }
    }
    this.#source = undefined;
  }

  async #verify(signal: AbortSignal): Promise<void> {
    try {
      await using _source = await this.platform.open(this.#connection, this.#deps, signal);
      this.#verifiedMs = this.#deps.clock.monotonicMs();
    } catch (error) {
      if (signal.aborted) return;
      const fault = faultOf(error);
      this.#deps.log.warn('login could not be verified', { code: fault.code, error: fault.message });
      if (fault.code !== 'InvalidLogin') return;
      this.#refusal = fault;
      this.#endLife?.();
      await this.#done;
    }
  }

  async #live(signal: AbortSignal, onConnected: () => void): Promise<void> {
    using life = new LinkedAbort(signal);
    this.#endLife = () => life.abort(new Error('the credentials of the Provider were refused'));
    await using source = await this.platform.open(this.#connection, this.#deps, signal);
    const probe = await source.probe(signal);
    this.#source = source;
    if (this.inventory.state.kind === 'stale') this.inventory.stale(reloading);
    this.#enter({ kind: 'connected', probe });
    onConnected();
    this.#deps.log.info('source connected', { version: probe.version, instance: probe.instance });
    using _state = this.inventory.onState(() => this.#onChange());
    try {
      await source.collect(this.inventory, life.signal);
    } finally {
      this.#source = undefined;
      this.#endLife = undefined;
    }
    if (this.#refusal !== undefined) throw new SourceError(this.#refusal);
  }

  #enter(state: SessionState): void {
    this.#state = state;
    this.#onChange();
  }

  async #pause({ kind }: SourceFault, failures: number, signal: AbortSignal): Promise<void> {
    const passes = kind === 'transient' || kind === 'busy';
    const ms = backoffMs(failures, passes ? reconnect.outage : reconnect.refusal, this.#deps.random);
    // An abort ends the loop by its own condition.
    await this.#deps.clock.sleep(ms, signal).catch(() => undefined);
  }
}

/** Asked anew after an await: the compiler takes a signal that was open before for open still. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

const reloading: SourceFault = {
  code: 'InventoryReloading',
  kind: 'transient',
  message: 'The source answers again and its inventory is being loaded anew.',
};

export const notConnected: SourceFault = {
  code: 'ProviderNotConnected',
  kind: 'transient',
  message: 'The Provider is not connected yet; its conditions say why.',
};

function faultOf(error: unknown): SourceFault {
  if (isSourceError(error)) return error.fault;
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'SourceFailed', kind: 'transient', message };
}

/** All values of a Secret that must never be seen again: everything but addresses, flags and certificates. */
export function secretScrub(data: Readonly<Record<string, string>>): Scrub {
  const open = new Set(['url', 'insecureSkipVerify', 'ca.crt', 'cacert', 'thumbprint', 'user']);
  return scrubber(Object.entries(data).flatMap(([key, value]) => (open.has(key) ? [] : [value])));
}
