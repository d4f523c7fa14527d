import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import type { Clock } from '../../../src/runtime/clock.ts';
import { CellError } from './cell-error.ts';
import { runCommand } from './run-command.ts';

const prefix = 'gantry-testbed-';
/** A socket that answers for as long as the process lives that made the folder: no process id that may mean another one by now. */
const markName = 'alive.sock';
const keptName = 'kept';
/** A folder without a mark is one that is being made, unless it is older (milliseconds). */
const makingMs = 60_000;
/** What the address of a unix socket holds, less the longest name of one in a folder (man 7 unix). */
const longestPath = 107 - '/front-door.sock'.length;

/**
 * The folder of one run: everything that a testbed writes is in it. It is gone in the end; and where the process was killed, the next one
 * finds that nobody answers for it and removes it.
 */
export class RunFolder implements AsyncDisposable {
  /** Removes what dead runs left, then makes a folder that only its user can read. `parent` must exist. */
  static async create(parent: string, clock: Clock): Promise<RunFolder> {
    await removeDeadFolders(parent, clock);
    const path = await mkdtemp(join(parent, prefix));
    if (path.length > longestPath) {
      await rm(path, { recursive: true });
      throw new CellError(
        'FolderPathTooLong',
        `${path} is too long for the address of a unix socket: set TMPDIR to a folder with a shorter path`,
      );
    }
    const mark = createServer((socket) => socket.destroy());
    await listen(mark, join(path, markName));
    return new RunFolder(path, mark);
  }

  readonly path: string;
  readonly #mark: Server;
  #isKept = false;

  private constructor(path: string, mark: Server) {
    this.path = path;
    this.#mark = mark;
  }

  /** It outlives this process, and whatever runs after it: its user removes it. */
  async keep(): Promise<void> {
    await writeFile(join(this.path, keptName), '');
    this.#isKept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isKept) await rm(this.path, { recursive: true, force: true });
    await new Promise((resolve) => this.#mark.close(resolve));
  }
}

/** Gives the folders that were removed. Only those of this user: anyone may put things into a folder for temporary files. */
export async function removeDeadFolders(parent: string, clock: Clock): Promise<readonly string[]> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(prefix));
  const judged = await Promise.all(
    names.map(async (name) => ((await isDead(join(parent, name), clock)) ? [join(parent, name)] : [])),
  );
  const dead = judged.flat();
  if (dead.length > 0) await detachLoopDevices(dead);
  await Promise.all(dead.map((path) => rm(path, { recursive: true, force: true })));
  return dead;
}

async function isDead(path: string, clock: Clock): Promise<boolean> {
  try {
    const { uid, mtimeMs } = await stat(path);
    if (uid !== process.getuid?.()) return false;
    const names = await readdir(path);
    if (names.includes(keptName)) return false;
    if (names.includes(markName)) return !(await answers(join(path, markName)));
    return clock.now() - mtimeMs > makingMs;
  } catch (error) {
    // Its own process, or another one that starts, has removed it meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}

/** The kernel frees those of a testbed with their last holder; a device that somebody else still holds open is freed after him. */
async function detachLoopDevices(folders: readonly string[]): Promise<void> {
  const list = await runCommand('losetup', ['--list', '--noheadings', '--raw', '--output', 'NAME,BACK-FILE']);
  for (const line of list.split('\n')) {
    const [device = '', file = ''] = line.split(' ');
    if (folders.some((folder) => file.startsWith(`${folder}/`)))
      await runCommand('losetup', ['--detach', device]);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}
