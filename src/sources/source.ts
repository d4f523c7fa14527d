import type { LedgerEntry } from '../api/virtual-machine-import.ts';
import type {
  Audit,
  ConversionInput,
  DiskCheckpoint,
  DiskFeed,
  Disposal,
  Finding,
  ImporterAccess,
  PlanView,
  PowerReading,
  Preparation,
  PreparationStep,
  ProviderType,
  ProviderView,
  RunView,
  SnapshotRemoval,
  SnapshotState,
  SourceFault,
  Subject,
  TransferPath,
  VmHandle,
} from '../model/source-data.ts';
import type { DiskModel, Json, MapRef, VmModel } from '../model/vm.ts';
import type { Scrub } from '../model/scrub.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';

/**
 * A platform that VMs come from. Verbs come in pairs: the first reads, the second acts. No read verb changes anything, no verb waits for a
 * result, an action is one try. Everything the rest of the code would otherwise ask by `switch (type)` is a verb, a trait or a field here.
 */

/** As much of a ledger entry as a source may see; the schema, with kind as a closed enum, is api's. */
export type SourceEntry = Pick<LedgerEntry, 'key' | 'kind' | 'marker' | 'id' | 'endpoint'>;

/** One per provider type, stateless. */
export interface SourcePlatform {
  readonly type: ProviderType;
  readonly traits: {
    /** Decides only how long snapshots live (migration/rounds.ts). */
    readonly warm: 'none' | 'changeId' | 'snapshotChain';
    readonly conversion: 'always' | 'never';
    readonly staticIps: boolean;
    readonly hosts: boolean;
    readonly onlyConversion: boolean;
    readonly luks: boolean;
    readonly slot: 'vmPerProvider' | 'diskPerHost';
    /** 0: the platform pushes changes. */
    readonly minPollSeconds: number;
  };
  /** What other objects name things of this platform by: entries of maps, Hosts. */
  readonly named: {
    readonly network: NamedCollection;
    readonly storage: NamedCollection;
    /** Where traits.hosts is set. */
    readonly host?: NamedCollection;
  };
  /** What can be said of a Provider without connecting: URL, settings, Secret keys. Pure. */
  checkProvider(spec: ProviderView, secret: SecretView): readonly Finding[];
  /** Rules that need platform words (tools state, disk kinds, ...). Pure; `raw` is the platform's own object in the inventory. */
  checkVm(vm: VmModel, raw: Json, plan: PlanView): readonly Finding[];
  /** Whether these last words of an importer say that the source has refused its login. Pure. */
  isLoginRefusal(text: string): boolean;
  /** Logs in. Throws SourceError. */
  open(connection: Connection, deps: SourceDeps, signal: AbortSignal): Promise<Source>;
}

/** Things in the inventory that users name in their objects. */
export interface NamedCollection {
  /** As InventorySink.upsert is given it. */
  readonly collection: string;
  /**
   * By what an item is named: the very ids and names that the disks and NICs on it have in their VM's model. undefined: the item stands
   * in the collection, but nothing is ever on it. Pure.
   */
  refOf(id: string, raw: Json): MapRef | undefined;
}

/** One live session, shared by all users of a Provider. */
export interface Source extends AsyncDisposable {
  /** `instance` is the platform's own id of itself; `fingerprint` that of its certificate. */
  probe(signal: AbortSignal): Promise<Probe>;
  /**
   * Full load, then changes, until aborted or closed. Outages are told to the sink and outlasted; throws SourceError only for what
   * waiting cannot cure (auth, denied, unsupported).
   */
  collect(sink: InventorySink, signal: AbortSignal): Promise<void>;
  /** Fresh model straight from the platform: compared with the frozen one at Started. SourceError of kind gone when there is no such VM. */
  describe(vm: VmHandle, signal: AbortSignal): Promise<VmModel>;
  /** Calls `wake` on any change of the subject, while a collection runs; coarse is fine. Polling platforms batch all subjects into one query. */
  subscribe(subject: Subject, wake: () => void): Disposable;

  power(vm: VmHandle, signal: AbortSignal): Promise<PowerReading>;
  /** No-op when off. */
  requestPowerOff(vm: VmHandle, how: 'guest' | 'hard', signal: AbortSignal): Promise<void>;
  /** No-op when on. */
  requestPowerOn(vm: VmHandle, restore: string | undefined, signal: AbortSignal): Promise<void>;

