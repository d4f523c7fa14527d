import process from 'node:process';
import { parseArgs } from 'node:util';
import { dataVolumes, migrations, namespaces, plans, virtualMachines } from '../../src/api/kinds.ts';
import { isTrue } from '../../src/api/conditions.ts';
import type { KubeObject, Stored } from '../../src/api/meta.ts';
import type { Plan } from '../../src/api/plan.ts';
import { createControllers } from '../../src/controllers/controllers.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { defaultSettings } from '../../src/migration/settings.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { createMemoryDiskStore } from '../../src/sandbox/disk-memory.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { createSourceRegistry } from '../../src/sources/registry.ts';
import { benchObjects, benchPlan } from './objects.ts';
import { Seen } from './seen.ts';

/**
 * How fast the engine is: one plan of many VMs of one disk each, a CDI that needs one second a disk, no limit in the way, sources off.
 * Times are taken from watch events, as a user would see them; requests and CPU are the controller's.
 *
 *   node hack/bench/plan.ts [--vms 200] [--json]
 *
 * The world runs in the same process and on the same cores, so its own work is in the times; that makes them worse, never better. CPU
 * seconds are those of the whole process.
 */
const { values } = parseArgs({
  options: { vms: { type: 'string', default: '200' }, json: { type: 'boolean', default: false } },
});
const count = Number(values.vms);
const clock = new SystemClock();
const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
  isDebug: false,
};

const sandbox = new Sandbox({
  clock,
  seed: 1,
  disks: createMemoryDiskStore(),
  log: silent,
  cdi: { secondsPerDisk: 1, importerStartMs: 0, progressMs: 1000, flickerChance: 0, terminationMs: 0 },
  kubevirt: { launcherMs: 0, scheduleMs: 0, bootMs: 0 },
  storage: { provisionMs: 0 },
});
await sandbox.ready;
const user = sandbox.client('bench');
const vms = Array.from({ length: count }, (_, index) => {
  const vm = sandbox.vcenter.addVm({
    name: `vm-${String(index).padStart(4, '0')}`,
    disks: [{ sizeBytes: 1 << 20 }],
  });
  return { id: vm.id, name: vm.name };
});

const requests = new Map<string, number>();
let counted = 0;
const random = seededRandom(2);
const client = createKubeClient(sandbox.api.transport('gantry'), {
  clock,
  random,
  onRequest: ({ verb, resource }) => {
    counted += 1;
    const key = `${verb} ${resource}`;
    requests.set(key, (requests.get(key) ?? 0) + 1);
  },
});
const registry = createSourceRegistry();
const { manager } = createControllers({
  client,
  clock,
  random,
  log: silent,
  settings: { ...defaultSettings, maxVmInflight: 10_000 },
  platformOf: (type) => registry.platform(type),
  connect: (url, trust) => sandbox.vcenter.connect(url, trust),
  version: 'bench',
});
const end = new AbortController();
const running = manager.run(end.signal);
await user.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } });
for (const [kind, object] of benchObjects(sandbox.vcenter)) await user.create(kind, object);
await until('the maps are Ready', async () => {
  const names = await Promise.all(
    benchObjects(sandbox.vcenter)
      .slice(1)
      .map(([kind, object]) => user.get(kind, { namespace: 'bench', name: object.metadata.name })),
  );
  return names.every((object) =>
    isTrue((object as { status?: { conditions?: never } } | undefined)?.status?.conditions, 'Ready'),
  );
});

// ---- Plan to Ready --------------------------------------------------------------------------------------------------------------

const planMade = performanceNow();
const seen = new Seen(user, clock);
await seen.follow(plans, dataVolumes, virtualMachines, migrations);
await user.create(plans, benchPlan(vms));
await until('the Plan is Ready', async () => isTrue((await plan())?.status?.conditions, 'Ready'));
const planReadySeconds = (seen.planReady - planMade) / 1000;

const restStart = counted;
await clock.sleep(5000);
const requestsAtRest = counted - restStart;

// ---- Migration to Succeeded -----------------------------------------------------------------------------------------------------

const before = { counted, cpu: process.cpuUsage() };
requests.clear();
const begun = performanceNow();
await user.create(migrations, {
  apiVersion: 'forklift.konveyor.io/v1beta1',
  kind: 'Migration',
  metadata: { name: 'run', namespace: 'bench' },
  spec: { plan: { name: 'plan', namespace: 'bench' } },
} as KubeObject as never);
let peakRss = 0;
await until('all have Succeeded', async () => {
  peakRss = Math.max(peakRss, process.memoryUsage.rss());
  const status = (await plan())?.status;
  return status?.migration?.completed !== undefined && isTrue(status.conditions, 'Succeeded');
});
const succeeded = performanceNow();
const cpu = process.cpuUsage(before.cpu);
await clock.sleep(1000);

const volumeToVm = [...seen.volumeDone].flatMap(([owner, at]) => {
  const made = seen.vmMade.get(owner);
  return made === undefined ? [] : [(made - at) / 1000];
});
const result = {
  vms: count,
  planReadySeconds: round(planReadySeconds),
  firstDataVolumeSeconds: round((Math.min(...seen.volumeMade) - begun) / 1000),
  allSucceededSeconds: round((succeeded - begun) / 1000),
  dataVolumeToVmMedianSeconds: round(median(volumeToVm)),
  dataVolumeToVmMaxSeconds: round(Math.max(...volumeToVm)),
  requestsPerVm: round((counted - before.counted) / count),
  requestsAtRest,
  processCpuSeconds: round((cpu.user + cpu.system) / 1e6),
  peakRssMiB: Math.round(peakRss / 2 ** 20),
  planBytes: JSON.stringify(await plan()).length,
};
const byKind = [...requests].sort(([, a], [, b]) => b - a).slice(0, 25);
if (values.json)
  process.stdout.write(`${JSON.stringify({ ...result, requests: Object.fromEntries(byKind) })}\n`);
else {
  for (const [key, value] of Object.entries(result)) process.stdout.write(`${key.padEnd(30)} ${value}\n`);
  process.stdout.write('\nrequests of the controller per VM\n');
  for (const [key, value] of byKind) process.stdout.write(`${key.padEnd(45)} ${round(value / count)}\n`);
}
end.abort(new Error('done'));
seen.stop();
await running;
await sandbox[Symbol.asyncDispose]();

// ---- small parts ----------------------------------------------------------------------------------------------------------------

function plan(): Promise<Stored<Plan> | undefined> {
  return user.get(plans, { namespace: 'bench', name: 'plan' });
}

function performanceNow(): number {
  return clock.monotonicMs();
}

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = clock.monotonicMs() + 600_000;
  while (!(await look())) {
    if (clock.monotonicMs() > deadline) throw new Error(`not within 600 s: ${what}`);
    await clock.sleep(50);
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
