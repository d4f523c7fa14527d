import process from 'node:process';
import type { TextOutput } from '../../cli/screen.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { DemoOptions } from './demo.ts';
import { describeError } from './demo-error.ts';
import { checkNode, thisMachine } from './machine.ts';
import type { FaultChoice } from './fault-choice.ts';
import { freshSeed } from './fresh-seed.ts';

export interface DemoArguments {
  readonly disk?: string;
  readonly vms?: number;
  readonly fault?: FaultChoice;
  readonly seed?: number;
  readonly speed: number;
  readonly json: boolean;
  readonly keep: boolean;
  readonly output: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly version: string;
}

/** `gantry demo`. Resolves to the exit code. All that needs a new Node is loaded only once it is known to be there. */
export async function demoCommand(given: DemoArguments, signal: AbortSignal): Promise<number> {
  let options: DemoOptions;
  try {
    checkNode(process.versions.node);
    const { seed = freshSeed(), vms, ...rest } = given;
    const generated = vms === undefined ? {} : { generated: vms };
    options = { ...rest, ...generated, seed, machine: await thisMachine() };
  } catch (error) {
    const { code, message } = describeError(error);
    const document = { ok: false, error: { code, message } };
    given.output.write(
      given.json ? `${JSON.stringify(document)}\n` : `The demo failed: ${code}: ${message}\n`,
    );
    return 1;
  }
  const { runDemo } = await import('./demo.ts');
  return runDemo(options, signal);
}
