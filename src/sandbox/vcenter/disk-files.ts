import { DiskHistory } from '../disk-history.ts';
import type { DiskStore } from '../disk-store.ts';
import type { PlacedDisk } from './disk-placement.ts';

/** The disks on the datastores, by file: two VMs with the same file share it (fact: vs 2.4). */
export class DiskFiles {
  readonly #store: DiskStore;
  readonly #byFile = new Map<string, { readonly disk: DiskHistory; users: number }>();

  constructor(store: DiskStore) {
    this.#store = store;
  }

  /** For one more user of the file; made when nobody has it yet. */
  open(vmId: string, placed: PlacedDisk): DiskHistory {
    const existing = this.#byFile.get(placed.fileName);
    if (existing !== undefined) {
      existing.users += 1;
      return existing.disk;
    }
    const made = this.#store.create(`vcenter/${vmId}/${placed.key}`, placed.spec.sizeBytes);
    const disk = new DiskHistory(this.#store, made);
    this.#byFile.set(placed.fileName, { disk, users: 1 });
    return disk;
  }

  /** The bytes go with the last user. */
  close(fileName: string): void {
    const file = this.#byFile.get(fileName);
    if (file === undefined || (file.users -= 1) > 0) return;
    this.#byFile.delete(fileName);
    file.disk.remove();
  }

  rename(fileName: string, to: string): void {
    const file = this.#byFile.get(fileName);
    if (file === undefined) return;
    this.#byFile.delete(fileName);
    this.#byFile.set(to, file);
  }
}
