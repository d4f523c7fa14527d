import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../src/runtime/clock.ts';
import type { LogFields } from '../../src/runtime/log.ts';
import type { RecordedLine } from '../../src/runtime/recording-logger.ts';
import { patienceSeconds } from './patience.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where Node keeps what it compiled: a second start from the sources takes half as long. */
const compiled = `${root}node_modules/.cache/gantry-tests`;

export interface Exit {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GantryOptions {
  readonly clock: Clock;
  readonly env?: Readonly<Record<string, string>>;
  /** What runs; default src/main.ts. */
  readonly program?: string;
  readonly cwd?: string;
}

/** The `gantry` command as a process of its own. It is to be disposed of: that ends it, however it stands with it. */
export class GantryProcess implements AsyncDisposable {
  readonly pid: number;
  /** Its log, and what else it wrote to standard error (as lines of level error). */
  readonly lines: RecordedLine[] = [];
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #stdout = '';
  #stderr = '';
  #exit: Exit | undefined;

  constructor(args: readonly string[], options: GantryOptions) {
    const { clock, env = {}, program = `${root}src/main.ts`, cwd = root } = options;
    this.#clock = clock;
    this.#child = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', NODE_COMPILE_CACHE: compiled, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.#child.pid!;
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString('utf8')));
    const stderr = createInterface({ input: this.#child.stderr! });
    stderr.on('line', (line) => {
      this.#stderr += `${line}\n`;
      this.lines.push(recorded(line));
      this.#tell();
    });
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#exit = { code, signal };
        this.#tell();
        resolve(this.#exit);
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  has(message: string): boolean {
    return this.lines.some((line) => line.message === message);
  }

  /** The first line of its log with this message. Throws when it ends before, or says nothing of the kind in time. */
  async says(message: string, withinSeconds = patienceSeconds): Promise<RecordedLine> {
    const find = () => this.lines.find((line) => line.message === message);
    await this.#until(`it says "${message}"`, () => find() !== undefined, withinSeconds);
    const found = find();
    if (found === undefined) throw new Error(`ended without "${message}":\n${this.#stderr}`);
    return found;
  }

  async ends(withinSeconds = patienceSeconds): Promise<Exit> {
    await this.#until('it ends', () => false, withinSeconds);
    return this.exited;
  }

  /** SIGKILL, if it still runs: also to one that is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit === undefined) this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** Resolves when it holds, or the process has ended. */
  async #until(what: string, holds: () => boolean, withinSeconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = (): void => {
      if (holds() || this.#exit !== undefined) resolve(true);
    };
    this.#listeners.add(look);
    using _limit = this.#clock.setTimeout(() => resolve(false), withinSeconds * 1000);
    look();
    const isInTime = await promise;
    this.#listeners.delete(look);
    if (!isInTime) throw new Error(`not within ${withinSeconds} s: ${what}\n${this.#stderr.slice(-4000)}`);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function recorded(line: string): RecordedLine {
  try {
    const { level, message, ...fields } = JSON.parse(line) as RecordedLine & LogFields;
    return { level, message, fields };
  } catch {
    return { level: 'error', message: line, fields: {} };
  }
}
