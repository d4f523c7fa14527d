import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createInterface } from 'node:readline';
import process from 'node:process';
import type { Clock } from '../../../src/runtime/clock.ts';

export interface LoggedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** Over the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Written anew. */
  readonly logFile: string;
  readonly onLine: (line: string) => void;
}

/** How it ended: an exit code, or null when a signal ended it; and the last lines of the log. */
export interface Ended {
  readonly code: number | null;
  readonly tail: readonly string[];
}

const tailLines = 15;
const graceMs = 5_000;

/**
 * Runs a command to its end with everything that it prints in a log file. When `signal` aborts, the command and all of its children are
 * ended, and the promise rejects with the reason once they are. Rejects with ENOENT where there is no such program.
 */
export async function runLogged(
  { command, args, folder, env, logFile, onLine }: LoggedCommand,
  clock: Clock,
  signal: AbortSignal,
): Promise<Ended> {
  signal.throwIfAborted();
  const log = createWriteStream(logFile);
  log.write(`$ ${[command, ...args].join(' ')}\n`);
  const tail: string[] = [];
  // A process group of its own, so that a compiler's children end with it.
  const child = spawn(command, [...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const take = (line: string): void => {
    log.write(`${line}\n`);
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    onLine(line);
  };
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', take);
  using killer = new DisposableStack();
  const killGroup = (how: NodeJS.Signals): void => {
    if (child.pid !== undefined) signalGroup(child.pid, how);
  };
  const onAbort = (): void => {
    killGroup('SIGTERM');
    killer.use(clock.setTimeout(() => killGroup('SIGKILL'), graceMs));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    return { code, tail };
  } finally {
    signal.removeEventListener('abort', onAbort);
    log.end();
    await finished(log);
  }
}

function signalGroup(pid: number, how: NodeJS.Signals): void {
  try {
    process.kill(-pid, how);
  } catch (error) {
    // All of them have ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
