import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { LinkedAbort } from '../../../src/kube/linked-abort.ts';
import { apiServerUrl } from '../addresses.ts';
import { serveControl, type NodeControl } from '../control/server.ts';
import type { DaemonName, TestbedUser } from '../control/testbed.ts';
import { startNode, type RunningNode } from '../node/start-node.ts';
import { createAll, defineKinds } from './apply.ts';
import { defineCdi, prepareCdi, startCdi } from './cdi.ts';
import { Cluster, type ClusterDeps } from './cluster.ts';
import { apiServerSpec, controllerManagerSpec, etcdSpec } from './control-plane.ts';
import { makeKeys } from './keys.ts';
import { launcherImageName } from './kubevirt/daemons.ts';
import { defineKubeVirt, prepareKubeVirt, startKubeVirt } from './kubevirt/kubevirt.ts';
import { launcherImage } from './kubevirt/launcher.ts';
import { ownManifests } from './manifests.ts';
import type { TestbedParts } from './parts.ts';
import { csiDriver, storageClassObjects } from './storage-classes.ts';
import { Supervisor } from './supervisor.ts';

export interface TestbedOptions extends ClusterDeps {
  readonly parts: TestbedParts;
  /** Called when a part is up, with the milliseconds since the beginning. */
  readonly onStep?: (part: string, ms: number) => void;
}

export interface RunningTestbed extends AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  readonly caPem: string;
  readonly daemons: readonly DaemonName[];
  /** Aborts with an Error when a part has ended that the rest cannot be without. */
  readonly lost: AbortSignal;
  /** Path of a kubeconfig of this user. */
  kubeconfig(user: TestbedUser): string;
  client(user: TestbedUser): KubeClient;
}

/**
 * Brings a testbed up inside a cell; resolves when all of it is ready and serves its control socket. Disposing of it ends everything.
 * Rejects with the first thing that went wrong, and then nothing is left running.
 */
