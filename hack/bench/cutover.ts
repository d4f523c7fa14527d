import process from 'node:process';
import { parseArgs } from 'node:util';
import { isTrue } from '../../src/api/conditions.ts';
import { migrations, namespaces, plans } from '../../src/api/kinds.ts';
import type { KubeObject, Stored } from '../../src/api/meta.ts';
import type { VirtualMachineImport } from '../../src/api/virtual-machine-import.ts';
import { keyOf } from '../../src/kube/object-key.ts';
import { defaultSettings } from '../../src/migration/settings.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { DemoController } from '../../src/sandbox/demo/controller.ts';
import { ImportTimes, type DowntimeSplit } from '../../src/sandbox/demo/downtime.ts';
import { WatchedRun } from '../../src/sandbox/demo/watched-run.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import { benchObjects, benchPlan } from './objects.ts';

/**
 * What a cutover costs: a plan of many warm VMs of one disk each, whose guests write between the rounds, so that every copy of CDI's
 * stand-in takes one second. Each VM has two rounds and then its cutover; second rounds (on average) and cutovers follow each other --apart
 * milliseconds. What vCenter and KubeVirt do takes no time, so the times are those of Gantry and of that copy.
 *
 *   node hack/bench/cutover.ts [--vms 50] [--apart 500] [--merge 60] [--json]
 *
 * - The controller's share of each downtime (source off to target running): from every wake-up to the next call to the source or the next
 *   wait, its requests to the API server included.
 * - One more round, from the end of CopyingPaused to the next CopyingPaused, one second of it copying.
 * - The downtime, and the same where snapshots take --merge seconds to be merged and the cutover is asked for in the middle of that: no
 *   merge may be in it.
 *
 * Goals: the controller's share under 300 ms (median) and 1 s (maximum); a round under 2 s; merges add nothing. The world runs in the
 * same process and on the same cores, so its own work is in the times; that makes them worse, never better. What the real Forklift needs
 * cannot be measured by this command.
 */
const { values } = parseArgs({
  options: {
    vms: { type: 'string', default: '50' },
    apart: { type: 'string', default: '500' },
    merge: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
  },
});
const count = wholeNumber('--vms', values.vms);
const apartMs = wholeNumber('--apart', values.apart, 0);
const mergeSeconds = wholeNumber('--merge', values.merge);
const clock = new SystemClock();
const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
  isDebug: false,
};
const never = new AbortController().signal;

const kibibyte = 1024;
const diskBytes = 1024 * kibibyte;
/** Written before each round: at this many bytes a second its copy takes one second. */
const deltaBytes = 256 * kibibyte;
/** Of each VM, before its cutover. */
const rounds = 2;
const deadlineMs = 600_000;

interface Measured {
  readonly downtimes: readonly (DowntimeSplit & { readonly downtimeMs: number })[];
  /** Of each VM's second round. */
  readonly rounds: readonly (DowntimeSplit & { readonly roundMs: number })[];
}

