import process from 'node:process';
import type { TextOutput } from '../../cli/screen.ts';
import type { Clock } from '../../runtime/clock.ts';
import { createLogger } from '../../runtime/winston.ts';
import { freshSeed } from '../demo/fresh-seed.ts';
import { checkNode, thisMachine } from '../demo/machine.ts';

export interface SandboxArguments {
  readonly kubeconfig: string;
  readonly empty: boolean;
  readonly vms?: number;
  readonly seed?: number;
  readonly speed: number;
  readonly output: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** `gantry sandbox`. Resolves to the exit code: 0 when it was ended while it served, 130 before that. Throws DemoError. */
export async function sandboxCommand(given: SandboxArguments, signal: AbortSignal): Promise<number> {
  checkNode(process.versions.node);
  const machine = await thisMachine();
  const log = createLogger({ level: 'warn', format: 'line', clock: given.clock });
  const { serveSandbox } = await import('./serve.ts');
  const { seed = freshSeed() } = given;
  try {
    await serveSandbox({ ...given, seed, machine, log }, signal);
    return 0;
  } catch (error) {
    if (signal.aborted) return 130;
    throw error;
  }
}
