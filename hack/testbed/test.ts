// npm run test:testbed [-- jest's arguments]: the behaviour tests against real programs, in namespaces of their own.
import { tmpdir } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { explained } from '../../src/cli/explained.ts';
import { interruptedExitCode, untilSignalled } from '../../src/cli/until-signalled.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { binaryNames } from './build/binaries.ts';
import { BinaryMissingError, binaryPath } from './build/locate.ts';
import { enterCell } from './cell/enter-cell.ts';
import { RunFolder } from './cell/run-folder.ts';
import { wholeTestbed, type TestbedParts } from './cluster/parts.ts';
import type { SuiteRun } from './suite/suite-run.ts';

interface TestArguments {
  readonly keep: boolean;
  readonly kubevirt: boolean;
}

/** Resolves to the exit code. */
async function test(jestArgs: readonly string[], given: TestArguments, signal: AbortSignal): Promise<number> {
  const missing = binaryNames.filter(isMissing);
  if (missing.length > 0) {
    process.stderr.write(
      `not built, or older than its sources: ${missing.join(', ')}\nrun npm run testbed:build\n`,
    );
    return 1;
  }
  const clock = new SystemClock();
  await using folder = await RunFolder.create(tmpdir(), clock);
  if (given.keep) await folder.keep();
  const parts: TestbedParts = { ...wholeTestbed, kubevirt: given.kubevirt ? 'programs' : 'absent' };
  const suite: SuiteRun = { parts, jestArgs };
  const path = fileURLToPath(new URL('suite/run-inside.ts', import.meta.url));
  const args = [JSON.stringify(suite)];
  const code = await enterCell({ path, args, folder: folder.path, clock }, signal);
  if (given.keep) process.stdout.write(`logs and volumes: ${folder.path}\n`);
  return code;
}

function isMissing(name: (typeof binaryNames)[number]): boolean {
  try {
    binaryPath(name);
    return false;
  } catch (error) {
    if (error instanceof BinaryMissingError) return true;
    throw error;
  }
}

const program = new Command('npm run test:testbed --')
  .description('Runs the behaviour tests against etcd, kube-apiserver, CDI and KubeVirt as they are.')
  .argument('[jest...]', 'files and options for jest; the first of them ends our own options')
  .option('--keep', 'leave logs and volumes behind', false)
  .option('--no-kubevirt', 'do without virt-api and virt-controller')
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (jestArgs: readonly string[], given: TestArguments) => {
    const signal = untilSignalled();
    try {
      process.exitCode = await test(jestArgs, given, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      process.exitCode = interruptedExitCode;
    }
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`test:testbed: ${explained(error)}\n`);
  process.exitCode = 1;
}
process.exit();
