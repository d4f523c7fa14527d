import {
  hooks,
  hosts,
  migrations,
  networkMaps,
  plans,
  providers,
  storageMaps,
  virtualMachineImports,
} from '../api/kinds.ts';
import { controllerName } from '../api/labels.ts';
import type { Hook } from '../api/hook.ts';
import type { Host } from '../api/host.ts';
import type { KubeObject, ResourceKind } from '../api/meta.ts';
import type { Migration } from '../api/migration.ts';
import type { NetworkMap } from '../api/network-map.ts';
import type { Plan } from '../api/plan.ts';
import type { Provider } from '../api/provider.ts';
import type { StorageMap } from '../api/storage-map.ts';
import { ObjectCache } from '../kube/cache.ts';
import type { KubeClient, ObjectKey } from '../kube/client.ts';
import { fencedClient } from '../kube/fenced-client.ts';
import { ApiEventRecorder } from '../kube/events.ts';
import { LeaderElector, type Fence, type LeaseTimes } from '../kube/lease.ts';
import { keyOf } from '../kube/object-key.ts';
import { Reflector } from '../kube/reflector.ts';
import { Sight, type SightObserver } from '../kube/sight.ts';
import type { ConversionConfig } from '../migration/freeze/conversion.ts';
import { SlotTable } from '../migration/slots.ts';
import type { EngineSettings } from '../migration/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { Controller, type Reconcile } from '../runtime/controller.ts';
import type { Logger } from '../runtime/log.ts';
import { Limiter } from '../runtime/limiter.ts';
import { Manager, type SyncedRunnable } from '../runtime/manager.ts';
import type { RuntimeMetrics } from '../runtime/metrics.ts';
import type { SourceDeps, SourcePlatform } from '../sources/source.ts';
import { hookReconciler } from './hook/reconciler.ts';
import { hostReconciler } from './host/reconciler.ts';
import type { AtBoundary } from './import/boundary.ts';
import { importCache } from './import/import-cache.ts';
import { importReconciler } from './import/reconciler.ts';
import { observedRunner, type RunObserver } from './import/run-observer.ts';
import { ImportRunner } from './import/runner.ts';
import { SourceWatch } from './import/source-watch.ts';
import { priorImports } from './import/prior-imports.ts';
import { RunningToo } from './import/running-too.ts';
import { SharedProbe } from './import/shared-probe.ts';
import { SourceInUse } from './import/source-in-use.ts';
import { wakeImports } from './import/wake.ts';
import { mapReconcilers } from './maps/reconciler.ts';
import { Providers } from './provider/providers.ts';
import { planKeyOf } from './run/migrations.ts';
import { RunReconciler } from './run/reconciler.ts';
import { wakePlans } from './run/wake.ts';
import { targetCluster, type Watched } from './target-cluster.ts';

export interface ControllersOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly settings: EngineSettings;
  readonly platformOf: (type: string) => SourcePlatform | undefined;
  /** How sources are reached. */
  readonly connect: SourceDeps['connect'];
  /** How guests are converted; left out: no image is known but what Plans name. */
  readonly conversion?: ConversionConfig;
  readonly version: string;
  /** Left out: this is the only replica, and it leads. */
  readonly election?: { readonly lease: ObjectKey; readonly identity: string; readonly times?: LeaseTimes };
  readonly metrics?: RuntimeMetrics;
  readonly atBoundary?: AtBoundary;
  readonly observer?: RunObserver;
}

/** Imports and plans reconciled at once: a reconcile mostly waits for answers. */
const workers = { imports: 64, plans: 8, others: 2 };

/** After an outage of the API server all goes on within half a minute: a source may be off meanwhile. */
const limits = { firstMs: 5, maxMs: 30_000 };

