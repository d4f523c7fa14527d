import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { BuildError } from './build-error.ts';

/** Ends when its standard input does, which is also when the process at the other end is killed. */
const holder = ['sh', '-c', 'echo held && exec cat'];
const taken = 75;

/**
 * Takes the lock of a folder and holds it until disposed of. It is the kernel's (flock), held by a small child process, because Node has no such
 * call: it is free again whatever way its holder ends, and it works between containers that share the folder. `onWait` is called when
 * somebody else has it.
 */
export async function lockFolder(
  folder: string,
  onWait: () => void,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const file = join(folder, 'lock');
  const first = await hold(['--nonblock', '--conflict-exit-code', `${taken}`, file], signal);
  if (first !== undefined) return first;
  onWait();
  const second = await hold([file], signal);
  if (second === undefined) throw new BuildError('TestbedLock', `cannot lock ${file}: flock gave up waiting`);
  return second;
}

/** Undefined when somebody else has the lock and it is not to be waited for. */
async function hold(args: readonly string[], signal: AbortSignal): Promise<AsyncDisposable | undefined> {
  signal.throwIfAborted();
  // A process group of its own: Ctrl-C at a terminal is for the build, which still has to clean up under the lock.
  const child = spawn('flock', [...args, ...holder], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const held = Promise.race([once(child.stdout, 'data').then(() => 'held' as const), ended]);
  const release = (): void => void child.stdin.end();
  // flock itself, while it waits, does not read its input; the holder, should it just have begun, does not get flock's signal.
  const giveUp = (): void => {
    child.kill();
    release();
  };
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const outcome = await held;
    signal.throwIfAborted();
    if (outcome === 'held') return { [Symbol.asyncDispose]: () => end(child, release, ended) };
    if (outcome[0] === taken) return undefined;
    throw new BuildError('TestbedLock', `cannot lock: flock ${args.join(' ')} ended with ${outcome[0]}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new BuildError('TestbedLock', 'cannot lock the cache: there is no flock (package util-linux)');
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

async function end(child: ChildProcess, release: () => void, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  release();
  await ended;
}
