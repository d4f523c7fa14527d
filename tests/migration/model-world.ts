import type { VirtualMachineImportSpec } from '../../src/api/virtual-machine-import.ts';
import type { LedgerEntry } from '../../src/api/virtual-machine-import.ts';
import type { FactTable, TargetObjects, VolumeFact } from '../../src/migration/facts.ts';
import type { Action } from '../../src/migration/phase.ts';
import type { SnapshotRemoval, SnapshotState } from '../../src/model/source-data.ts';
import type { PowerState } from '../../src/model/vm.ts';
import { vmModel } from './import-spec.ts';

interface Thing {
  readonly name: string;
  readonly uid: string;
  /** Carries the label of the import under test. */
  ours: boolean;
}
export interface ToyDataVolume extends Thing {
  percent: number;
  phase: string;
  checkpoints?: { current: string; previous: string }[];
  finalCheckpoint?: boolean;
}
interface ToySnapshot {
  readonly id: string;
  readonly marker: string;
  readyAt: number;
  /** What each disk held: the number of writes so far. */
  readonly content: number;
  goneAt?: number;
}
export interface ToyClaim extends Thing {
  owner: { kind: 'DataVolume' | 'VirtualMachine' | 'none' | 'other'; uid?: string };
  whole: boolean;
  /** A converter has begun to write to it and has not ended; then how often one has come to its end. */
  half?: boolean;
  conversions?: number;
  /** The converter was made in the moment in which an importer began once more: it converts what is being written. */
  spoiled?: boolean;
  copied: string[];
  /** The number of writes that it holds; undefined: nothing whole yet. */
  content?: number;
  /** Made by CDI in place of one that was deleted. */
  readonly isRemade: boolean;
}
export interface ToyVm extends Thing {
  runStrategy: string;
  /** Of the VirtualMachineInstance. */
  instance: string;
}
/** Of the pods that convert, in order: thrown out before it begins; fails and has written nothing; fails in the middle. */
export type ToyFate = 'evicted' | 'untouched' | 'half';
interface ToyConverter extends Thing {
  readonly createdAt: number;
  readonly fate: ToyFate | undefined;
  phase: string;
  startedAt?: number;
  isDone: boolean;
  isHeld: boolean;
  deletingAt?: number;
}
/** How an importer ends that CDI has started over a disk that was done. */
export type ToyEnd = 'well' | 'badly';
interface ToyPod extends Thing {
  claim: string;
  phase: string;
  restarts: number;
  again?: { readonly end: ToyEnd; at: number };
}
const againSeconds = 20;

/** How the guest takes a request to shut down: seconds until it is off, or never. */
export interface WorldOptions {
  readonly power?: PowerState;
  readonly shutdownSeconds?: number | 'never';
  readonly namespaceExists?: boolean;
  /** Percent of each disk that CDI copies in a second. */
  readonly percentPerSecond?: number;
  /** Seconds that making and merging a snapshot take. */
  readonly snapshotSeconds?: number;
  readonly mergeSeconds?: number;
  /** Seconds until a converter runs, and until it is done; what becomes of the first ones. */
  readonly convertStartSeconds?: number | 'never';
  readonly convertSeconds?: number;
  readonly fates?: readonly ToyFate[];
  /** The guest cannot be quiesced. */
  readonly unquiet?: boolean;
}

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
 * unwind run purely. Deletions take effect at once; what takes time takes ticks.
 */
