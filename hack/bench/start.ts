import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { namespaces, plans } from '../../src/api/kinds.ts';
import { isTrue } from '../../src/api/conditions.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { kubeconfig } from '../../src/sandbox/api/kubeconfig.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { benchObjects, benchPlan } from './objects.ts';

/**
 * How fast the controller starts, and what it costs at rest: the bundle as it goes into the image, against a cluster and a vCenter over
 * TLS, with a Plan of so many VMs. Ready is the moment at which /readyz answers 200; memory is read when it has rested for a while.
 * Linux only: memory comes from /proc. Node gets the flags that the image gives it.
 *
 *   npm run build && node hack/bench/start.ts [--times 5] [--vms 50] [--rest 10] [--program dist/gantry.js] [--json]
 *
 * Goals: ready within 1 s, at rest under 120 MB.
 */
const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '5' },
    vms: { type: 'string', default: '50' },
    rest: { type: 'string', default: '10' },
    program: { type: 'string', default: 'dist/gantry.js' },
    json: { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const flags = imageFlags();
const clock = new SystemClock();
const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
const file = join(folder, 'kubeconfig');

/** Those of node, in the entry point. */
function imageFlags(): readonly string[] {
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[1] ?? '[]';
  return (JSON.parse(entry) as string[]).filter((word) => word.startsWith('--'));
}

interface Start {
  readonly readySeconds: number;
  readonly leadingSeconds: number;
  readonly restMegabytes: number;
  readonly peakMegabytes: number;
}

const sandbox = new Sandbox({
  clock,
  seed: 1,
  disks: createMemoryDiskStore(),
  log: new RecordingLogger(),
});
try {
  await sandbox.ready;
  await sandbox.vcenter.listen();
  writeFileSync(file, kubeconfig(await sandbox.api.listen()));
  await applyPlan();
  const starts: Start[] = [];
  for (let index = 0; index < Number(values.times); index += 1) starts.push(await start());
  report(starts);
} finally {
  rmSync(folder, { recursive: true });
  await sandbox[Symbol.asyncDispose]();
}

async function applyPlan(): Promise<void> {
  const user = sandbox.client('bench');
  const vms = Array.from({ length: Number(values.vms) }, (_, index) => {
    const { id, name } = sandbox.vcenter.addVm({ name: `vm-${index}`, disks: [{ sizeBytes: 1 << 20 }] });
    return { id, name };
  });
  await user.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } });
  for (const [kind, object] of benchObjects(sandbox.vcenter)) await user.create(kind, object);
  await user.create(plans, benchPlan(vms));
}

/** One life of a controller, from its start to its good end. */
async function start(): Promise<Start> {
  const startedMs = clock.monotonicMs();
  const child = spawn(
    process.execPath,
    [
      ...flags,
      values.program,
      'controller',
      '--kubeconfig',
      file,
      '--bind',
      '127.0.0.1:0',
      '--log-format',
      'json',
    ],
    { cwd: root, env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  try {
    const lines = logOf(child);
    const { port } = await lines.says('answering probes');
    const leading = lines.says('leading').then(() => clock.monotonicMs());
    while (!(await isReady(Number(port)))) await clock.sleep(2);
    const readyMs = clock.monotonicMs();
    const leadingMs = await leading;
    await untilPlanReady();
    await clock.sleep(Number(values.rest) * 1000);
    const memory = memoryOf(child.pid!);
    return {
      readySeconds: (readyMs - startedMs) / 1000,
      leadingSeconds: (leadingMs - startedMs) / 1000,
      ...memory,
    };
  } finally {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await ended;
  }
}

interface LogLine {
  readonly message: string;
  readonly port?: number;
}

/** Its lines of log, and who waits for one. Rejects when the process ends first. */
function logOf(child: ChildProcess): { says(message: string): Promise<LogLine> } {
  const waiting = new Map<string, PromiseWithResolvers<LogLine>>();
  const text: string[] = [];
  const at = (message: string): PromiseWithResolvers<LogLine> => {
    const known = waiting.get(message) ?? Promise.withResolvers<LogLine>();
    known.promise.catch(() => undefined);
    waiting.set(message, known);
    return known;
  };
  createInterface({ input: child.stderr! }).on('line', (line) => {
    text.push(line);
    if (!line.startsWith('{')) return;
    const parsed = JSON.parse(line) as LogLine;
    at(parsed.message).resolve(parsed);
  });
  let isOver = false;
  child.once('close', () => {
    isOver = true;
    for (const { reject } of waiting.values()) reject(new Error(`the controller ended:\n${text.join('\n')}`));
  });
  return {
    says: (message) =>
      isOver ? Promise.reject(new Error(`the controller ended:\n${text.join('\n')}`)) : at(message).promise,
  };
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function untilPlanReady(): Promise<void> {
  const user = sandbox.client('bench');
  for (;;) {
    const plan = await user.get(plans, { namespace: 'bench', name: 'plan' });
    if (isTrue(plan?.status?.conditions, 'Ready')) return;
    await clock.sleep(50);
  }
}

/** In megabytes of 1,000,000 bytes; the kernel counts in KiB. */
function memoryOf(pid: number): Pick<Start, 'restMegabytes' | 'peakMegabytes'> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { restMegabytes: megabytes('VmRSS'), peakMegabytes: megabytes('VmHWM') };
}

function report(starts: readonly Start[]): void {
  const names = ['readySeconds', 'leadingSeconds', 'restMegabytes', 'peakMegabytes'] as const;
  const figures = Object.fromEntries(
    names.map((name) => {
      const sorted = starts.map((one) => one[name]).sort((a, b) => a - b);
      const at = (share: number): number =>
        Math.round(sorted[Math.floor(share * (sorted.length - 1))]! * 1000) / 1000;
      return [name, { min: at(0), median: at(0.5), max: at(1) }];
    }),
  );
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ times: starts.length, ...figures })}\n`);
    return;
  }
  for (const [name, { min, median, max }] of Object.entries(figures))
    process.stdout.write(`${name.padEnd(16)} min ${min}  median ${median}  max ${max}\n`);
}
