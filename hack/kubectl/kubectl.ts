import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The real kubectl, with a home of its own that goes when it is disposed of. */
export class Kubectl implements AsyncDisposable {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  #files = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#env = {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      KUBECONFIG: join(folder, 'config'),
      KUBECACHEDIR: join(folder, 'cache'),
    };
  }

  static async with(kubeconfig: string): Promise<Kubectl> {
    const folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
    await mkdir(join(folder, 'cache'));
    await writeFile(join(folder, 'config'), kubeconfig);
    return new Kubectl(folder);
  }

  static isThere(): Promise<boolean> {
    return new Promise((resolve) =>
      execFile('kubectl', ['version', '--client'], (error) => resolve(error === null)),
    );
  }

  /** Runs to its end; never throws for what kubectl refuses. */
  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    return new Promise((resolve, reject) => {
      execFile(
        'kubectl',
        [...args],
        { env: { ...this.#env, ...env }, timeout: 30_000 },
        (error, out, err) => {
          if (error !== null && typeof error.code !== 'number')
            reject(new Error(`kubectl ${args.join(' ')}: ${error.message}`));
          else resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
        },
      );
    });
  }

  /** Runs and demands success; gives what it printed. */
  async ok(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.run(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`);
    return out;
  }

  /** Runs and demands a refusal; gives what it said. */
  async refused(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.run(args);
    if (code === 0) throw new Error(`kubectl ${args.join(' ')} was to be refused, but said: ${out}`);
    return err.trim();
  }

  /** A file with these documents, for `-f`. */
  async file(...documents: readonly object[]): Promise<string> {
    const name = join(this.#folder, `${(this.#files += 1)}.yaml`);
    // The first separator tells kubectl that this is YAML, in which JSON documents may stand.
    await writeFile(name, documents.map((document) => `---\n${JSON.stringify(document)}\n`).join(''));
    return name;
  }

  /** A command that goes on, such as `get -w`. */
  follow(...args: readonly string[]): Followed {
    return new Followed(args, this.#env);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const longestWaitMs = 15_000;

class Followed implements AsyncDisposable {
  readonly #child;
  readonly #done: Promise<void>;
  #out = '';
  #onText: () => void = () => undefined;

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn('kubectl', [...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#out += chunk.toString();
      this.#onText();
    });
    this.#done = new Promise((resolve) => this.#child.on('close', () => resolve()));
  }

  /** Resolves with all that was printed as soon as it matches. */
  until(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const tooLong = AbortSignal.timeout(longestWaitMs);
      tooLong.addEventListener('abort', () =>
        reject(new Error(`${String(pattern)} never came: ${this.#out}`)),
      );
      this.#onText = () => {
        if (pattern.test(this.#out)) resolve(this.#out);
      };
      this.#onText();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#done;
  }
}