export class ModelWorld {
  spec: VirtualMachineImportSpec;
  now = Date.UTC(2026, 0, 1);
  power: PowerState;
  sourceGone = false;
  namespaceExists: boolean;
  readonly dataVolumes = new Map<string, ToyDataVolume>();
  readonly claims = new Map<string, ToyClaim>();
  readonly pods = new Map<string, ToyPod>();
  readonly converters = new Map<string, ToyConverter>();
  /** Pods that were ever made to convert. */
  convertersMade = 0;
  readonly vms = new Map<string, ToyVm>();
  readonly secrets = new Map<string, Thing>();
  readonly snapshots: ToySnapshot[] = [];
  /** What the guest has written so far, in writes. It writes whenever time passes while it runs. */
  writes = 1;
  epoch = 'e1';
  foreignSnapshots: string[] = [];
  /** More than one of ours at the source at a time: data has been lost by that. */
  mostSnapshots = 0;
  /** Snapshots of ours that were asked for while somebody else had one. */
  besideForeign = 0;
  readonly performed: Action[] = [];
  /** How often the target VM was really created. */
  vmsMade = 0;
  readonly #shutdownSeconds: number | 'never';
  readonly #percentPerSecond: number;
  readonly #options: WorldOptions;
  #isThiefAround = false;
  readonly #stolen = new Set<string>();
  #quiesceFailed: string | undefined;
  #offAt: number | undefined;
  #uids = 0;

  constructor(spec: VirtualMachineImportSpec, options: WorldOptions = {}) {
    this.spec = spec;
    this.#options = options;
    this.power = options.power ?? 'On';
    this.namespaceExists = options.namespaceExists ?? true;
    this.#shutdownSeconds = options.shutdownSeconds ?? 5;
    this.#percentPerSecond = options.percentPerSecond ?? 7;
  }

  /** As the run reconciler relays a user's wish. */
  change(changes: Pick<VirtualMachineImportSpec, 'control'>): void {
    this.spec = { ...this.spec, ...changes };
  }

  /** As somebody would at the source, in the middle of the next copy: its importers do not find the snapshot any more. */
  takeNextSnapshotAway(): void {
    this.#isThiefAround = true;
  }

  /** As CDI has been seen to do after a failover: an importer more over a disk that is done. False: there is none, or a pod has it. */
  startImporterAgain(end: ToyEnd): boolean {
    const done = [...this.dataVolumes.values()].find(
      ({ name, ours, phase }) => ours && phase === 'Succeeded' && this.claims.get(name)?.whole === true,
    );
    if (done === undefined || this.converters.size > 0) return false;
    const { name: claim } = done;
    this.claims.get(claim)!.whole = false;
    const again = { end, at: this.now + againSeconds * 1000 };
    this.pods.delete(`importer-${claim}`);
    this.#once(this.pods, `importer-${claim}`, () => ({ claim, phase: 'Running', restarts: 0, again }));
    return true;
  }

  /** As somebody would at the target; the garbage collector and CDI follow. False: there is none of ours, or a converter holds it. */
  loseClaim(): boolean {
    const claim = [...this.claims.values()].find(({ ours }) => ours);
    if (claim === undefined || this.converters.size > 0) return false;
    this.#dropClaim(claim.name);
    return true;
  }

  loseDataVolume(): boolean {
    const dataVolume = [...this.dataVolumes.values()].find(({ ours }) => ours);
    if (dataVolume === undefined || this.converters.size > 0) return false;
    this.#deleteDataVolume(dataVolume.name, dataVolume.uid, false);
    return true;
  }

  loseVm(): boolean {
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
    for (const snapshot of [...this.snapshots]) {
      if (snapshot.goneAt !== undefined && this.now >= snapshot.goneAt)
        this.snapshots.splice(this.snapshots.indexOf(snapshot), 1);
    }
    for (const dataVolume of this.dataVolumes.values()) this.#copy(dataVolume, seconds);
    for (const pod of this.pods.values()) this.#copyAgain(pod);
    for (const pod of [...this.converters.values()]) this.#convert(pod);
    for (const vm of this.vms.values()) vm.instance = vm.runStrategy === 'Always' ? 'Running' : '';
  }

  // ---- facts --------------------------------------------------------------------------------------------------------------------

