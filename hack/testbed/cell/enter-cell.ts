import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import type { Clock } from '../../../src/runtime/clock.ts';
import { testbedVariable } from '../control/testbed.ts';
import { CellError } from './cell-error.ts';
import type { CellMessage, CellReport } from './cell-messages.ts';
import { runCommand } from './run-command.ts';

export interface CellProgram {
  /** Path of a program for Node, which begins with `openCell` (cell.ts). */
  readonly path: string;
  readonly args: readonly string[];
  /** The folder of this run; both sides know it. */
  readonly folder: string;
  readonly clock: Clock;
  /** In addition to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with what the program tells by `Cell.report`. */
  readonly onReport?: (report: CellReport) => void;
}

/** What does not end in good order within so many milliseconds is killed, and everything with it. */
const endWithinMs = 30_000;

/** Tools of util-linux and iproute2; where one is absent the rest of a testbed would fail later, and less clearly. */
const tools = ['unshare', 'setpriv', 'nsenter', 'mount', 'losetup', 'ip'];

/**
 * Runs the program in network, mount and process namespaces of its own, and resolves to its exit code (128 + number when a signal ended
 * it). When `signal` aborts, the program is told to end; what it then does is its affair. Nothing in the namespaces outlives the program,
 * nor this process. Rejects with CellError where the machine does not allow it.
 */
export async function enterCell(program: CellProgram, signal: AbortSignal): Promise<number> {
  await checkMachine();
  signal.throwIfAborted();
  const child = spawn('setpriv', cellCommand(process.execPath, program), {
    // In a session of its own: Ctrl-C comes to this process alone, and the parts end in good order rather than all at once.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...program.env, [testbedVariable]: program.folder },
  });
  const heard: CellReport[] = [];
  child.on('message', (message: CellReport) => {
    heard.push(message);
    program.onReport?.(message);
  });
  using timers = new DisposableStack();
  const onAbort = (): void => {
    tellToEnd(child);
    timers.use(program.clock.setTimeout(() => child.kill('SIGKILL'), endWithinMs));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const code = await ended(child);
    if (heard.length === 0 && code !== 0) throw refused(code);
    return code;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * setpriv: the kernel kills unshare with this process, and unshare its child, process 1 of the new namespace, with which everything in
 * there ends. Process 1 is a shell because it is to reap orphans, which Node does not; the command after it keeps it from becoming Node.
 */
function cellCommand(node: string, { path, args }: CellProgram): readonly string[] {
  const unshare = [
    'unshare',
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--mount-proc',
    '--kill-child=KILL',
    '--',
  ];
  return ['--pdeathsig', 'KILL', ...unshare, 'sh', '-c', '"$@"; exit $?', 'sh', node, path, ...args];
}

async function checkMachine(): Promise<void> {
  if (process.platform !== 'linux') {
    throw new CellError('NamespacesRefused', `a testbed needs Linux; this is ${process.platform}`);
  }
  if (process.getuid?.() !== 0) {
    throw new CellError(
      'RootNeeded',
      'a testbed makes network namespaces, mounts and loop devices: run it as root (sudo, or in a privileged container)',
    );
  }
  await Promise.all(tools.map((tool) => runCommand(tool, ['--version']).catch(unlessItRan)));
}

/** busybox and others know no --version; that they are there is all that is asked. */
function unlessItRan(error: unknown): void {
  if (!(error instanceof CellError) || error.code !== 'CommandFailed') throw error;
}

function tellToEnd(child: ChildProcess): void {
  const message: CellMessage = 'end';
  if (child.connected) child.send(message, () => undefined);
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 128 + 9));
  });
}

function refused(code: number): CellError {
  return new CellError(
    'NamespacesRefused',
    `the testbed's namespaces could not be entered (ended with ${code}, its words stand above): in a container this needs CAP_SYS_ADMIN, CAP_NET_ADMIN and access to loop devices (--privileged)`,
  );
}
