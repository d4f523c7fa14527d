import process from 'node:process';
import { dataVolumes, migrations, namespaces, plans, virtualMachines } from '../../src/api/kinds.ts';
import { isTrue } from '../../src/api/conditions.ts';
import type { Migration } from '../../src/api/migration.ts';
import type { Stored } from '../../src/api/meta.ts';
import type { Plan } from '../../src/api/plan.ts';
import { createControllers } from '../../src/controllers/controllers.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { RequestObservation } from '../../src/kube/request-sender.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { defaultSettings } from '../../src/migration/settings.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import type { VCenter } from '../../src/sandbox/world.ts';
import { createSourceRegistry } from '../../src/sources/registry.ts';
import type { SourceDeps } from '../../src/sources/source.ts';
import { benchObjects, benchPlan } from './objects.ts';
import { Seen } from './seen.ts';
import { silent } from './silent.ts';

/** A cluster with stand-ins for CDI, storage and KubeVirt, and a vCenter with these VMs. */
export interface BenchWorld {
  /** As a user with kubectl. */
  readonly user: KubeClient;
  /** The controller's way to the API server. */
  readonly transport: Transport;
  readonly connect: SourceDeps['connect'];
  readonly vcenter: Pick<VCenter, 'url' | 'caPem'>;
  readonly vms: readonly { readonly id: string; readonly name: string }[];
  /** CPU seconds so far of what has processes of its own, by name. */
  readonly otherCpu?: () => Readonly<Record<string, number>>;
}

/** Seconds, requests and MiB, as their names say. */
export interface PlanFigures {
  readonly figures: Readonly<Record<string, number>>;
  /** Of the controller during the run, the most frequent first; "verb plural". */
  readonly requestsPerVm: Readonly<Record<string, number>>;
}

const mostKinds = 25;

/** One plan of all VMs, from its creation to Succeeded. Times are taken from watch events. CPU and memory are this process's. */
export async function measurePlan(world: BenchWorld, clock: Clock): Promise<PlanFigures> {
  const { user } = world;
  const controller = startController(world, clock);
  await user.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } });
  await applyMaps(world, clock);
  const seen = new Seen(user, clock);
  await seen.follow(plans, dataVolumes, virtualMachines, migrations);

  const planMade = clock.monotonicMs();
  await user.create(plans, benchPlan(world.vms));
  await until(clock, 'the Plan is Ready', async () =>
    isTrue((await planOf(user))?.status?.conditions, 'Ready'),
  );
  const restStart = controller.requests.length;
  await clock.sleep(5000);
  const requestsAtRest = controller.requests.length - restStart;

  const run = await measureRun(world, controller, clock);
  const volumeToVm = [...seen.volumeDone].flatMap(([owner, at]) => {
    const made = seen.vmMade.get(owner);
    return made === undefined ? [] : [(made - at) / 1000];
  });
  const count = world.vms.length;
  const sent = controller.requests.slice(run.firstRequest);
  const requests = sent.map(({ what }) => what);
  const figures = {
    vms: count,
    planReadySeconds: (seen.planReady - planMade) / 1000,
    firstDataVolumeSeconds: (Math.min(...seen.volumeMade) - run.begun) / 1000,
    allSucceededSeconds: (run.succeeded - run.begun) / 1000,
    dataVolumeToVmMedianSeconds: median(volumeToVm),
    dataVolumeToVmMaxSeconds: Math.max(...volumeToVm),
    requestsPerVm: requests.length / count,
    requestsAtRest,
    requestMedianMs: median(sent.map(({ durationMs }) => durationMs)),
    requestMaxMs: Math.max(...sent.map(({ durationMs }) => durationMs)),
    processCpuSeconds: run.cpuSeconds,
    ...run.otherCpu,
    peakRssMiB: Math.round(run.peakRss / 2 ** 20),
    planBytes: JSON.stringify(await planOf(user)).length,
  };
  await controller.stop();
  seen.stop();
  return { figures: mapValues(figures, round), requestsPerVm: perVm(requests, count) };
}

interface Request {
  /** "verb plural" */
  readonly what: string;
  readonly durationMs: number;
}

interface BenchController {
  /** So far. */
  readonly requests: readonly Request[];
  stop(): Promise<void>;
}

