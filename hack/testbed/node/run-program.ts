import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LinkedAbort } from '../../../src/kube/linked-abort.ts';
import type { NodeProgram, NodeProgramContext } from './images.ts';
import type { ContainerExit, RunningContainer } from './run-container.ts';

/** Starts a program of this process in a container's place. `certs`: the folder whose files it trusts. */
export function startProgram(
  program: NodeProgram,
  { certs, ...context }: Omit<NodeProgramContext, 'certs'> & { readonly certs: string | undefined },
): RunningContainer {
  const abort = new LinkedAbort();
  const { promise: ended, resolve } = Promise.withResolvers<ContainerExit>();
  const run = async (): Promise<ContainerExit> => {
    try {
      const trusted = certs === undefined ? undefined : allFiles(certs);
      return toExit(await program({ ...context, certs: trusted }, abort.signal));
    } catch (error) {
      // 128 + 15: what ends a program that does nothing about its SIGTERM.
      if (abort.signal.aborted) return { exitCode: 143 };
      return { exitCode: 1, message: error instanceof Error ? error.message : String(error) };
    }
  };
  void run().then(resolve);
  return {
    ended,
    signal(name) {
      abort.abort(new Error(name));
      if (name === 'SIGKILL') resolve({ exitCode: 137 });
    },
  };
}

function toExit(exit: Awaited<ReturnType<NodeProgram>>): ContainerExit {
  return 'evicted' in exit ? { exitCode: 137, evicted: exit.evicted } : exit;
}

/** Every file of the folder is trusted, whatever its name (fact: cdi 1.1). */
function allFiles(folder: string): string {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}