  gather(name: keyof FactTable, targetName: string, round: RoundView): FactTable[keyof FactTable] {
    switch (name) {
      case 'snapshot':
        return this.#snapshotState(round.marker);
      case 'snapshotLost':
        return [...this.pods.values()].some(({ restarts }) => restarts > 0) && this.#isLost(round.snapshotId);
      case 'audit':
        return {
          foreign: this.foreignSnapshots,
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
        return round.owed.map(({ key, marker, id: known, attempts, askedAt }) => {
          const state = this.#snapshotState(marker);
          const asked = {
            key,
            marker,
            attempts,
            ...(askedAt !== undefined && { askedMs: Date.parse(askedAt) }),
          };
          const id = state.state === 'ready' ? state.id : known;
          if (id === undefined) return { ...asked, state };
          return { ...asked, state, removal: { id, reading: this.#removal(id) } };
        });
      case 'sourceVm':
        return this.sourceGone
          ? { state: 'gone' }
          : { state: 'present', model: { ...vmModel(), digest: this.spec.model.digest, power: this.power } };
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
        return this.#converterFact();
      case 'conversionResult':
        return [...this.converters.values()].some(({ phase, isDone }) => phase === 'Running' && isDone)
          ? { osId: 'rhel9.4', osFamily: 'linux', warnings: [] }
          : undefined;
      case 'priorImports':
      case 'slots':
        throw new Error(`${name} is not of this world`);
    }
  }

  #snapshotState(marker: string): SnapshotState {
    if (this.#quiesceFailed === marker) {
      const error = {
        code: 'QuiesceFailed',
        kind: 'transient' as const,
        message: 'the guest did not listen',
      };
      return { state: 'failed', error, quiesceFault: true };
    }
    const found = this.snapshots.find((snapshot) => snapshot.marker === marker);
    if (found === undefined || found.goneAt !== undefined) return { state: 'absent' };
    return this.now < found.readyAt ? { state: 'creating' } : { state: 'ready', id: found.id };
  }

  #isLost(id: string | undefined): boolean {
    return id !== undefined && this.#stolen.has(id);
  }

  #removal(id: string): SnapshotRemoval {
    const found = this.snapshots.find((snapshot) => snapshot.id === id);
    if (found === undefined) return { state: 'gone' };
    return { state: found.goneAt === undefined ? 'present' : 'removing' };
  }

  #checkpoints(snapshotId: string | undefined): FactTable['checkpoints'] {
    const snapshot = this.snapshots.find(({ id }) => id === snapshotId);
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
      pods: [
        ...ours(this.pods),
        ...[...this.converters.values()]
          .filter((pod) => pod.ours)
          .map(({ name, uid, deletingAt, isHeld }) => ({
            name,
            uid,
            deleting: deletingAt !== undefined,
            converts: true,
            isHeld,
          })),
      ],
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
    const pod = [...this.pods.values()].find((candidate) => candidate.claim === claimName);
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
        this.#createSnapshot(action.marker, action.quiesce);
        return;
      case 'removeSnapshot':
        this.#removeSnapshot(action.id);
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
        remove(this.pods, action);
        this.#deleteConverter(action.name, action.uid);
        return;
      case 'createConversionPod':
        this.#createConverter();
        return;
      case 'finishConversion':
        for (const pod of this.converters.values())
          if (pod.phase === 'Running' && pod.isDone) pod.phase = 'Succeeded';
        return;
      case 'releasePod':
        this.#releaseConverter(action);
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

  #createSnapshot(marker: string, quiesce: boolean): void {
    if (quiesce && this.#options.unquiet === true) {
      this.#quiesceFailed = marker;
      return;
    }
    this.#quiesceFailed = undefined;
    if (this.foreignSnapshots.length > 0) this.besideForeign += 1;
    const readyAt = this.now + (this.#options.snapshotSeconds ?? 5) * 1000;
    this.snapshots.push({ id: `snapshot-${this.#uid()}`, marker, readyAt, content: this.writes });
    this.mostSnapshots = Math.max(this.mostSnapshots, this.snapshots.length);
  }

