import type { VirtualMachineImportSpec } from '../../src/api/virtual-machine-import.ts';
import type { FactTable, TargetObjects, VolumeFact } from '../../src/migration/facts.ts';
import type { Action } from '../../src/migration/phase.ts';
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
}
export interface ToyClaim extends Thing {
  owner: { kind: 'DataVolume' | 'VirtualMachine' | 'none' | 'other'; uid?: string };
  whole: boolean;
}
export interface ToyVm extends Thing {
  runStrategy: string;
  /** Of the VirtualMachineInstance. */
  instance: string;
}
interface ToyPod extends Thing {
  claim: string;
  phase: string;
  restarts: number;
}

/** How the guest takes a request to shut down: seconds until it is off, or never. */
export interface WorldOptions {
  readonly power?: PowerState;
  readonly shutdownSeconds?: number | 'never';
  readonly namespaceExists?: boolean;
  /** Percent of each disk that CDI copies in a second. */
  readonly percentPerSecond?: number;
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
  readonly spec: VirtualMachineImportSpec;
  now = Date.UTC(2026, 0, 1);
  power: PowerState;
  sourceGone = false;
  namespaceExists: boolean;
  readonly dataVolumes = new Map<string, ToyDataVolume>();
  readonly claims = new Map<string, ToyClaim>();
  readonly pods = new Map<string, ToyPod>();
  readonly vms = new Map<string, ToyVm>();
  readonly secrets = new Map<string, Thing>();
  readonly performed: Action[] = [];
  /** How often the target VM was really created. */
  vmsMade = 0;
  readonly #shutdownSeconds: number | 'never';
  readonly #percentPerSecond: number;
  #offAt: number | undefined;
  #uids = 0;

  constructor(spec: VirtualMachineImportSpec, options: WorldOptions = {}) {
    this.spec = spec;
    this.power = options.power ?? 'On';
    this.namespaceExists = options.namespaceExists ?? true;
    this.#shutdownSeconds = options.shutdownSeconds ?? 5;
    this.#percentPerSecond = options.percentPerSecond ?? 7;
  }

  /** Lets time pass: guests shut down, importers copy, instances start. */
  tick(seconds: number): void {
    this.now += seconds * 1000;
    if (this.#offAt !== undefined && this.now >= this.#offAt) {
      this.power = 'Off';
      this.#offAt = undefined;
    }
    for (const dataVolume of this.dataVolumes.values()) this.#copy(dataVolume, seconds);
    for (const vm of this.vms.values()) vm.instance = vm.runStrategy === 'Always' ? 'Running' : '';
  }

  // ---- facts --------------------------------------------------------------------------------------------------------------------

  gather(name: keyof FactTable, targetName: string): FactTable[keyof FactTable] {
    switch (name) {
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
      case 'priorImports':
      case 'slots':
        throw new Error(`${name} is not of this world`);
    }
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
      pods: ours(this.pods),
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
        this.#createDataVolume(action.diskKey);
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
        remove(this.claims, action);
        return;
      case 'deletePod':
        remove(this.pods, action);
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
        this.power = 'On';
        this.#offAt = undefined;
        return;
    }
  }

  #powerOff(how: 'guest' | 'hard'): void {
    if (this.power === 'Off') return;
    if (how === 'hard') this.power = 'Off';
    else if (this.#shutdownSeconds !== 'never') this.#offAt ??= this.now + this.#shutdownSeconds * 1000;
  }

  #createDataVolume(diskKey: string): void {
    const disk = this.spec.disks.find(({ key }) => key === diskKey)!;
    this.#once(this.dataVolumes, disk.claimName, () => ({ percent: 0, phase: '' }));
  }

  #copy(dataVolume: ToyDataVolume, seconds: number): void {
    const { name, uid } = dataVolume;
    const isOurs = dataVolume.ours;
    if (dataVolume.phase === 'Succeeded') return;
    if (!this.claims.has(name)) {
      const owner = { kind: 'DataVolume' as const, uid };
      this.claims.set(name, { name, uid: this.#uid(), ours: isOurs, owner, whole: false });
    }
    if (!this.pods.has(`importer-${name}`)) {
      this.#once(this.pods, `importer-${name}`, () => ({ claim: name, phase: 'Running', restarts: 0 }));
    }
    dataVolume.phase = 'ImportInProgress';
    dataVolume.percent = Math.min(100, dataVolume.percent + seconds * this.#percentPerSecond);
    if (dataVolume.percent < 100) return;
    dataVolume.phase = 'Succeeded';
    this.claims.get(name)!.whole = true;
    this.pods.get(`importer-${name}`)!.phase = 'Succeeded';
  }

  #deleteDataVolume(name: string, uid: string, orphan: boolean): void {
    if (!remove(this.dataVolumes, { name, uid })) return;
    const claim = this.claims.get(name);
    if (claim?.owner.uid !== uid) return;
    if (orphan) claim.owner = { kind: 'none' };
    else this.claims.delete(name);
  }

  #createVm(name: string): void {
    if (this.vms.has(name)) {
      if (!this.vms.get(name)!.ours) throw new Refused('AlreadyExists', 'name taken');
      return;
    }
    this.vmsMade += 1;
    this.#once(this.vms, name, () => ({ runStrategy: 'Halted', instance: '' }));
  }

  /** The garbage collector takes along what the VM owns. */
  #deleteVm(name: string, uid: string): void {
    if (!remove(this.vms, { name, uid })) return;
    for (const claim of [...this.claims.values()]) {
      if (claim.owner.uid === uid) this.claims.delete(claim.name);
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