/** One world and one plan: every VM has its rounds, then all are cut over; in the middle of a merge, where that takes time. */
async function measure(consolidateMs: number): Promise<Measured> {
  await using sandbox = new Sandbox({
    clock,
    seed: 1,
    disks: createMemoryDiskStore(),
    log: silent,
    cdi: {
      copyBytesPerSecond: deltaBytes,
      importerStartMs: 0,
      progressMs: 1000,
      flickerChance: 0,
      terminationMs: 0,
    },
    kubevirt: { launcherMs: 0, scheduleMs: 0, bootMs: 0 },
    storage: { provisionMs: 0 },
    vcenter: {
      latencies: { taskStartMs: 0, snapshotMs: 0, quiesceMs: 0, guestShutdownMs: 0, consolidateMs },
    },
  });
  await sandbox.ready;
  const user = sandbox.client('bench');
  const sources = Array.from({ length: count }, (_, index) =>
    sandbox.vcenter.addVm({
      name: `vm-${String(index).padStart(4, '0')}`,
      power: 'on',
      changeTracking: true,
      disks: [{ sizeBytes: diskBytes }],
    }),
  );
  sources.forEach(write);
  // So long that the pause before the second round is seen, and that this round has few beside it.
  const shortestPauseSeconds = 3 + consolidateMs / 1000;
  const spreadSeconds = (count * apartMs) / 1000;
  const times = new ImportTimes(clock);
  const settings = {
    ...defaultSettings,
    maxVmInflight: 10_000,
    snapshotsInflight: 10_000,
    precopySeconds: shortestPauseSeconds + spreadSeconds,
    precopyJitterPercent: (100 * spreadSeconds) / (shortestPauseSeconds + spreadSeconds),
    precopyFloorSeconds: 0,
    mostRounds: rounds,
  };
  await using controller = new DemoController({
    sandbox,
    clock,
    seed: 2,
    log: silent,
    settings,
    times,
    version: 'bench',
  });
  await using run = new WatchedRun({ client: user, clock, random: sandbox.random, log: silent });
  const paused = new Pauses(run, sources, times);
  const within = (what: string, isSo: () => boolean): Promise<void> =>
    Promise.race([until(run, what, isSo), controller.ended]);

  await user.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } });
  for (const [kind, object] of benchObjects(sandbox.vcenter)) await user.create(kind, object);
  const plan = benchPlan(sources.map(({ id, name }) => ({ id, name })));
  await user.create(plans, { ...plan, spec: { ...plan.spec, type: 'warm', warm: true } });
  const at = { namespace: 'bench', name: 'plan' };
  await within('the Plan is Ready', () => isTrue(run.plan(at)?.status?.conditions, 'Ready'));
  await user.create(migrations, {
    apiVersion: 'forklift.konveyor.io/v1beta1',
    kind: 'Migration',
    metadata: { name: 'run', namespace: 'bench' },
    spec: { plan: { name: 'plan', namespace: 'bench' } },
  } as KubeObject as never);

  const isMerging = ({ status }: VirtualMachineImport): boolean =>
    status?.phase === 'WaitForPreviousSnapshotRemoval' && status.records?.rounds?.at(-1)?.n === rounds;
  const isPaused = ({ status }: VirtualMachineImport): boolean =>
    status?.phase === 'CopyingPaused' && status.records?.rounds?.at(-1)?.n === rounds;
  const isReady = consolidateMs === 0 ? isPaused : isMerging;
  await within('every VM has had its rounds', () => {
    const all = run.imports.list();
    return all.length === count && all.every(isReady);
  });
  const at0 = clock.now() + 1000;
  const due = (index: number): string => new Date(at0 + index * apartMs).toISOString();
  const vmCutover = sources.map(({ id }, index) => ({ id, cutover: due(index) }));
  const wish = consolidateMs === 0 ? { vmCutover } : { cutover: due(0) };
  await user.mergePatch(migrations, { namespace: 'bench', name: 'run' }, { spec: wish });
  await within('every target runs', () => run.runningSince.size === count);
  // Whoever runs has its import's last reconcile still to come.
  await within('every import has succeeded', () =>
    run.imports.list().every(({ status }) => status?.outcome === 'Succeeded'),
  );
  const downtimes = run.imports.list().map((object) => downtimeOf(object, sandbox, run, times));
  return { downtimes, rounds: paused.rounds };
}

function downtimeOf(
  object: Stored<VirtualMachineImport>,
  { trace }: Sandbox,
  run: WatchedRun,
  times: ImportTimes,
): DowntimeSplit & { readonly downtimeMs: number } {
  const { name } = object.spec.vm;
  const off = trace.entries.findLast(({ what, on }) => what === 'poweredOff' && on === name);
  const on = run.runningSince.get(
    `${object.spec.target.namespace}/${object.status?.records?.targetName ?? ''}`,
  );
  if (off === undefined || on === undefined) throw new Error(`${name} was not moved`);
  return { downtimeMs: on - off.atMs, ...times.split(keyOf(object), off.atMs, on) };
}

/** Sees when imports pause and go on. A guest writes what the next round has to copy as soon as one has ended. */
class Pauses {
  /** Milliseconds, of each round that began in a pause and ended in one. */
  readonly rounds: Measured['rounds'][number][] = [];
  readonly #leftAt = new Map<string, number>();