  #removeSnapshot(id: string): void {
    const found = this.snapshots.find((snapshot) => snapshot.id === id);
    if (found !== undefined) found.goneAt ??= this.now + (this.#options.mergeSeconds ?? 10) * 1000;
  }

  #copy(dataVolume: ToyDataVolume, seconds: number): void {
    const { name, uid } = dataVolume;
    const isOurs = dataVolume.ours;
    // CDI makes a claim anew even when it is done, and leaves it empty.
    if (!this.claims.has(name)) {
      const owner = { kind: 'DataVolume' as const, uid };
      const isRemade = dataVolume.phase !== '';
      const claim = { name, uid: this.#uid(), ours: isOurs, owner, whole: false, copied: [], isRemade };
      this.claims.set(name, claim);
    }
    if (dataVolume.phase === 'Succeeded') return;
    const claim = this.claims.get(name)!;
    const stage = dataVolume.checkpoints?.find(({ current }) => !claim.copied.includes(current));
    if (dataVolume.checkpoints !== undefined && stage === undefined) return;
    if (!this.pods.has(`importer-${name}`)) {
      this.#once(this.pods, `importer-${name}`, () => ({ claim: name, phase: 'Running', restarts: 0 }));
    }
    dataVolume.phase = 'ImportInProgress';
    if (this.#isThiefAround && this.snapshots.some(({ id }) => id === stage?.current)) {
      for (const { id } of this.snapshots) this.#stolen.add(id);
      this.snapshots.length = 0;
      this.#isThiefAround = false;
    }
    // Over a claim that was remade CDI begins with the first checkpoint, whose snapshot is long gone.
    const isPast =
      claim.isRemade && stage !== undefined && !this.snapshots.some(({ id }) => id === stage.current);
    if (isPast || (stage !== undefined && this.#stolen.has(stage.current))) {
      this.pods.get(`importer-${name}`)!.restarts += 1;
      return;
    }
    dataVolume.percent = Math.min(100, dataVolume.percent + seconds * this.#percentPerSecond);
    if (dataVolume.percent < 100) return;
    this.#stageDone(dataVolume, claim, stage);
    if (dataVolume.phase !== 'Succeeded') return;
    claim.whole = true;
    this.pods.get(`importer-${name}`)!.phase = 'Succeeded';
  }

  /** What a converter has made of the disk is lost, however it ends. */
  #copyAgain(pod: ToyPod): void {
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
    const snapshot = this.snapshots.find(({ id }) => id === stage.current);
    if (snapshot === undefined) throw new Error(`${stage.current} was removed under its copy`);
    if (stage.previous !== '' && stage.previous !== `change/${claim.content}`)
      throw new Error(`a delta from ${stage.previous} over ${claim.content}`);
    claim.content = snapshot.content;
    claim.copied.push(stage.current);
    const isLast = dataVolume.checkpoints?.at(-1)?.current === stage.current;
    dataVolume.phase = isLast && dataVolume.finalCheckpoint === true ? 'Succeeded' : 'Paused';
    if (dataVolume.phase === 'Succeeded') claim.copied = [];
  }

  // ---- conversion ---------------------------------------------------------------------------------------------------------------

  #converterFact(): FactTable['conversionPod'] {
    const pod = [...this.converters.values()].find(({ ours }) => ours);
    if (pod === undefined) return undefined;
    const { name, uid, phase, isHeld, createdAt, startedAt, deletingAt, fate } = pod;
    const isOver = phase === 'Failed';
    return {
      name,
      uid,
      isHeld,
      phase,
      createdMs: createdAt,
      isReady: pod.isDone,
      isScheduled: phase !== 'Pending',
      saysUntouched: isOver && fate === 'untouched',
      ...(startedAt !== undefined && { startedMs: startedAt }),
      ...(deletingAt !== undefined && { deletingMs: deletingAt }),
      ...(isOver && { lastWords: 'virt-v2v: error' }),
    };
  }

