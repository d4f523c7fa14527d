import { setPriority } from 'node:os';
import process from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import { explained } from '../../src/cli/explained.ts';
import { interruptedExitCode, untilSignalled } from '../../src/cli/until-signalled.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { binaryNames, type BinaryName } from './build/binaries.ts';
import { buildTestbed } from './build/build-testbed.ts';
import { cacheFolder } from './build/cache.ts';
import { Reporter } from './build/reporter.ts';
import { provideParts } from './guest/parts.ts';

/**
 * `npm run testbed:build`: builds the testbed's programs into a cache folder outside the repository; the second time it builds nothing.
 *
 * Exit codes: 0 all is built, 1 failed (the last lines on standard error say why), 2 wrong usage, 130 ended by Ctrl-C or a signal.
 */
const exitCodes = { failed: 1, usage: 2 };

/** So that somebody who works on the machine meanwhile hardly notices. */
const niceness = 10;

interface Arguments {
  readonly only: readonly BinaryName[];
  readonly force?: true;
  readonly installPackages?: true;
  readonly printFolder?: true;
}

const program = new Command('testbed:build')
  .description("Builds the testbed's programs into a cache folder.")
  .option('--only <product>', 'build just this; may be repeated', addProduct, [])
  .option('--force', 'build also what is there')
  .option('--install-packages', 'install missing Debian packages, as root; done without asking where CI=true')
  .option('--print-folder', 'print the cache folder and build nothing')
  .addHelpText(
    'after',
    `
Products: ${binaryNames.join(', ')}.
Environment: GANTRY_TESTBED_CACHE or XDG_CACHE_HOME place the cache; KUBEBUILDER_ASSETS gives etcd, kube-apiserver and kubectl.`,
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.usage))
  .action((given: Arguments) => run(given));

async function run({ only, force, installPackages, printFolder }: Arguments): Promise<void> {
  const cache = cacheFolder(process.env);
  if (printFolder) {
    process.stdout.write(`${cache}\n`);
    return;
  }
  const clock = new SystemClock();
  using reporter = new Reporter(process.stderr, clock);
  const signal = untilSignalled();
  setPriority(niceness);
  try {
    await buildTestbed(
      { only, force: force === true, installPackages: installPackages === true, cache },
      { env: process.env, clock, reporter },
      signal,
    );
    // The testbed's own namespaces have no way to the world.
    if (only.length === 0) await provideParts(process.env, signal);
  } catch (error) {
    process.exitCode = signal.aborted ? interruptedExitCode : exitCodes.failed;
    reporter.say(signal.aborted ? 'stopped; what was built is kept' : explained(error));
  }
}

function addProduct(name: string, before: readonly BinaryName[]): readonly BinaryName[] {
  const known = binaryNames.find((one) => one === name);
  if (known === undefined) throw new InvalidArgumentError(`products are ${binaryNames.join(', ')}.`);
  return [...before, known];
}

await program.parseAsync();
