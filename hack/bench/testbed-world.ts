// Runs in a testbed's own namespaces: the real API server, stand-ins as its clients, a vCenter. Its argument is the number of VMs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { explained } from '../../src/cli/explained.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { startCdi } from '../../src/sandbox/cdi/cdi.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { SwitchedFaults } from '../../src/sandbox/faults.ts';
import { startKubeVirt } from '../../src/sandbox/kubevirt/kubevirt.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import type { RunningStandIn } from '../../src/sandbox/stand-in.ts';
import { startStorage } from '../../src/sandbox/storage/storage.ts';
import { RecordedTrace } from '../../src/sandbox/trace.ts';
import { SimulatedVCenter } from '../../src/sandbox/vcenter/simulated-vcenter.ts';
import { hub } from '../testbed/addresses.ts';
import { openCell, type Cell } from '../testbed/cell/cell.ts';
import { startTestbed, type RunningTestbed } from '../testbed/cluster/start-testbed.ts';
import { silent } from './silent.ts';
import { addVms, standIns } from './stand-ins.ts';
import type { TestbedRun } from './testbed-run.ts';

const clock = new SystemClock();
const random = seededRandom(1);

/** Resolves to the exit code. */
async function run(count: number): Promise<number> {
  const cell = await openCell();
  const parts = { cdi: 'kinds', kubevirt: 'kinds', node: false } as const;
  const options = { ...cell, clock, random, log: silent, env: process.env, parts };
  await using testbed = await startTestbed(options, cell.signal);
  await using world = await startWorld(testbed);
  return await measure(cell, {
    url: world.vcenter.url,
    caPem: world.vcenter.caPem,
    vms: addVms(world.vcenter, count),
  });
}

async function startWorld(
  testbed: RunningTestbed,
): Promise<{ readonly vcenter: SimulatedVCenter } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const trace = new RecordedTrace(clock);
  const faults = new SwitchedFaults(trace);
  const disks = stack.use(createMemoryDiskStore());
  const vcenter = stack.use(new SimulatedVCenter({ clock, random, disks, faults, trace }));
  await vcenter.listen({ host: hub, port: 443 });
  const client = testbed.client('admin');
  const deps = { clock, random, log: silent, disks };
  const end = new AbortController();
  const running: readonly RunningStandIn[] = [
    startStorage(client, { ...deps, settings: standIns.storage }, end.signal),
    startCdi(client, { ...deps, vcenter, faults, settings: standIns.cdi }, end.signal),
    startKubeVirt(client, { ...deps, settings: standIns.kubevirt }, end.signal),
  ];
  stack.defer(async () => {
    end.abort(new Error('measured'));
    await Promise.all(running.map(({ stopped }) => stopped));
  });
  await Promise.all(running.map(({ ready }) => ready));
  const parts = stack.move();
  return { vcenter, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** Resolves to the exit code of the process of the controller. */
async function measure({ folder, signal }: Cell, given: Omit<TestbedRun, 'folder'>): Promise<number> {
  const path = fileURLToPath(new URL('testbed-run.ts', import.meta.url));
  const child = spawn(process.execPath, [path], { stdio: ['pipe', 'inherit', 'inherit'], signal });
  const run: TestbedRun = { folder, ...given };
  child.stdin.end(JSON.stringify(run));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

try {
  process.exitCode = await run(Number(process.argv[2]));
} catch (error) {
  process.stderr.write(`bench: ${explained(error)}\n`);
  process.exitCode = 1;
}
process.exit();
