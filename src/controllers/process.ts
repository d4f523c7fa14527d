import { type ClusterAccess, loadInClusterConfig, loadKubeConfig } from '../kube/auth.ts';
import type { LeaseTimes } from '../kube/lease.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { createUndiciTransport } from '../kube/undici-transport.ts';
import type { EngineSettings } from '../migration/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { HealthServer } from '../runtime/health.ts';
import type { Logger } from '../runtime/log.ts';
import { RuntimeMetrics } from '../runtime/metrics.ts';
import { createHttpEndpoint } from '../sources/http-endpoint.ts';
import { createSourceRegistry } from '../sources/registry.ts';
import { createControllers } from './controllers.ts';

export interface ControllerProcessOptions {
  /** A kubeconfig file; left out: the pod's service account, else what kubectl would use. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly settings: EngineSettings;
  /** Left out: no election, this is the only replica. */
  readonly election?: {
    readonly namespace?: string;
    readonly name: string;
    readonly identity: string;
    readonly times?: LeaseTimes;
  };
  /** Where probes and metrics are answered; left out: nowhere. Port 0: any free one. */
  readonly bind?: { readonly host: string; readonly port: number };
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Imports of a large plan begin at once; the API server's own fairness does the rest. */
const connections = 32;

/** The controller as a process of its own. Resolves when it was stopped in good order; rejects when it must be started anew. */
export async function runControllerProcess(
  options: ControllerProcessOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, log } = options;
  const access = await clusterAccess(options);
  const metrics = new RuntimeMetrics();
  metrics.collectProcessMetrics();
  await using transport = createUndiciTransport({
    ...access,
    clock,
    connections,
    userAgent: `gantry/${options.version}`,
  });
  const client = createKubeClient(transport, {
    clock,
    random,
    onRequest: metrics.requests(new URL(access.server).host),
  });
  const { gitVersion } = await client.version(signal);
  log.info('connected to the cluster', { server: access.server, version: gitVersion });

  const registry = createSourceRegistry();
  const { election } = options;
  const { manager } = createControllers({
    client,
    clock,
    random,
    log,
    settings: options.settings,
    platformOf: (type) => registry.platform(type),
    connect: (url, trust) => createHttpEndpoint(url, trust),
    version: options.version,
    metrics,
    ...(election !== undefined && {
      election: {
        lease: { namespace: election.namespace ?? access.namespace, name: election.name },
        identity: election.identity,
        ...(election.times !== undefined && { times: election.times }),
      },
    }),
  });
  if (options.bind !== undefined) {
    const health = new HealthServer({
      ...options.bind,
      ready: { caches: () => (manager.isSynced ? undefined : 'caches are not filled yet') },
      metrics: metrics.registry,
    });
    manager.addService(health);
    void health.address.then(
      ({ port }) => log.info('answering probes', { host: options.bind?.host, port }),
      () => undefined,
    );
  }
  await manager.run(signal);
}

async function clusterAccess(options: ControllerProcessOptions): Promise<ClusterAccess> {
  const { kubeconfig, context, env, clock } = options;
  const inCluster =
    kubeconfig === undefined && context === undefined && env['KUBERNETES_SERVICE_HOST'] !== undefined;
  if (inCluster) return loadInClusterConfig({ env, clock });
  return loadKubeConfig({
    ...(kubeconfig !== undefined && { path: kubeconfig }),
    ...(context !== undefined && { context }),
    env,
    clock,
  });
}
