// The part of `npm run test:testbed` that runs in the testbed's own namespaces; its argument is a SuiteRun as JSON.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { explained } from '../../../src/cli/explained.ts';
import { interruptedExitCode } from '../../../src/cli/until-signalled.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { createLogger } from '../../../src/runtime/winston.ts';
import { openCell, type Cell } from '../cell/cell.ts';
import { wholeTestbed } from '../cluster/parts.ts';
import { startTestbed } from '../cluster/start-testbed.ts';
import type { SuiteRun } from './suite-run.ts';
import { leftBehind } from './world-namespaces.ts';

const clock = new SystemClock();
/** Jitter needs no more than this; secrets are never made from it. */
const random = (): number => randomBytes(4).readUInt32LE() / 2 ** 32;
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Resolves to the exit code. */
async function run(suite: SuiteRun): Promise<number> {
  const cell = await openCell();
  try {
    return await runTests(cell, suite);
  } catch (error) {
    if (!cell.signal.aborted) throw error;
    return interruptedExitCode;
  }
}

async function runTests(cell: Cell, { jestArgs, results }: SuiteRun): Promise<number> {
  const begun = clock.monotonicMs();
  const log = createLogger({ level: 'warn', format: 'line', clock });
  const tell = (what: string): void => {
    const seconds = (clock.monotonicMs() - begun) / 1000;
    process.stdout.write(`${seconds.toFixed(1).padStart(6)} s  ${what}\n`);
  };
  const testbed = await startTestbed(
    { ...cell, clock, random, log, env: process.env, parts: wholeTestbed },
    cell.signal,
  );
  await using _testbed = testbed;
  tell('the testbed is up');
  const signal = AbortSignal.any([cell.signal, testbed.lost]);
  const code = await jest(['--json', '--outputFile', results, ...jestArgs], signal);
  signal.throwIfAborted();
  tell('the tests are through');
  for (const left of await leftBehind(testbed.client('admin'), signal))
    tell(`left behind: namespace ${left}`);
  tell('ending the testbed');
  return code;
}

/** Resolves to its exit code. */
function jest(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const command = [
    ...options,
    'node_modules/jest/bin/jest.js',
    '--config',
    'jest.testbed.config.js',
    ...args,
  ];
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(process.execPath, command, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    signal,
    // A test that ends its world in good order takes a while; with the cell everything ends anyway.
    killSignal: 'SIGKILL',
  });
  child.once('error', reject);
  child.once('exit', (code) => resolve(code ?? 1));
  return promise;
}

try {
  process.exitCode = await run(JSON.parse(process.argv[2] ?? '') as SuiteRun);
} catch (error) {
  process.stderr.write(`test:testbed: ${explained(error)}\n`);
  process.exitCode = 1;
}
process.exit();
