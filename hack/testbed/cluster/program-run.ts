import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Clock } from '../../../src/runtime/clock.ts';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** All of it but PATH: nothing of ours is handed on. */
  readonly env?: Readonly<Record<string, string>>;
}

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** One run of a program, from its start to its end. */
export class ProgramRun {
  /** Says how: "with exit code 1". Never rejects. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  /** What it writes is added to the file at `logPath`. */
  constructor({ command, args, env }: Program, logPath: string) {
    const log = openSync(logPath, 'a', 0o600);
    try {
      this.#child = spawn(command, [...args], {
        stdio: ['ignore', log, log],
        env: { PATH: searchPath, ...env },
      });
    } finally {
      closeSync(log);
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`as it could not be started (${error.message})`));
      this.#child.once('exit', (code, signal) =>
        resolve(signal === null ? `with exit code ${String(code)}` : `by ${signal}`),
      );
    });
  }

  /** Undefined: it has ended, or never began. */
  get pid(): number | undefined {
    const { pid, exitCode, signalCode } = this.#child;
    return exitCode === null && signalCode === null ? pid : undefined;
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, and after `graceMs` SIGKILL; with 0 that at once. Resolves when it has ended. */
  async end(graceMs: number, clock: Clock): Promise<void> {
    if (graceMs > 0) {
      this.send('SIGTERM');
      // One that is paused hears nothing else.
      this.send('SIGCONT');
    }
    using _killer = clock.setTimeout(() => this.send('SIGKILL'), graceMs);
    await this.ended;
  }
}
