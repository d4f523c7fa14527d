import type { FactTable } from '../../src/migration/facts.ts';
import type { LedgerEntry } from '../../src/api/virtual-machine-import.ts';
import type { SnapshotRemoval, SnapshotState } from '../../src/model/source-data.ts';

interface ToySnapshot {
  readonly id: string;
  readonly marker: string;
  readonly readyAt: number;
  /** What each disk held: the number of writes so far. */
  readonly content: number;
  goneAt?: number;
}

export interface SnapshotOptions {
  /** Seconds that making and merging a snapshot take. */
  readonly snapshotSeconds?: number;
  readonly mergeSeconds?: number;
  /** The guest cannot be quiesced. */
  readonly unquiet?: boolean;
}

/** The snapshots of the source VM, ours and somebody else's. Times are milliseconds since 1970. */
export class ModelSnapshots {
  /** Ours, merging ones too. */
  readonly present: ToySnapshot[] = [];
  foreign: readonly string[] = [];
  /** More than one of ours at the source at a time: data has been lost by that. */
  mostAtOnce = 0;
  /** Snapshots of ours that were asked for while somebody else had one. */
  besideForeign = 0;
  readonly #options: SnapshotOptions;
  readonly #stolen = new Set<string>();
  #isThiefAround = false;
  #quiesceFailed: string | undefined;
  #made = 0;

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  tick(now: number): void {
    for (const snapshot of [...this.present]) {
      if (snapshot.goneAt !== undefined && now >= snapshot.goneAt)
        this.present.splice(this.present.indexOf(snapshot), 1);
    }
  }

  create(marker: string, quiesce: boolean, content: number, now: number): void {
    if (quiesce && this.#options.unquiet === true) {
      this.#quiesceFailed = marker;
      return;
    }
    this.#quiesceFailed = undefined;
    if (this.foreign.length > 0) this.besideForeign += 1;
    const readyAt = now + (this.#options.snapshotSeconds ?? 5) * 1000;
    this.#made += 1;
    this.present.push({ id: `snapshot-${this.#made}`, marker, readyAt, content });
    this.mostAtOnce = Math.max(this.mostAtOnce, this.present.length);
  }

  remove(id: string, now: number): void {
    const found = this.find(id);
    if (found !== undefined) found.goneAt ??= now + (this.#options.mergeSeconds ?? 10) * 1000;
  }

  /** Somebody takes the one away that is copied next. */
  expectThief(): void {
    this.#isThiefAround = true;
  }

  /** An importer opens it. False: it was taken away from under it, and it will not find it again. */
  open(id: string): boolean {
    if (this.#isThiefAround && this.find(id) !== undefined) {
      for (const snapshot of this.present) this.#stolen.add(snapshot.id);
      this.present.length = 0;
      this.#isThiefAround = false;
    }
    return !this.#stolen.has(id);
  }

  find(id: string | undefined): ToySnapshot | undefined {
    return this.present.find((snapshot) => snapshot.id === id);
  }

  isStolen(id: string | undefined): boolean {
    return id !== undefined && this.#stolen.has(id);
  }

  state(marker: string, now: number): SnapshotState {
    if (this.#quiesceFailed === marker) {
      const error = {
        code: 'QuiesceFailed',
        kind: 'transient' as const,
        message: 'the guest did not listen',
      };
      return { state: 'failed', error, quiesceFault: true };
    }
    const found = this.present.find((snapshot) => snapshot.marker === marker);
    if (found === undefined || found.goneAt !== undefined) return { state: 'absent' };
    return now < found.readyAt ? { state: 'creating' } : { state: 'ready', id: found.id };
  }

  owed(entries: readonly LedgerEntry[], now: number): FactTable['owedSnapshots'] {
    return entries.map(({ key, marker, id: known, attempts, askedAt }) => {
      const state = this.state(marker, now);
      const asked = { key, marker, attempts, ...(askedAt !== undefined && { askedMs: Date.parse(askedAt) }) };
      const id = state.state === 'ready' ? state.id : known;
      if (id === undefined) return { ...asked, state };
      return { ...asked, state, removal: { id, reading: this.#removal(id) } };
    });
  }

  #removal(id: string): SnapshotRemoval {
    const found = this.find(id);
    if (found === undefined) return { state: 'gone' };
    return { state: found.goneAt === undefined ? 'present' : 'removing' };
  }
}
