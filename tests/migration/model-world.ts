import type { LedgerEntry, VirtualMachineImportSpec } from '../../src/api/virtual-machine-import.ts';
import type { FactTable, TargetObjects, VolumeFact } from '../../src/migration/facts.ts';
import type { Action } from '../../src/migration/phase.ts';
import type { PowerState } from '../../src/model/vm.ts';
import { vmModel } from './import-spec.ts';
import { ModelConverters, type ConverterOptions } from './model-converters.ts';
import { ModelSnapshots, type SnapshotOptions } from './model-snapshots.ts';
import {
  remove,
  type Thing,
  type ToyClaim,
  type ToyDataVolume,
  type ToyEnd,
  type ToyImporter,
  type ToyVm,
} from './model-things.ts';

const againSeconds = 20;

export interface WorldOptions extends SnapshotOptions, ConverterOptions {
  readonly power?: PowerState;
  /** How the guest takes a request to shut down: seconds until it is off, or never. */
  readonly shutdownSeconds?: number | 'never';
  readonly namespaceExists?: boolean;
  /** Percent of each disk that CDI copies in a second. */
  readonly percentPerSecond?: number;
  /** How many claims CDI makes for DataVolumes that are gone. */
  readonly strayClaims?: number;
}

/** What somebody does at the source, or deletes at the target. */
export type Meddling = 'powerOn' | 'claimGone' | 'dataVolumeGone' | 'vmGone';

/** As much of an import as the snapshot facts are about. */
export interface RoundView {
  readonly marker: string;
  readonly snapshotId: string | undefined;
  readonly owed: readonly LedgerEntry[];
}

/** The server or the source has looked at what was asked and said no. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(text);
    this.code = code;
  }
}

/**
 * A source VM and a target namespace in a few maps: just enough of KubeVirt, CDI and the garbage collector to let an itinerary and its
 * unwind run purely. Deletions take effect at once, but for what the garbage collector and CDI do; what takes time takes ticks.
 */
export class ModelWorld {
  spec: VirtualMachineImportSpec;
  now = Date.UTC(2026, 0, 1);
  power: PowerState;
  namespaceExists: boolean;
  readonly dataVolumes = new Map<string, ToyDataVolume>();
  readonly claims = new Map<string, ToyClaim>();
  readonly importers = new Map<string, ToyImporter>();
  readonly converters: ModelConverters;
  readonly vms = new Map<string, ToyVm>();
  readonly secrets = new Map<string, Thing>();
  readonly snapshots: ModelSnapshots;
  /** What the guest has written so far, in writes. It writes whenever time passes while it runs. */
  writes = 1;
  epoch = 'e1';
  readonly performed: Action[] = [];
  /** How often the target VM was really created. */
  vmsMade = 0;
  readonly #shutdownSeconds: number | 'never';
  readonly #percentPerSecond: number;
  /** Last DataVolumes of their names that were deleted with their claims. */
  readonly #deleted = new Map<string, ToyDataVolume>();
  #strayClaims: number;
  #offAt: number | undefined;
  #uids = 0;

  constructor(spec: VirtualMachineImportSpec, options: WorldOptions = {}) {
    this.spec = spec;
    this.snapshots = new ModelSnapshots(options);
    this.converters = new ModelConverters(this.claims, options);
    this.power = options.power ?? 'On';
    this.namespaceExists = options.namespaceExists ?? true;
    this.#shutdownSeconds = options.shutdownSeconds ?? 5;
    this.#percentPerSecond = options.percentPerSecond ?? 7;
    this.#strayClaims = options.strayClaims ?? 0;
  }

  /** As the run reconciler relays a user's wish. */
  change(changes: Pick<VirtualMachineImportSpec, 'control'>): void {
    this.spec = { ...this.spec, ...changes };
  }

  /** As CDI has been seen to do after a failover: an importer more over a disk that is done. False: there is none, or a pod has it. */
  startImporterAgain(end: ToyEnd): boolean {
    const done = [...this.dataVolumes.values()].find(
      ({ name, ours, phase }) => ours && phase === 'Succeeded' && this.claims.get(name)?.whole === true,
    );
    if (done === undefined || this.converters.holdClaims) return false;
    const { name: claim } = done;
    this.claims.get(claim)!.whole = false;
    const again = { end, at: this.now + againSeconds * 1000 };
    this.importers.delete(`importer-${claim}`);
    this.#once(this.importers, `importer-${claim}`, () => ({ claim, phase: 'Running', restarts: 0, again }));
    return true;
  }

