import { SourceError } from '../../model/fault.ts';
import type { Disposal, PowerReading, Subject, VmHandle } from '../../model/source-data.ts';
import type { VmModel } from '../../model/vm.ts';
import type {
  Connection,
  InventorySink,
  Probe,
  Snapshots,
  Source,
  SourceDeps,
  SourceEntry,
  Transfer,
} from '../source.ts';
import { Collector } from './collector.ts';
import { credentialsOf, trustOf } from './credentials.ts';
import { findMarkedSnapshots } from './marked-snapshots.ts';
import { readPower, requestPower } from './power.ts';
import { checkPrivileges } from './privileges.ts';
import type { RejectedLogins } from './rejected-logins.ts';
import { VimSession } from './session.ts';
import { VsphereSnapshots } from './snapshots/vsphere-snapshots.ts';
import { unknownKind, VddkTransfer } from './transfer.ts';
import { readFreshModel } from './vm-reads.ts';

/** Logs in. Throws SourceError. */
export async function openVsphereSource(
  connection: Connection,
  deps: SourceDeps,
  rejected: RejectedLogins,
  signal: AbortSignal,
): Promise<Source> {
  const credentials = credentialsOf(connection.secret);
  const endpoint = deps.connect(connection.url, trustOf(credentials));
  try {
    const session = await VimSession.open(
      {
        endpoint,
        url: connection.url,
        user: credentials.user,
        password: credentials.password,
        secretVersion: connection.secret.resourceVersion,
        rejected,
        scrub: deps.scrub,
        log: deps.log,
      },
      signal,
    );
    checkKind(connection, session);
    return new VsphereSource(connection, deps, session);
  } catch (error) {
    await endpoint[Symbol.asyncDispose]();
    throw error;
  }
}

/** Forklift refuses a provider whose setting disagrees with the server (fact: vs 1.1). */
function checkKind(connection: Connection, session: VimSession): void {
  const expected = connection.settings['sdkEndpoint'];
  const actual = session.content.about.apiType === 'HostAgent' ? 'esxi' : 'vcenter';
  if (expected === undefined || expected === '' || expected === actual) return;
  throw new SourceError({
    code: 'SdkEndpointMismatch',
    kind: 'invalid',
    message: `${connection.url} is ${actual === 'esxi' ? 'an ESXi host' : 'a vCenter'}, but the provider's setting sdkEndpoint says ${expected}. Correct the one or the other.`,
  });
}

class VsphereSource implements Source {
  readonly snapshots: Snapshots;
  readonly transfer: Transfer;
  readonly #session: VimSession;
  readonly #collector: Collector;
  readonly #deps: SourceDeps;
  readonly #instance: string;
  readonly #closed = new AbortController();
  #collecting: Promise<void> | undefined;

  constructor(connection: Connection, deps: SourceDeps, session: VimSession) {
    this.#deps = deps;
    this.#session = session;
    // An ESXi host has no id of its own (fact: vs 1.1); its address stands for it.
    this.#instance = session.content.about.instanceUuid ?? new URL(connection.url).host;
    this.#collector = new Collector({ ...deps, session, instance: this.#instance });
    this.snapshots = new VsphereSnapshots(session, this.#instance);
    this.transfer = new VddkTransfer({
      url: connection.url,
      credentials: credentialsOf(connection.secret),
      vddkImage: connection.settings['vddkInitImage'],
      thumbprint: () => session.thumbprint,
    });
  }

  async probe(signal: AbortSignal): Promise<Probe> {
    const findings = await checkPrivileges(this.#session, signal);
    const { about } = this.#session.content;
    return {
      version: about.version,
      instance: this.#instance,
      fingerprint: this.#session.thumbprint,
      findings,
    };
  }

  collect(sink: InventorySink, signal: AbortSignal): Promise<void> {
    const collecting = this.#collector.run(sink, AbortSignal.any([signal, this.#closed.signal]));
    this.#collecting = collecting.catch(() => undefined);
    return collecting;
  }

  describe(vm: VmHandle, signal: AbortSignal): Promise<VmModel> {
    const { clock } = this.#deps;
    return readFreshModel(
      { session: this.#session, collector: this.#collector, clock, instance: this.#instance },
      vm,
      signal,
    );
  }

  /** Fed by the collector: while none runs, nothing wakes. Any change of the VM wakes, whatever the kind of subject. */
  subscribe(subject: Subject, wake: () => void): Disposable {
    return this.#collector.subscribe(subject.vm.vmId, wake);
  }

  power(vm: VmHandle, signal: AbortSignal): Promise<PowerReading> {
    return readPower(this.#session, this.#instance, vm, signal);
  }

  requestPowerOff(vm: VmHandle, how: 'guest' | 'hard', signal: AbortSignal): Promise<void> {
    const wish = how === 'guest' ? 'guestOff' : 'hardOff';
    return requestPower(this.#session, this.#instance, vm, wish, signal);
  }

  requestPowerOn(vm: VmHandle, _restore: string | undefined, signal: AbortSignal): Promise<void> {
    return requestPower(this.#session, this.#instance, vm, 'on', signal);
  }

  disposal(_vm: VmHandle, entry: SourceEntry): Promise<Disposal> {
    return Promise.reject(unknownKind(entry));
  }

  dispose(_vm: VmHandle, entry: SourceEntry): Promise<void> {
    return Promise.reject(unknownKind(entry));
  }

  findMarked(prefix: string, signal: AbortSignal): Promise<readonly SourceEntry[]> {
    return findMarkedSnapshots(this.#session, prefix, signal);
  }

  /** Ends a collection that still runs, then logs out. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error('the source was closed'));
    await this.#collecting;
    await this.#session[Symbol.asyncDispose]();
  }
}
