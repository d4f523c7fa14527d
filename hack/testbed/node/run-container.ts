import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { statusDescriptor } from './bubblewrap.ts';

export interface ContainerExit {
  /** 128 and the number of the signal where one ended it, as container runtimes tell it. */
  readonly exitCode: number;
  /** It never ran: what stood in the way. */
  readonly startError?: string;
  /** Where the program tells it in another way than by its file. */
  readonly message?: string;
  /** The node is to throw the whole pod out. */
  readonly evicted?: string;
}

/** A container that was started. */
export interface RunningContainer {
  /** Never rejects. */
  readonly ended: Promise<ContainerExit>;
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

const machinePath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Starts a real program; its output goes to the file `log`. */
export async function startCommand(
  [file, args]: readonly [string, readonly string[]],
  env: Readonly<Record<string, string>>,
  log: string,
): Promise<RunningContainer> {
  const output = await open(log, 'a');
  // A session of its own: a Ctrl-C at the terminal is for the testbed, which then ends its programs in order.
  const child = spawn(file, [...args], {
    env: { ...env, PATH: machinePath },
    stdio: ['ignore', output.fd, output.fd, 'pipe'],
    detached: true,
  });
  await output.close();
  const wanted: ('SIGTERM' | 'SIGKILL')[] = [];
  const status = new BubblewrapStatus(child.stdio[statusDescriptor] as Readable, () => {
    for (const name of wanted) status.signal(name);
  });
  const ended = new Promise<ContainerExit>((resolve) => {
    child.once('error', (error) => resolve({ exitCode: 128, startError: error.message }));
    child.once('close', (code) => resolve(status.exit(code)));
  });
  return {
    ended,
    signal(name) {
      if (status.pid === undefined) wanted.push(name);
      else status.signal(name);
    },
  };
}

/** What bubblewrap tells of its child: first the process, at last the exit code; the latter only if the program was started. */
class BubblewrapStatus {
  #text = '';
  #isOver = false;
  readonly #onStart: () => void;

  constructor(stream: Readable, onStart: () => void) {
    this.#onStart = onStart;
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const before = this.pid;
      this.#text += text;
      if (before === undefined && this.pid !== undefined) this.#onStart();
    });
    // Its end is told by the process.
    stream.on('error', () => undefined);
  }

  /** Process 1 of the container, as seen from here. */
  get pid(): number | undefined {
    return this.#number('child-pid');
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this;
    if (pid === undefined || this.#isOver || this.#number('exit-code') !== undefined) return;
    try {
      process.kill(pid, name);
    } catch {
      // Gone in this moment.
    }
  }

  exit(code: number | null): ContainerExit {
    this.#isOver = true;
    const exitCode = this.#number('exit-code');
    if (exitCode !== undefined) return { exitCode };
    // Killed together with bubblewrap itself, or refused by it: then the log says why.
    if (code === null) return { exitCode: 137 };
    return { exitCode: 128, startError: 'the container could not be set up; its log tells why' };
  }

  #number(key: string): number | undefined {
    const found = new RegExp(`"${key}":\\s*(\\d+)`).exec(this.#text);
    return found === null ? undefined : Number(found[1]);
  }
}