/** Everything that Gantry's controller process runs, put together. Nothing works before the manager does. */
export function createControllers(options: ControllersOptions): { readonly manager: Manager } {
  const { clock, log, settings } = options;
  const elector = electorOf(options);
  const fence: Fence = elector?.fence() ?? { check: () => undefined };
  const client = fencedClient(options.client, fence);
  const manager = new Manager({ clock, logger: log, ...(elector !== undefined && { elector }) });
  const events = new ApiEventRecorder({
    // Not behind the fence: events only tell, and the last of them are sent when the lease has been let go.
    client: options.client,
    component: controllerName,
    clock,
    random: options.random,
    logger: log,
  });

  manager.addService({ name: 'events', run: (signal) => events.run(signal) });

  const watched = watchedCaches(log);
  const { cluster, watched: targetWatched } = targetCluster(client, log);
  const imports = importCache(log);
  const reflect = reflectors(options, manager);
  reflect(virtualMachineImports, imports);
  for (const { kind, cache } of watched.all) reflect(kind, cache);
  const sight = new Sight(clock);
  for (const { kind, cache, ...of } of targetWatched)
    reflect(kind, cache, { ...of, sight: sight.of(kind.plural) });

  const make = (name: string, count: number, reconcile: Reconcile): Controller =>
    new Controller({
      name,
      workers: count,
      reconcile,
      clock,
      logger: log,
      limits,
      ...(options.metrics !== undefined && {
        observer: options.metrics.controller(name, count),
        queueObserver: options.metrics.queue(name),
      }),
    });
  const controller = (name: string, count: number, reconcile: Reconcile): Controller => {
    const made = make(name, count, reconcile);
    manager.addController(made);
    return made;
  };

  const hub: Providers = new Providers({
    client,
    cache: watched.providers,
    platformOf: options.platformOf,
    connect: options.connect,
    clock,
    random: options.random,
    log,
    events,
    enqueue: (key) => providerController.enqueue(key),
  });
  const providerController = controller('provider', workers.others, (key, signal) =>
    hub.reconcile(key, signal),
  );
  manager.addController({
    name: 'provider-sessions',
    run: (signal) => untilStopped(signal, () => hub.stop()),
  });

  const { conversion } = options;
  const world = {
    ...watched,
    hub,
    platformOf: options.platformOf,
    cluster,
    ...(conversion !== undefined && { conversion }),
  };
  const maps = mapReconcilers({ client, clock, world });
  const networkMapController = controller('networkmap', workers.others, maps.networkMap);
  const storageMapController = controller('storagemap', workers.others, maps.storageMap);
  const hostController = controller(
    'host',
    1,
    hostReconciler({ client, clock, events, hosts: watched.hosts, world }),
  );
  const hookController = controller('hook', 1, hookReconciler({ client, clock, hooks: watched.hooks }));

  const run = new RunReconciler({ client, ...watched, imports, world, events, clock, log });
  const planController = controller('plan', workers.plans, (key, signal) => run.reconcile(key, signal));

  const slots: SlotTable = new SlotTable((holder) => {
    for (const object of imports.byIndex('uid', holder)) importController.enqueue(keyOf(object));
  });
  const sourceInUse = new SourceInUse({ client, providers: watched.providers, imports });
  sourceInUse.wake(controller('source-in-use', 1, (key, signal) => sourceInUse.reconcile(key, signal)));
  const runningToo = new RunningToo({ client, imports, hub, events, clock });
  runningToo.wake(controller('source-running-too', 1, (key, signal) => runningToo.reconcile(key, signal)));
  const sourceWatch: SourceWatch = new SourceWatch(hub, (key) => importController.enqueue(key));
  const runner = new ImportRunner({
    client,
    imports,
    clock,
    sight,
    settings,
    version: options.version,
    atBoundary: options.atBoundary ?? (() => undefined),
    cluster,
    creates: new Limiter(settings.dataVolumeCreates),
    dataVolumeProbe: new SharedProbe(clock),
    sources: hub,
    slots,
    priorImports: priorImports(imports, cluster),
    fence,
    events,
    sourceWatch,
    sourceInUse,
    random: options.random,
    log,
    reportedAt: new Map(),
    ...(options.observer !== undefined && { observer: options.observer }),
  });
  const reconcileImport = importReconciler({
    client,
    imports,
    migrations: watched.migrations,
    runner: observedRunner(runner, options.observer, imports),
    sourceWatch,
    slots,
    clock,
  });
  const importController = make('import', workers.imports, reconcileImport);
  manager.addController({
    name: 'import',
    async run(signal) {
      // From the server and not from a cache: a slot counted too few is a host overloaded (review.md F52).
      const { items } = await client.list(virtualMachineImports, {}, signal);
      slots.rebuild(
        items.map((object) => ({ holder: object.metadata.uid, slots: object.status?.slots ?? [] })),
      );
      await importController.run(signal);
    },
  });

  wakeImports(
    { imports, cluster, hub, migrations: watched.migrations, settings, clock, sourceWatch, slots },
    importController,
  );
  wakePlans(
    { ...watched, imports, hub, cluster, clock },
    {
      planController,
      networkMapController,
      storageMapController,
      hostController,
      hookController,
      providerController,
    },
  );
  return { manager };
}

/** Caches of Forklift's kinds, and how each is found. */
function watchedCaches(logger: Logger) {
  const cacheOf = <T extends KubeObject>() => new ObjectCache<T>({ logger });
  const caches = {
    providers: cacheOf<Provider>(),
    networkMaps: cacheOf<NetworkMap>(),
    storageMaps: cacheOf<StorageMap>(),
    hosts: cacheOf<Host>(),
    hooks: cacheOf<Hook>(),
    plans: cacheOf<Plan>(),
    migrations: new ObjectCache<Migration, 'plan'>({
      logger,
      indexes: { plan: (migration) => [planKeyOf(migration)] },
    }),
  };
  const all = [
    { kind: providers, cache: caches.providers },
    { kind: networkMaps, cache: caches.networkMaps },
    { kind: storageMaps, cache: caches.storageMaps },
    { kind: hosts, cache: caches.hosts },
    { kind: hooks, cache: caches.hooks },
    { kind: plans, cache: caches.plans },
    { kind: migrations, cache: caches.migrations },
  ] as unknown as readonly Watched[];
  return { ...caches, all };
}

type WatchOptions = Pick<Watched, 'labelSelector' | 'mayBeAbsent'> & { readonly sight?: SightObserver };

function reflectors({ client, clock, random, log }: ControllersOptions, manager: Manager) {
  return <T extends KubeObject>(
    kind: ResourceKind<T>,
    cache: ObjectCache<T>,
    { labelSelector, mayBeAbsent = false, sight }: WatchOptions = {},
  ): void => {
    const reflector = new Reflector<T>({
      client,
      kind,
      ...(labelSelector !== undefined && { selection: { labelSelector } }),
      mayBeAbsent,
      ...(sight !== undefined && { sight }),
      sink: cache,
      clock,
      random,
      logger: log,
    });
    const runnable: SyncedRunnable = {
      name: `watch ${kind.plural}`,
      run: (signal) => reflector.run(signal),
      synced: reflector.synced,
    };
    manager.addCache(runnable);
  };
}

function electorOf(options: ControllersOptions): LeaderElector | undefined {
  const { election, client, clock, random, log } = options;
  if (election === undefined) return undefined;
  const observer = options.metrics?.leader(election.lease.name);
  return new LeaderElector({
    client,
    clock,
    random,
    logger: log,
    ...election,
    ...(observer !== undefined && { observer }),
  });
}

async function untilStopped(signal: AbortSignal, stop: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await stop();
}
