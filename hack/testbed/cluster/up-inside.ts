// The part of `npm run testbed` that runs in the testbed's own namespaces; its argument is the parts to start, as JSON.
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { explained } from '../../../src/cli/explained.ts';
import { interruptedExitCode } from '../../../src/cli/until-signalled.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { createLogger } from '../../../src/runtime/winston.ts';
import { apiServerPort, hub } from '../addresses.ts';
import { openCell, type Cell } from '../cell/cell.ts';
import { frontDoorSocket, startRelay } from '../cell/relay.ts';
import type { TestbedParts } from './parts.ts';
import { startTestbed } from './start-testbed.ts';

const clock = new SystemClock();
/** Jitter needs no more than this; secrets are never made from it. */
const random = (): number => randomBytes(4).readUInt32LE() / 2 ** 32;

/** Resolves to the exit code. */
async function run(parts: TestbedParts): Promise<number> {
  const cell = await openCell();
  try {
    await keepUp(cell, parts);
    return 0;
  } catch (error) {
    if (!cell.signal.aborted) throw error;
    return interruptedExitCode;
  }
}

async function keepUp(cell: Cell, parts: TestbedParts): Promise<void> {
  const { folder, signal } = cell;
  const log = createLogger({ level: 'warn', format: 'line', clock });
  const onStep = (part: string, ms: number): void =>
    void process.stdout.write(`${(ms / 1000).toFixed(1).padStart(5)} s  ${part}\n`);
  await using testbed = await startTestbed(
    { ...cell, clock, random, log, env: process.env, parts, onStep },
    signal,
  );
  await using _door = await startRelay({ path: frontDoorSocket(folder) }, { host: hub, port: apiServerPort });
  cell.report({
    what: 'ready',
    runs: [...testbed.daemons, ...(parts.node ? ['pod runner', 'provisioner'] : [])],
  });
  await eitherAborts(signal, testbed.lost);
  testbed.lost.throwIfAborted();
}

function eitherAborts(...signals: readonly AbortSignal[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  for (const signal of signals) {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  }
  return promise;
}

try {
  process.exitCode = await run(JSON.parse(process.argv[2] ?? '') as TestbedParts);
} catch (error) {
  process.stderr.write(`testbed: ${explained(error)}\n`);
  process.exitCode = 1;
}
process.exit();
