import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/**
 * A fresh folder that only its user can read, gone in the end whatever happens: when it is disposed of, and, should the process be told to
 * end at once, when it exits.
 */
export class TempFolder implements Disposable {
  readonly path: string;
  readonly #kept = new Set<string>();
  readonly #onExit = (): void => this.#remove();

  /** `parent` must exist. */
  constructor(parent: string, prefix: string) {
    this.path = mkdtempSync(join(parent, prefix));
    process.once('exit', this.#onExit);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** This one file is left behind, with the folder around it. */
  keep(name: string): void {
    this.#kept.add(name);
  }

  [Symbol.dispose](): void {
    process.removeListener('exit', this.#onExit);
    this.#remove();
  }

  #remove(): void {
    if (this.#kept.size === 0) {
      rmSync(this.path, { recursive: true, force: true });
      return;
    }
    for (const name of readdirSync(this.path)) {
      if (!this.#kept.has(name)) rmSync(this.file(name), { recursive: true, force: true });
    }
  }
}