export async function startTestbed(options: TestbedOptions, signal: AbortSignal): Promise<RunningTestbed> {
  const { folder } = options;
  const logs = join(folder, 'logs');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  await using stack = new AsyncDisposableStack();
  const supervisor = stack.use(new Supervisor(logs, options));
  const { cluster, node } = await bringUp(options, supervisor, stack, signal);
  stack.use(await serveControl(folder, { supervisor, node }, signal));
  const running = stack.move();
  return {
    folder,
    url: apiServerUrl,
    caPem: cluster.keys.caPem,
    daemons: supervisor.names,
    lost: supervisor.lost,
    kubeconfig: (user) => cluster.keys.kubeconfig(user),
    client: (user) => cluster.client(user),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

interface Brought {
  readonly cluster: Cluster;
  readonly node: NodeControl;
}

/** Everything as early as what it needs is there. What it made hangs on the stack, also when it rejects. */
async function bringUp(
  options: TestbedOptions,
  supervisor: Supervisor,
  stack: AsyncDisposableStack,
  parent: AbortSignal,
): Promise<Brought> {
  const { parts: wanted } = options;
  const begun = options.clock.monotonicMs();
  using abort = new LinkedAbort(parent);
  const { signal } = abort;
  supervisor.lost.addEventListener('abort', () => abort.abort(supervisor.lost.reason), { once: true });
  const parts: Promise<unknown>[] = [];
  const part = <T>(name: string, done: Promise<T>): Promise<T> => {
    const told = done.then((result) => {
      options.onStep?.(name, options.clock.monotonicMs() - begun);
      return result;
    });
    parts.push(told);
    return told;
  };

  const cluster = part(
    'keys',
    makeKeys(options.folder, options.clock.now()).then((keys) =>
      stack.use(new Cluster(options, keys, supervisor)),
    ),
  );
  const etcd = part(
    'etcd',
    etcdSpec(options).then((spec) => supervisor.start(spec, signal)),
  );
  const server = part(
    'kube-apiserver',
    cluster.then((made) => supervisor.start(apiServerSpec(made), signal)),
  );
  const up = Promise.all([cluster, etcd, server]).then(([made]) => made);
  void part(
    'kube-controller-manager',
    up.then((made) => supervisor.start(controllerManagerSpec(made, wanted), signal)),
  );
  const shipped = ownManifests();
  void part(
    'manifests',
    Promise.all([up, shipped]).then(([made, objects]) => applyOwn(made, objects, wanted, signal)),
  );

  startProducts(wanted, cluster, up, part, signal);
  const node = wanted.node
    ? part(
        'node',
        up.then((made) => runNode(made, wanted, stack)),
      )
    : noNode;

  try {
    await Promise.all(parts);
    return { cluster: await cluster, node: await node };
  } catch (error) {
    abort.abort(error);
    await Promise.allSettled(parts);
    throw error;
  }
}

type Told = <T>(name: string, done: Promise<T>) => Promise<T>;

/** CDI and KubeVirt: what can be made ready before there is a server is. */
function startProducts(
  wanted: TestbedParts,
  cluster: Promise<Cluster>,
  up: Promise<Cluster>,
  part: Told,
  signal: AbortSignal,
): void {
  let cdiKinds: Promise<void> = Promise.resolve();
  if (wanted.cdi !== 'absent') {
    const cdi = cluster.then((made) => prepareCdi(made, signal));
    cdiKinds = Promise.all([up, cdi]).then((both) => defineCdi(...both, signal));
    const runs = wanted.cdi === 'programs';
    void part(
      'CDI',
      Promise.all([up, cdi, cdiKinds]).then(([made, prepared]) =>
        runs ? startCdi(made, prepared, signal) : undefined,
      ),
    );
  }
  if (wanted.kubevirt !== 'absent') {
    const kubeVirt = cluster.then((made) => prepareKubeVirt(made, signal));
    const runs = wanted.kubevirt === 'programs';
    void part(
      'KubeVirt',
      Promise.all([up, kubeVirt]).then((both) =>
        runs ? startKubeVirt(...both, cdiKinds, signal) : defineKubeVirt(...both, signal),
      ),
    );
  }
}

/** Where there is none. */
const noNode: NodeControl = {
  killContainer: () => Promise.resolve(false),
  volume: () => Promise.resolve(undefined),
};

/** Resolves when it works. */
async function runNode(
  cluster: Cluster,
  { kubevirt }: TestbedParts,
  stack: AsyncDisposableStack,
): Promise<RunningNode> {
  const life = new AbortController();
  const node = startNode(
    cluster.client('node'),
    {
      ...cluster.deps,
      networks: cluster.deps.network,
      importer: cluster.program('cdi-importer'),
      vddkPlugin: cluster.program('libvddk-test-plugin.so'),
      ...(kubevirt === 'programs' && {
        images: { [launcherImageName]: launcherImage(cluster.client('virt-controller')) },
      }),
    },
    life.signal,
  );
  stack.defer(async () => {
    life.abort(new Error('the testbed ends'));
    await node.stopped;
  });
  await node.ready;
  return node;
}

/** What Gantry ships, and the storage classes of the node. */
async function applyOwn(
  cluster: Cluster,
  shipped: readonly KubeObject[],
  { node }: TestbedParts,
  signal: AbortSignal,
): Promise<void> {
  const client = cluster.client('admin');
  const of = (kind: string) => shipped.filter((object) => object.kind === kind);
  const rest = shipped.filter(({ kind }) => kind !== 'CustomResourceDefinition' && kind !== 'Namespace');
  await Promise.all([
    defineKinds(client, of('CustomResourceDefinition'), signal),
    createAll(client, of('Namespace'), signal).then(() => createAll(client, rest, signal)),
    node ? createAll(client, [...storageClassObjects, csiDriver], signal) : undefined,
  ]);
}