  /** Present iff traits.warm is not 'none'. */
  readonly snapshots?: Snapshots;
  readonly transfer: Transfer;
  conversionInput?(vm: VmModel, run: RunView): ConversionInput;
  /** What has become of a thing the ledger owes (all kinds but Snapshot and SourcePower). Reads only. */
  disposal(vm: VmHandle, entry: SourceEntry, signal: AbortSignal): Promise<Disposal>;
  /** One try at taking it away. For any outcome of the import. */
  dispose(vm: VmHandle, entry: SourceEntry, signal: AbortSignal): Promise<void>;
  /** Things carrying our marker prefix, to be reported as orphans. */
  findMarked(prefix: string, signal: AbortSignal): Promise<readonly SourceEntry[]>;
}

export interface Probe {
  readonly version: string;
  readonly instance: string;
  readonly fingerprint?: string;
  readonly findings: readonly Finding[];
}

export interface Snapshots {
  /** What became of the snapshot of this marker. A try that has failed stays `failed` until the next one, as far as that is known. */
  state(vm: VmHandle, marker: string, signal: AbortSignal): Promise<SnapshotState>;
  /** Asked for only when state said absent (or failed, with another quiesce). */
  create(
    vm: VmHandle,
    marker: string,
    options: { readonly quiesce: boolean },
    signal: AbortSignal,
  ): Promise<void>;
  removal(vm: VmHandle, snapshotId: string, signal: AbortSignal): Promise<SnapshotRemoval>;
  /** One try; already gone is success. */
  remove(vm: VmHandle, snapshotId: string, signal: AbortSignal): Promise<void>;
  /** Per disk key: CDI's `current`, and what the NEXT round must give as `previous`. */
  checkpoints(
    vm: VmHandle,
    snapshotId: string,
    disks: readonly DiskModel[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, DiskCheckpoint>>;
  /** What changed behind our back since the frozen model. */
  audit(vm: VmHandle, frozen: VmModel, ours: readonly string[], signal: AbortSignal): Promise<Audit>;
  /** Bytes changed since the last copied checkpoint; undefined when the platform cannot tell. */
  deltaBytes?(vm: VmHandle, disk: DiskModel, since: string, signal: AbortSignal): Promise<number | undefined>;
}

export interface Transfer {
  /** Best first; [] = this VM cannot be read. Pure. */
  paths(vm: VmModel, run: RunView): readonly TransferPath[];
  /** Source-side objects that must exist before the DataVolumes. Pure: decides the next step from observed facts. */
  nextPreparation(vm: VmModel, seen: Preparation): PreparationStep<SourceEntry>;
  observePreparation(vm: VmHandle, ledger: readonly SourceEntry[], signal: AbortSignal): Promise<Preparation>;
  performPreparation(
    vm: VmHandle,
    entry: SourceEntry,
    signal: AbortSignal,
  ): Promise<{ readonly id?: string }>;
  /** The `spec.source` of a CDI DataVolume. Pure. */
  dataVolumeSource(
    disk: DiskModel,
    feed: DiskFeed,
    refs: { readonly secret: string; readonly configMap?: string },
  ): Readonly<Record<string, Json>>;
  /** Keys of the Secret and ConfigMap that importers of this import read; the caller names and owns them. */
  importerAccess(vm: VmHandle, signal: AbortSignal): Promise<ImporterAccess>;
}

/**
 * Where a collector puts what it finds. Between begin() and parity() a full load runs; what it did not upsert is gone afterwards. A
 * parity() without begin() ends a stale() after which nothing was missed.
 */
export interface InventorySink {
  begin(): void;
  upsert(collection: string, id: string, raw: Json, model?: VmModel): void;
  remove(collection: string, id: string): void;
  parity(): void;
  stale(reason: SourceFault): void;
}

export interface SecretView {
  readonly resourceVersion: string;
  /** Decoded value. */
  get(key: string): string | undefined;
}

export interface Connection {
  readonly url: string;
  readonly secret: SecretView;
  readonly settings: Readonly<Record<string, string>>;
  readonly hosts: readonly { readonly id: string; readonly url: string; readonly secret: SecretView }[];
}

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}
/** One server of a source platform. Throws SourceError of kind transient (no answer) or auth (certificate not trusted). */
export interface HttpEndpoint extends AsyncDisposable {
  call(request: HttpCall, signal: AbortSignal): Promise<HttpAnswer>;
  /** SHA-1 of the server's certificate, upper-case hex with colons. */
  peerThumbprint(signal: AbortSignal): Promise<string>;
}
/** nothing: insecureSkipVerify, given by the user. system: the machine's own roots. */
export type Trust =
  | { readonly by: 'system' }
  | { readonly by: 'ca'; readonly pem: string }
  | { readonly by: 'thumbprint'; readonly sha1: string }
  | { readonly by: 'nothing' };

export interface SourceDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Scrubs what the platform says of the secrets in use, before it goes into a fault, a finding or a log line. */
  readonly scrub: Scrub;
  /** TLS and HTTP; in the sandbox a call in the same process. */
  connect(url: string, trust: Trust): HttpEndpoint;
}
