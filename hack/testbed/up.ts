// Brings a testbed up and keeps it until Ctrl-C: etcd, kube-apiserver, CDI and KubeVirt as they are, in namespaces of their own.
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { SystemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/winston.ts';
import { openCell } from './cell/cell.ts';
import { enterCell } from './cell/enter-cell.ts';
import { RunFolder } from './cell/run-folder.ts';
import { startTestbed } from './cluster/start-testbed.ts';
import { testbedVariable } from './control/testbed.ts';

const clock = new SystemClock();

async function outside(): Promise<number> {
  const end = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (end.signal.aborted) process.exit(130);
      end.abort(new Error(name));
    });
  await using folder = await RunFolder.create(tmpdir(), clock);
  return await enterCell(
    { path: fileURLToPath(import.meta.url), args: process.argv.slice(2), folder: folder.path },
    end.signal,
  );
}

async function inside(): Promise<number> {
  const cell = await openCell();
  const log = createLogger({ level: 'info', format: 'line', clock });
  const random = (): number => randomBytes(4).readUInt32LE() / 2 ** 32;
  await using testbed = await startTestbed(
    {
      ...cell,
      clock,
      random,
      log,
      env: process.env,
      onStep: (name, ms) => console.log(name, Math.round(ms)),
    },
    cell.signal,
  );
  console.log(testbed.folder);
  await new Promise((resolve) => cell.signal.addEventListener('abort', resolve, { once: true }));
  return 0;
}
process.exitCode = await (process.env[testbedVariable] === undefined ? outside() : inside());
process.exit();