function startController({ transport, connect }: BenchWorld, clock: Clock): BenchController {
  const requests: Request[] = [];
  const random = seededRandom(2);
  const onRequest = ({ verb, resource, durationMs }: RequestObservation): void =>
    void requests.push({ what: `${verb} ${resource}`, durationMs });
  const registry = createSourceRegistry();
  const { manager } = createControllers({
    client: createKubeClient(transport, { clock, random, onRequest }),
    clock,
    random,
    log: silent,
    settings: { ...defaultSettings, maxVmInflight: 10_000 },
    platformOf: (type) => registry.platform(type),
    connect,
    version: 'bench',
  });
  const end = new AbortController();
  const running = manager.run(end.signal);
  return {
    requests,
    async stop() {
      end.abort(new Error('done'));
      await running;
    },
  };
}

async function applyMaps({ user, vcenter }: BenchWorld, clock: Clock): Promise<void> {
  const [secret, ...becomeReady] = benchObjects(vcenter);
  for (const [kind, object] of [...(secret === undefined ? [] : [secret]), ...becomeReady])
    await user.create(kind, object);
  await until(clock, 'the maps are Ready', async () => {
    const objects = await Promise.all(
      becomeReady.map(([kind, object]) => user.get(kind, { namespace: 'bench', name: object.metadata.name })),
    );
    return objects.every((object) =>
      isTrue((object as { status?: { conditions?: never } } | undefined)?.status?.conditions, 'Ready'),
    );
  });
}

interface Run {
  /** Monotonic milliseconds. */
  readonly begun: number;
  readonly succeeded: number;
  readonly firstRequest: number;
  readonly cpuSeconds: number;
  readonly peakRss: number;
  readonly otherCpu: Readonly<Record<string, number>>;
}

async function measureRun(
  { user, otherCpu = () => ({}) }: BenchWorld,
  { requests }: BenchController,
  clock: Clock,
): Promise<Run> {
  const firstRequest = requests.length;
  const othersBefore = otherCpu();
  const before = process.cpuUsage();
  const begun = clock.monotonicMs();
  const migration: Migration = {
    apiVersion: 'forklift.konveyor.io/v1beta1',
    kind: 'Migration',
    metadata: { name: 'run', namespace: 'bench' },
    spec: { plan: { name: 'plan', namespace: 'bench' } },
  };
  await user.create(migrations, migration);
  let peakRss = 0;
  await until(clock, 'all have Succeeded', async () => {
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
    const status = (await planOf(user))?.status;
    return status?.migration?.completed !== undefined && isTrue(status.conditions, 'Succeeded');
  });
  const succeeded = clock.monotonicMs();
  const { user: inUser, system } = process.cpuUsage(before);
  const others = Object.entries(otherCpu()).map(
    ([name, seconds]) => [`${name}CpuSeconds`, seconds - (othersBefore[name] ?? 0)] as const,
  );
  // What is still under way belongs to the run.
  await clock.sleep(1000);
  return {
    begun,
    succeeded,
    firstRequest,
    peakRss,
    cpuSeconds: (inUser + system) / 1e6,
    otherCpu: Object.fromEntries(others),
  };
}

// ---- small parts ----------------------------------------------------------------------------------------------------------------

function planOf(user: KubeClient): Promise<Stored<Plan> | undefined> {
  return user.get(plans, { namespace: 'bench', name: 'plan' });
}

async function until(clock: Clock, what: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = clock.monotonicMs() + 600_000;
  while (!(await look())) {
    if (clock.monotonicMs() > deadline) throw new Error(`not within 600 s: ${what}`);
    await clock.sleep(50);
  }
}

function perVm(requests: readonly string[], count: number): Readonly<Record<string, number>> {
  const kinds = [...Map.groupBy(requests, (kind) => kind)].map(([kind, of]) => [kind, of.length] as const);
  const mostFirst = kinds.toSorted(([, a], [, b]) => b - a).slice(0, mostKinds);
  return Object.fromEntries(mostFirst.map(([kind, times]) => [kind, round(times / count)]));
}

function mapValues(
  figures: Readonly<Record<string, number>>,
  change: (value: number) => number,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, change(value)]));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