  constructor(run: WatchedRun, sources: readonly VmHandle[], times: ImportTimes) {
    const byName = new Map(sources.map((source) => [source.name, source]));
    run.imports.onChange((before, after) => {
      const was = before?.status?.phase;
      const is = after?.status?.phase;
      if (after === undefined || was === is) return;
      const { name } = after.spec.vm;
      const source = byName.get(name);
      const now = clock.now();
      if (was === 'CopyingPaused') this.#leftAt.set(name, now);
      // The snapshot is away from here on, so what is written now is of the next round.
      if (is === 'WaitForPreviousSnapshotRemoval' && source !== undefined) write(source);
      if (is !== 'CopyingPaused') return;
      const left = this.#leftAt.get(name);
      if (left !== undefined)
        this.rounds.push({ roundMs: now - left, ...times.split(keyOf(after), left, now) });
      if (source !== undefined) write(source);
    });
  }
}

/** The same blocks each time, other bytes. */
function write({ disks }: VmHandle): void {
  const bytes = Buffer.alloc(deltaBytes, Math.floor(clock.now()) % 256 || 1);
  for (const { disk } of disks) disk.write(0, bytes);
}

async function until(run: WatchedRun, what: string, isSo: () => boolean): Promise<void> {
  const deadline = clock.monotonicMs() + deadlineMs;
  while (!isSo()) {
    if (clock.monotonicMs() > deadline) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await run.nextChange(1000, never);
  }
}

function report(quick: Measured, slow: Measured): void {
  const of = (numbers: readonly number[]) => ({
    median: round(median(numbers)),
    max: round(Math.max(...numbers)),
  });
  const downtime = ({ downtimes }: Measured) => of(downtimes.map(({ downtimeMs }) => downtimeMs));
  const controller = ({ downtimes }: Measured) => of(downtimes.map(({ controllerMs }) => controllerMs));
  const source = ({ downtimes }: Measured) => of(downtimes.map(({ sourceMs }) => sourceMs));
  const copy = ({ downtimes }: Measured) => of(downtimes.map(({ copyMs }) => copyMs));
  const result = {
    vms: count,
    controllerMs: controller(quick),
    sourceMs: source(quick),
    copyMs: copy(quick),
    downtimeMs: downtime(quick),
    roundMs: of(quick.rounds.map(({ roundMs }) => roundMs)),
    roundSourceMs: of(quick.rounds.map(({ sourceMs }) => sourceMs)),
    roundCopyMs: of(quick.rounds.map(({ copyMs }) => copyMs)),
    roundControllerMs: of(quick.rounds.map(({ controllerMs }) => controllerMs)),
    mergeSeconds,
    downtimeMsWithMerge: downtime(slow),
    sourceMsWithMerge: source(slow),
    copyMsWithMerge: copy(slow),
    controllerMsWithMerge: controller(slow),
  };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const line = (title: string, { median: middle, max }: { median: number; max: number }): string =>
    `${title.padEnd(44)} median ${String(middle).padStart(6)} ms   max ${String(max).padStart(6)} ms\n`;
  process.stdout.write(`${count} VMs, cutovers ${apartMs} ms apart, one second of copying each\n\n`);
  process.stdout.write(line('a downtime', result.downtimeMs));
  process.stdout.write(line('  the controller', result.controllerMs));
  process.stdout.write(line('  the source', result.sourceMs));
  process.stdout.write(line('  copy, and start of the target', result.copyMs));
  process.stdout.write(line(`a downtime, with merges of ${mergeSeconds} s`, result.downtimeMsWithMerge));
  process.stdout.write(line('  the controller', result.controllerMsWithMerge));
  process.stdout.write(line('  the source', result.sourceMsWithMerge));
  process.stdout.write(line('  copy, and start of the target', result.copyMsWithMerge));
  process.stdout.write(line('one more round', result.roundMs));
  process.stdout.write(line('  the source', result.roundSourceMs));
  process.stdout.write(line('  copy', result.roundCopyMs));
  process.stdout.write(line('  the controller', result.roundControllerMs));
}

function wholeNumber(option: string, text: string, least = 1): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least) return number;
  process.stderr.write(`${option}: a whole number from ${least} on is needed, not "${text}"\n`);
  process.exit(2);
}

function round(value: number): number {
  return Math.round(value);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const quick = await measure(0);
report(quick, await measure(mergeSeconds * 1000));
