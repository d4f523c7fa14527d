import type { FactTable, TargetObjects } from '../../src/migration/facts.ts';
import type { Action } from '../../src/migration/phase.ts';
import type { Thing, ToyClaim } from './model-things.ts';

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

export interface ConverterOptions {
  /** Seconds until a converter runs, and until it is done; what becomes of the first ones. */
  readonly convertStartSeconds?: number | 'never';
  readonly convertSeconds?: number;
  readonly fates?: readonly ToyFate[];
}

/** The pods that convert guests, one at a time, on the claims of a world. Times are milliseconds since 1970. */
export class ModelConverters {
  readonly pods = new Map<string, ToyConverter>();
  /** Pods that were ever made to convert. */
  made = 0;
  readonly #claims: ReadonlyMap<string, ToyClaim>;
  readonly #options: ConverterOptions;

  constructor(claims: ReadonlyMap<string, ToyClaim>, options: ConverterOptions) {
    this.#claims = claims;
    this.#options = options;
  }

  /** While a pod has the claims nobody else is given them. */
  get holdClaims(): boolean {
    return this.pods.size > 0;
  }

  fact(): FactTable['conversionPod'] {
    const pod = [...this.pods.values()].find(({ ours }) => ours);
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

  result(): FactTable['conversionResult'] {
    return this.#running().some(({ isDone }) => isDone)
      ? { osId: 'rhel9.4', osFamily: 'linux', warnings: [] }
      : undefined;
  }

  labelled(): TargetObjects['pods'] {
    return [...this.pods.values()]
      .filter(({ ours }) => ours)
      .map(({ name, uid, deletingAt, isHeld }) => ({
        name,
        uid,
        deleting: deletingAt !== undefined,
        converts: true,
        isHeld,
      }));
  }

  /** Throws where a claim is no whole copy, unless an importer has begun over it in this very moment. */
  create(isImportedAgain: (claim: string) => boolean, now: number): void {
    if (this.pods.size > 0) return;
    for (const claim of this.#claims.values()) {
      claim.spoiled = !claim.whole && isImportedAgain(claim.name);
      if (!claim.whole && !claim.spoiled) throw new Error(`${claim.name} is converted before it is whole`);
      if (claim.half === true) throw new Error(`${claim.name} is half converted already`);
    }
    const fate = this.#options.fates?.[this.made];
    this.made += 1;
    const name = 'converter';
    this.pods.set(name, {
      name,
      uid: `converter-${this.made}`,
      ours: true,
      createdAt: now,
      fate,
      phase: 'Pending',
      isDone: false,
      isHeld: true,
    });
  }

  finish(): void {
    for (const pod of this.#running()) if (pod.isDone) pod.phase = 'Succeeded';
  }

  delete({ name, uid }: Pick<Thing, 'name' | 'uid'>, now: number): void {
    const pod = this.pods.get(name);
    if (pod?.uid !== uid) return;
    pod.deletingAt ??= now;
    this.#drop(pod);
  }

  release({ name, uid, forget }: Extract<Action, { do: 'releasePod' }>): void {
    const pod = this.pods.get(name);
    if (pod?.uid !== uid) return;
    pod.isHeld = false;
    if (forget) pod.ours = false;
    this.#drop(pod);
  }

  /** Throws where one writes to a claim that is to go. */
  checkNoneWrites(claim: string): void {
    if (this.#running().length > 0) throw new Error(`${claim} goes under its converter`);
  }

  tick(now: number): void {
    for (const pod of [...this.pods.values()]) this.#convert(pod, now);
  }

  #convert(pod: ToyConverter, now: number): void {
    const { convertStartSeconds = 5, convertSeconds = 20 } = this.#options;
    if (pod.deletingAt !== undefined) {
      if (pod.phase === 'Running') pod.phase = 'Failed';
      this.#drop(pod);
      return;
    }
    if (pod.phase === 'Pending') {
      if (convertStartSeconds === 'never' || now < pod.createdAt + convertStartSeconds * 1000) return;
      pod.phase = pod.fate === 'evicted' ? 'Failed' : 'Running';
      if (pod.phase === 'Failed') return;
      pod.startedAt = now;
      if (pod.fate !== 'untouched') for (const claim of this.#claims.values()) claim.half = true;
    }
    if (pod.phase !== 'Running' || pod.isDone || now < (pod.startedAt ?? 0) + convertSeconds * 1000) return;
    if (pod.fate !== undefined) {
      pod.phase = 'Failed';
      return;
    }
    pod.isDone = true;
    for (const claim of this.#claims.values()) {
      claim.half = false;
      if (claim.spoiled !== true) claim.conversions = (claim.conversions ?? 0) + 1;
    }
  }

  #running(): readonly ToyConverter[] {
    return [...this.pods.values()].filter(({ phase }) => phase === 'Running');
  }

  #drop(pod: ToyConverter): void {
    if (pod.deletingAt !== undefined && !pod.isHeld && pod.phase !== 'Running') this.pods.delete(pod.name);
  }
}
