import { type ClusterAccess, loadInClusterConfig, loadKubeConfig } from '../kube/auth.ts';
import type { LeaseTimes } from '../kube/lease.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError, type KubeErrorCode } from '../kube/errors.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { createUndiciTransport } from '../kube/undici-transport.ts';
import type { EngineSettings } from '../migration/settings.ts';
import type { Clock } from '../runtime/clock.ts';
import { HealthServer } from '../runtime/health.ts';
import type { Logger } from '../runtime/log.ts';
import { RuntimeMetrics } from '../runtime/metrics.ts';
import { createHttpEndpoint } from '../sources/http-endpoint.ts';
import { createSourceRegistry } from '../sources/registry.ts';
import { conversionConfig } from './conversion-config.ts';
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
export const connections = 32;

/** No controller can work with this cluster as it stands, or as its kubeconfig describes it. */
export class ClusterUnusable extends Error {
  readonly code: KubeErrorCode;

  constructor(code: KubeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = 'ClusterUnusable';
  }
}

/**
 * The controller as a process of its own. Resolves when it was stopped in good order; rejects when it must be started anew.
 *
 * A cluster that does not answer at the start is asked a few times within some seconds; then this rejects with ClusterUnusable:
 * whoever runs the pod starts it again, and waits longer each time, and a person at a terminal
 * is told. Once started, it waits out every trouble of the API server for as long as it holds the lease.
 */
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
  const version = await serverVersion(client, access.server, signal);
  if (version === undefined) return;
  log.info('connected to the cluster', { server: access.server, version });

  const registry = createSourceRegistry();
  const { election } = options;
  const { manager } = createControllers({
    client,
    clock,
    random,
    log,
    settings: options.settings,
    conversion: conversionConfig(options.env),
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

/** Also the proof that the server is there and knows us. Undefined when told to stop meanwhile. */
async function serverVersion(
  client: KubeClient,
  server: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await client.version(signal)).gitVersion;
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!isKubeError(error)) throw error;
    const advice = adviceFor[error.code] ?? 'Look at what the server has logged';
    throw new ClusterUnusable(error.code, `the cluster at ${server}: ${error.message}. ${advice}.`, {
      cause: error,
    });
  }
}

const adviceFor: Readonly<Partial<Record<KubeErrorCode, string>>> = {
  Unreachable:
    'See whether the server is up, and whether the kubeconfig has its address and its certificate authority',
  Unauthorized:
    'The server does not take these credentials: log in anew, or give another kubeconfig or context',
  Forbidden: 'The server knows the user but does not let it in: give it the roles in manifests/',
};

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
