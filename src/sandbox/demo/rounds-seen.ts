import type { Stored } from '../../api/meta.ts';
import type { VirtualMachineImport } from '../../api/virtual-machine-import.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { DemoDiskStore } from './demo-disk-store.ts';
import type { WatchedRun } from './watched-run.ts';

/** What a round of a warm VM has copied. */
export interface RoundReport {
  readonly round: number;
  /** It came after the power-off. */
  readonly isFinal: boolean;
  /** Written to the target, zeros included. */
  readonly bytes: number;
  /** From its snapshot being asked for to the end of its copy. */
  readonly ms: number;
}

/** Follows the rounds of all imports: an import remembers its last ones only, and what they copied is seen on the target's disks. */
export class RoundsSeen implements Disposable {
  readonly #disks: Pick<DemoDiskStore, 'writtenBytes'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #copied = new Map<string, RoundReport[]>();
  readonly #begun = new Map<string, number>();
  readonly #listening: Disposable;

  constructor(
    run: Pick<WatchedRun, 'imports'>,
    disks: Pick<DemoDiskStore, 'writtenBytes'>,
    clock: Pick<Clock, 'now'>,
  ) {
    this.#disks = disks;
    this.#clock = clock;
    this.#listening = run.imports.onChange((_, after) => {
      if (after !== undefined) this.#note(after);
    });
  }

  /** In order, of the VM that is called so. */
  of(vmName: string): readonly RoundReport[] {
    return this.#copied.get(vmName) ?? [];
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  #note({ spec, status }: Stored<VirtualMachineImport>): void {
    const { name } = spec.vm;
    const known = this.#copied.get(name) ?? [];
    for (const { n, kind, copiedAt } of status?.records?.rounds ?? []) {
      if (known.some(({ round }) => round === n)) continue;
      const id = `${name}/${n}`;
      const begunAt = this.#begun.get(id) ?? this.#clock.now();
      this.#begun.set(id, begunAt);
      if (copiedAt === undefined) continue;
      const written = spec.disks.reduce(
        (sum, { claimName }) =>
          sum + this.#disks.writtenBytes(`claim/${spec.target.namespace}/${claimName}/`),
        0,
      );
      const before = known.reduce((sum, { bytes }) => sum + bytes, 0);
      const ms = this.#clock.now() - begunAt;
      known.push({ round: n, isFinal: kind === 'final', bytes: written - before, ms });
    }
    this.#copied.set(name, known);
  }
}