  /** The garbage collector and CDI follow. False: there is nothing of ours to delete, or a converter holds it. */
  meddle(how: Meddling): boolean {
    switch (how) {
      case 'powerOn':
        this.powerOn();
        return true;
      case 'claimGone':
        return this.#loseClaim();
      case 'dataVolumeGone':
        return this.#loseDataVolume();
      case 'vmGone':
        return this.#loseVm();
    }
  }

  #loseClaim(): boolean {
    const claim = [...this.claims.values()].find(({ ours }) => ours);
    if (claim === undefined || this.converters.holdClaims) return false;
    this.#dropClaim(claim.name);
    return true;
  }

  #loseDataVolume(): boolean {
    const dataVolume = [...this.dataVolumes.values()].find(({ ours }) => ours);
    if (dataVolume === undefined || this.converters.holdClaims) return false;
    this.#deleteDataVolume(dataVolume.name, dataVolume.uid, false);
    return true;
  }

  #loseVm(): boolean {
    const vm = [...this.vms.values()].find(({ ours }) => ours);
    if (vm === undefined) return false;
    this.#deleteVm(vm.name, vm.uid);
    return true;
  }

  /** As somebody would at the source. */
  powerOn(): void {
    this.power = 'On';
    this.#offAt = undefined;
  }

  /** Lets time pass: guests shut down, importers copy, instances start. */
  tick(seconds: number): void {
    this.now += seconds * 1000;
    if (this.#offAt !== undefined && this.now >= this.#offAt) {
      this.power = 'Off';
      this.#offAt = undefined;
    }
    if (this.power === 'On') this.writes += 1;
    this.snapshots.tick(this.now);
    this.collect();
    this.#makeStray();
    for (const dataVolume of this.dataVolumes.values()) this.#copy(dataVolume, seconds);
    for (const pod of this.importers.values()) this.#copyAgain(pod);
    this.converters.tick(this.now);
    for (const vm of this.vms.values()) vm.instance = vm.runStrategy === 'Always' ? 'Running' : '';
  }

  // ---- facts --------------------------------------------------------------------------------------------------------------------

  gather(name: keyof FactTable, targetName: string, round: RoundView): FactTable[keyof FactTable] {
    switch (name) {
      case 'snapshot':
        return this.snapshots.state(round.marker, this.now);
      case 'snapshotLost':
        return (
          [...this.importers.values()].some(({ restarts }) => restarts > 0) &&
          this.snapshots.isStolen(round.snapshotId)
        );
      case 'audit':
        return {
          foreign: this.snapshots.foreign,
          missing: [],
          diskSet: 'same',
          grown: [],
          trackingLost: [],
          disks: new Map(this.spec.disks.map(({ key }) => [key, { sizeBytes: 1024, epoch: this.epoch }])),
          datastores: [],
        };
      case 'checkpoints':
        return this.#checkpoints(round.snapshotId);
      case 'owedSnapshots':
        return this.snapshots.owed(round.owed, this.now);
      case 'sourceVm':
        return {
          state: 'present',
          model: { ...vmModel(), digest: this.spec.model.digest, power: this.power },
        };
      case 'sourcePower':
        return { state: this.power };
      case 'sourceAccess':
        return { state: 'open', credentials: '1', isVerified: false };
      case 'preflight':
        return this.#preflight(targetName);
      case 'volumes':
      case 'liveVolumes':
        return this.spec.disks.filter(({ mode }) => mode === 'copy').map((disk) => this.#volume(disk));
      case 'targetVm':
        return this.#targetVm(targetName);
      case 'instancePhase':
        return this.vms.get(targetName)?.instance ?? '';
      case 'targetObjects':
        return this.labelled();
      case 'conversionPod':
        return this.converters.fact();
      case 'conversionResult':
        return this.converters.result();
      case 'priorImports':
      case 'slots':
        throw new Error(`${name} is not of this world`);
    }
  }

  #checkpoints(snapshotId: string | undefined): FactTable['checkpoints'] {
    const snapshot = this.snapshots.find(snapshotId);
    if (snapshot === undefined) return new Map();
    const { id: current, content } = snapshot;
    const sizeBytes = 1024;
    return new Map(
      this.spec.disks.map(({ key }) => [
        key,
        { current, nextPrevious: `change/${content}`, sizeBytes, epoch: this.epoch },
      ]),
    );
  }

  labelled(): TargetObjects {
    const ours = <T extends Thing>(things: Map<string, T>) =>
      [...things.values()]
        .filter((thing) => thing.ours)
        .map(({ name, uid }) => ({ name, uid, deleting: false }));
    return {
      virtualMachines: ours(this.vms),
      dataVolumes: ours(this.dataVolumes),
      claims: [...this.claims.values()]
        .filter((claim) => claim.ours)
        .map(({ name, uid, owner }) => ({ name, uid, deleting: false, owner: owner.kind })),
      pods: [...ours(this.importers), ...this.converters.labelled()],
      secrets: ours(this.secrets),
      configMaps: [],
    };
  }

  #preflight(targetName: string): FactTable['preflight'] {
    if (!this.namespaceExists) return { state: 'namespaceMissing' };
    const vm = this.vms.get(targetName);
    return vm === undefined
      ? { state: 'accepted' }
      : { state: 'nameTaken', ours: vm.ours, uid: vm.uid, by: 'somebody' };
  }

  #targetVm(name: string): FactTable['targetVm'] {
    const vm = this.vms.get(name);
    if (vm === undefined) return { state: 'absent' };
    const { uid, runStrategy } = vm;
    return vm.ours
      ? { state: 'ours', uid, deleting: false, runStrategy }
      : { state: 'foreign', uid, by: 'somebody' };
  }

  #volume({ key, claimName }: VirtualMachineImportSpec['disks'][number]): VolumeFact {
    const dataVolume = this.dataVolumes.get(claimName);
    const claim = this.claims.get(claimName);
    const pod = [...this.importers.values()].find((candidate) => candidate.claim === claimName);
    return {
      diskKey: key,
      claimName,
      ...(dataVolume && {
        dataVolume: { ...dataVolume, deleting: false, restartCount: 0, conditions: [] },
      }),
      ...(claim && {
        claim: {
          uid: claim.uid,
          ours: claim.ours,
          deleting: false,
          phase: 'Bound',
          owner: claim.owner,
          copied: claim.copied,
          describedAs: `claim ${claimName}`,
        },
      }),
      ...(pod && { pod: { ...pod, createdMs: this.now } }),
    };
  }

  // ---- actions ------------------------------------------------------------------------------------------------------------------

  perform(action: Action, targetName: string): void {
    this.performed.push(action);
    switch (action.do) {
      case 'createNamespace':
        this.namespaceExists = true;
        return;
      case 'createAccess':
        this.#once(this.secrets, 'access', () => ({}));
        return;
      case 'deleteAccess':
        this.secrets.delete('access');
        return;
      case 'createDataVolume':
        this.#createDataVolume(action);
        return;
      case 'appendCheckpoint':
        this.#append(action);
        return;
      case 'createSnapshot':
        this.snapshots.create(action.marker, action.quiesce, this.writes, this.now);
        return;
      case 'removeSnapshot':
        this.snapshots.remove(action.id, this.now);
        return;
      case 'deleteDataVolume':
        this.#deleteDataVolume(action.name, action.uid, action.orphanClaim);
        return;
      case 'createVm':
        this.#createVm(targetName);
        return;
      case 'deleteVm':
        this.#deleteVm(action.name, action.uid);
        return;
      case 'giveClaimToVm':
        this.#own(action.claim, action.dataVolumeUid, { kind: 'VirtualMachine', uid: action.vmUid });
        return;
      case 'takeClaimFromVm':
        this.#own(action.claim, action.vmUid, { kind: 'none' });
        return;
      case 'deleteClaim':
        if (this.claims.get(action.name)?.uid === action.uid) this.#dropClaim(action.name);
        return;
      case 'deletePod':
        remove(this.importers, action);
        this.converters.delete(action, this.now);
        return;
      case 'createConversionPod':
        this.converters.create(
          (claim) => this.importers.get(`importer-${claim}`)?.again !== undefined,
          this.now,
        );
        return;
      case 'finishConversion':
        this.converters.finish();
        return;
      case 'releasePod':
        this.converters.release(action);
        return;
      case 'deleteSecret':
        remove(this.secrets, action);
        return;
      case 'deleteConfigMap':
      case 'verifyLogin':
        // No ConfigMaps are made in this world, and its password is always right.
        return;
      case 'setRunStrategy':
        this.#setRunStrategy(targetName, action.vmUid, action.runStrategy);
        return;
      case 'stripLabel':
        this.#strip(action);
        return;
      case 'powerOff':
        this.#powerOff(action.how);
        return;
      case 'powerOn':
        this.powerOn();
        return;
    }
  }

  #powerOff(how: 'guest' | 'hard'): void {
    if (this.power === 'Off') return;
    if (how === 'hard') this.power = 'Off';
    else if (this.#shutdownSeconds !== 'never') this.#offAt ??= this.now + this.#shutdownSeconds * 1000;
  }

  #createDataVolume({ diskKey, stage }: Extract<Action, { do: 'createDataVolume' }>): void {
    const disk = this.spec.disks.find(({ key }) => key === diskKey)!;
    if (!this.dataVolumes.has(disk.claimName) && this.claims.has(disk.claimName))
      throw new Error(`a DataVolume over claim ${disk.claimName}`);
    const staged = stage && {
      checkpoints: [{ previous: '', current: stage.current }],
      finalCheckpoint: stage.isFinal,
    };
    this.#once(this.dataVolumes, disk.claimName, () => ({ percent: 0, phase: '', ...staged }));
  }

  #append({
    name,
    uid,
    after,
    current,
    previous,
    isFinal,
  }: Extract<Action, { do: 'appendCheckpoint' }>): void {
    const dataVolume = this.dataVolumes.get(name);
    if (dataVolume?.uid !== uid || dataVolume.checkpoints?.at(-1)?.current !== after)
      throw new Refused('Invalid', 'the test of the patch failed');
    dataVolume.checkpoints.push({ current, previous });
    if (isFinal) dataVolume.finalCheckpoint = true;
    dataVolume.percent = 0;
  }

  #copy(dataVolume: ToyDataVolume, seconds: number): void {
    const { name, uid } = dataVolume;
    const isOurs = dataVolume.ours;
    // CDI makes a claim anew even when it is done, and leaves it empty.
    if (!this.claims.has(name)) {
      this.claims.set(name, { ...this.#claimOf(name, isOurs, uid), isRemade: dataVolume.phase !== '' });
    }
    if (dataVolume.phase === 'Succeeded') return;
    const claim = this.claims.get(name)!;
    const stage = dataVolume.checkpoints?.find(({ current }) => !claim.copied.includes(current));
    if (dataVolume.checkpoints !== undefined && stage === undefined) return;
    if (!this.importers.has(`importer-${name}`)) {
      this.#once(this.importers, `importer-${name}`, () => ({ claim: name, phase: 'Running', restarts: 0 }));
    }
    dataVolume.phase = 'ImportInProgress';
    // Over a claim that was remade CDI begins with the first checkpoint, whose snapshot is long gone.
    const isPast = claim.isRemade && stage !== undefined && this.snapshots.find(stage.current) === undefined;
    if (stage !== undefined && (!this.snapshots.open(stage.current) || isPast)) {
      this.importers.get(`importer-${name}`)!.restarts += 1;
      return;
    }
    dataVolume.percent = Math.min(100, dataVolume.percent + seconds * this.#percentPerSecond);
    if (dataVolume.percent < 100) return;
    this.#stageDone(dataVolume, claim, stage);
    if (dataVolume.phase !== 'Succeeded') return;
    claim.whole = true;
    this.importers.get(`importer-${name}`)!.phase = 'Succeeded';
  }

  /** What a converter has made of the disk is lost, however it ends. */
  #copyAgain(pod: ToyImporter): void {
    const { again, claim: name } = pod;
    if (again === undefined || pod.phase !== 'Running' || this.now < again.at) return;
    const claim = this.claims.get(name)!;
    claim.conversions = 0;
    claim.whole = again.end === 'well';
    if (claim.whole) pod.phase = 'Succeeded';
    else pod.restarts += 1;
    again.at += againSeconds * 1000;
  }

  /** A delta is laid over what the claim holds; from another state than the one it starts from, the disk is ruined. */
  #stageDone(
    dataVolume: ToyDataVolume,
    claim: ToyClaim,
    stage: { readonly current: string; readonly previous: string } | undefined,
  ): void {
    if (stage === undefined) {
      dataVolume.phase = 'Succeeded';
      claim.content = this.writes;
      return;
    }
    const snapshot = this.snapshots.find(stage.current);
    if (snapshot === undefined) throw new Error(`${stage.current} was removed under its copy`);
    if (stage.previous !== '' && stage.previous !== `change/${claim.content}`)
      throw new Error(`a delta from ${stage.previous} over ${claim.content}`);
    claim.content = snapshot.content;
    claim.copied.push(stage.current);
    const isLast = dataVolume.checkpoints?.at(-1)?.current === stage.current;
    dataVolume.phase = isLast && dataVolume.finalCheckpoint === true ? 'Succeeded' : 'Paused';
    if (dataVolume.phase === 'Succeeded') claim.copied = [];
  }

  // ---- the target's objects ----------------------------------------------------------------------------------------------------------

  #deleteDataVolume(name: string, uid: string, orphan: boolean): void {
    const dataVolume = this.dataVolumes.get(name);
    if (dataVolume === undefined || !remove(this.dataVolumes, { name, uid })) return;
    if (!orphan) this.#deleted.set(name, dataVolume);
    const claim = this.claims.get(name);
    if (claim?.owner.uid !== uid) return;
    if (orphan) claim.owner = { kind: 'none' };
    else this.converters.checkNoneWrites(name);
  }

  /** Claims whose DataVolume is gone go after it. */
  collect(): void {
    for (const { name, owner } of [...this.claims.values()])
      if (owner.kind === 'DataVolume' && this.dataVolumes.get(name)?.uid !== owner.uid) this.#dropClaim(name);
  }

  /** As a CDI whose caches are behind: one more claim for a DataVolume that is gone. */
  #makeStray(): void {
    for (const { name, ours, uid } of this.#deleted.values()) {
      if (this.#strayClaims === 0 || this.claims.has(name) || this.dataVolumes.has(name)) continue;
      this.#strayClaims -= 1;
      this.claims.set(name, this.#claimOf(name, ours, uid));
    }
  }

  /** The claim owns its importer, and what was copied goes with it. */
  #dropClaim(name: string): void {
    this.claims.delete(name);
    this.importers.delete(`importer-${name}`);
    const dataVolume = this.dataVolumes.get(name);
    if (dataVolume !== undefined) dataVolume.percent = 0;
  }

  #createVm(name: string): void {
    if (this.vms.has(name)) {
      if (!this.vms.get(name)!.ours) throw new Refused('AlreadyExists', 'name taken');
      return;
    }
    const half = [...this.claims.values()].find((claim) => claim.half === true);
    if (half !== undefined) throw new Error(`a VM of ${half.name}, which is half converted`);
    this.vmsMade += 1;
    this.#once(this.vms, name, () => ({ runStrategy: 'Halted', instance: '' }));
  }

  /** The garbage collector takes along what the VM owns. */
  #deleteVm(name: string, uid: string): void {
    if (!remove(this.vms, { name, uid })) return;
    for (const claim of [...this.claims.values()]) {
      if (claim.owner.uid !== uid) continue;
      this.#dropClaim(claim.name);
    }
  }

  #own(name: string, from: string, owner: ToyClaim['owner']): void {
    const claim = this.claims.get(name);
    if (claim === undefined) throw new Refused('NotFound', 'the claim is gone');
    if (claim.owner.kind === owner.kind && claim.owner.uid === owner.uid) return;
    if (claim.owner.uid !== from) throw new Refused('Invalid', 'the test of the patch failed');
    claim.owner = owner;
  }

  #setRunStrategy(name: string, uid: string, runStrategy: string): void {
    const vm = this.vms.get(name);
    if (vm?.uid !== uid) throw new Refused('NotFound', 'the VM is gone');
    const torn = [...this.claims.values()].find(({ whole }) => !whole);
    if (runStrategy === 'Always' && torn !== undefined)
      throw new Error(`a VM runs on ${torn.name}, which is not whole`);
    vm.runStrategy = runStrategy;
  }

  #strip(action: Extract<Action, { do: 'stripLabel' }>): void {
    const things: Map<string, Thing> = action.on === 'VirtualMachine' ? this.vms : this.claims;
    const thing = things.get(action.name);
    if (thing?.uid === action.uid) thing.ours = false;
  }

  #claimOf(name: string, ours: boolean, dataVolumeUid: string): ToyClaim {
    const owner = { kind: 'DataVolume' as const, uid: dataVolumeUid };
    return { name, uid: this.#uid(), ours, owner, whole: false, copied: [], isRemade: false };
  }

  #once<T extends Thing>(things: Map<string, T>, name: string, make: () => Omit<T, keyof Thing>): void {
    if (things.has(name)) return;
    things.set(name, { ...make(), name, uid: this.#uid(), ours: true } as T);
  }

  #uid(): string {
    this.#uids += 1;
    return `uid-${this.#uids}`;
  }
}