  #createConverter(): void {
    if (this.converters.size > 0) return;
    for (const claim of this.claims.values()) {
      claim.spoiled = !claim.whole && this.pods.get(`importer-${claim.name}`)?.again !== undefined;
      if (!claim.whole && !claim.spoiled) throw new Error(`${claim.name} is converted before it is whole`);
      if (claim.half === true) throw new Error(`${claim.name} is half converted already`);
    }
    const fate = this.#options.fates?.[this.convertersMade];
    this.convertersMade += 1;
    const name = 'converter';
    this.converters.set(name, {
      name,
      uid: this.#uid(),
      ours: true,
      createdAt: this.now,
      fate,
      phase: 'Pending',
      isDone: false,
      isHeld: true,
    });
  }

  #convert(pod: ToyConverter): void {
    const { convertStartSeconds = 5, convertSeconds = 20 } = this.#options;
    if (pod.deletingAt !== undefined) {
      if (pod.phase === 'Running') pod.phase = 'Failed';
      this.#dropConverter(pod);
      return;
    }
    if (pod.phase === 'Pending') {
      if (convertStartSeconds === 'never' || this.now < pod.createdAt + convertStartSeconds * 1000) return;
      pod.phase = pod.fate === 'evicted' ? 'Failed' : 'Running';
      if (pod.phase === 'Failed') return;
      pod.startedAt = this.now;
      if (pod.fate !== 'untouched') for (const claim of this.claims.values()) claim.half = true;
    }
    if (pod.phase !== 'Running' || pod.isDone || this.now < (pod.startedAt ?? 0) + convertSeconds * 1000)
      return;
    if (pod.fate !== undefined) {
      pod.phase = 'Failed';
      return;
    }
    pod.isDone = true;
    for (const claim of this.claims.values()) {
      claim.half = false;
      if (claim.spoiled !== true) claim.conversions = (claim.conversions ?? 0) + 1;
    }
  }

  #deleteConverter(name: string, uid: string): void {
    const pod = this.converters.get(name);
    if (pod?.uid !== uid) return;
    pod.deletingAt ??= this.now;
    this.#dropConverter(pod);
  }

  #releaseConverter({ name, uid, forget }: Extract<Action, { do: 'releasePod' }>): void {
    const pod = this.converters.get(name);
    if (pod?.uid !== uid) return;
    pod.isHeld = false;
    if (forget) pod.ours = false;
    this.#dropConverter(pod);
  }

  #dropConverter(pod: ToyConverter): void {
    if (pod.deletingAt !== undefined && !pod.isHeld && pod.phase !== 'Running')
      this.converters.delete(pod.name);
  }

  /** A claim goes while something writes to it. */
  #checkNoConverter(name: string): void {
    if ([...this.converters.values()].some(({ phase }) => phase === 'Running'))
      throw new Error(`${name} goes under its converter`);
  }

  #deleteDataVolume(name: string, uid: string, orphan: boolean): void {
    if (!remove(this.dataVolumes, { name, uid })) return;
    const claim = this.claims.get(name);
    if (claim?.owner.uid !== uid) return;
    if (orphan) claim.owner = { kind: 'none' };
    else {
      this.#checkNoConverter(name);
      this.#dropClaim(name);
    }
  }

  /** The claim owns its importer, and what was copied goes with it. */
  #dropClaim(name: string): void {
    this.claims.delete(name);
    this.pods.delete(`importer-${name}`);
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

  #once<T extends Thing>(things: Map<string, T>, name: string, make: () => Omit<T, keyof Thing>): void {
    if (things.has(name)) return;
    things.set(name, { ...make(), name, uid: this.#uid(), ours: true } as T);
  }

  #uid(): string {
    this.#uids += 1;
    return `uid-${this.#uids}`;
  }
}

function remove<T extends Thing>(
  things: Map<string, T>,
  { name, uid }: { readonly name: string; readonly uid: string },
): boolean {
  return things.get(name)?.uid === uid && things.delete(name);
}
