// npm run test:testbed [-- jest's arguments]: the behaviour tests against real programs, in namespaces of their own.
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { explained } from '../../src/cli/explained.ts';
import { interruptedExitCode, untilSignalled } from '../../src/cli/until-signalled.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { closingLine } from '../closing-line-reporter.ts';
import { binaryNames } from './build/binaries.ts';
import { BinaryMissingError, binaryPath } from './build/locate.ts';
import { enterCell } from './cell/enter-cell.ts';
import { RunFolder } from './cell/run-folder.ts';
import { reportOf, sumOf, type SuiteResult } from './suite/report.ts';
import type { SuiteRun } from './suite/suite-run.ts';

interface TestArguments {
  readonly keep: boolean;
  readonly testbeds: number;
}

const clock = new SystemClock();
const root = fileURLToPath(new URL('../../', import.meta.url));

interface CellRun {
  readonly code: number;
  /** undefined: jest did not come to its end. */
  readonly result: SuiteResult | undefined;
}

/** Resolves to the exit code. */
async function test(jestArgs: readonly string[], given: TestArguments, signal: AbortSignal): Promise<number> {
  const missing = binaryNames.filter(isMissing);
  if (missing.length > 0) {
    const list = missing.join(', ');
    process.stderr.write(`not built, or older than their sources: ${list}\nrun npm run testbed:build\n`);
    return 1;
  }
  const shards = Array.from(
    { length: given.testbeds },
    (_, index) => `--shard=${index + 1}/${given.testbeds}`,
  );
  const runs = await Promise.all(
    shards.map((shard) => runInCell([shard, '--passWithNoTests', ...jestArgs], given, signal)),
  );
  signal.throwIfAborted();
  const results = runs.flatMap(({ result }) => (result === undefined ? [] : [result]));
  const sum = sumOf(results);
  process.stdout.write(`\n${reportOf(results, root)}\n\n${closingLine(sum)}\n`);
  // A filter that fits nothing is a mistake, and must not pass for a success.
  const ranNone = sum.numPassedTests + sum.numFailedTests === 0;
  return runs.every(({ code, result }) => code === 0 && result !== undefined) && !ranNone ? 0 : 1;
}

/** One testbed, and the tests that are its share. */
async function runInCell(
  jestArgs: readonly string[],
  { keep }: TestArguments,
  signal: AbortSignal,
): Promise<CellRun> {
  await using folder = await RunFolder.create(tmpdir(), clock);
  if (keep) {
    await folder.keep();
    process.stdout.write(`logs and volumes: ${folder.path}\n`);
  }
  const results = join(folder.path, 'results.json');
  const suite: SuiteRun = { jestArgs, results };
  const path = fileURLToPath(new URL('suite/run-inside.ts', import.meta.url));
  const args = [JSON.stringify(suite)];
  const code = await enterCell({ path, args, folder: folder.path, clock }, signal);
  const text = await readFile(results, 'utf8').catch(() => undefined);
  return { code, result: text === undefined ? undefined : (JSON.parse(text) as SuiteResult) };
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

function atLeastOne(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('a number from 1.');
  return count;
}

const program = new Command('npm run test:testbed --')
  .description('Runs the behaviour tests against etcd, kube-apiserver, CDI and KubeVirt as they are.')
  .argument('[jest...]', 'files and options for jest; the first of them ends our own options')
  .option('--testbeds <count>', 'testbeds side by side, which share the files', atLeastOne, 1)
  .option('--keep', 'leave logs and volumes behind', false)
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
