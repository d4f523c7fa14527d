import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { apiServerUrl } from '../addresses.ts';
import type { TestbedUser } from '../control/testbed.ts';
import { createAll, defineKinds } from './apply.ts';
import { programPath } from './binary.ts';
import { prepareCdi, startCdi } from './cdi.ts';
import { Cluster, type ClusterDeps } from './cluster.ts';
import { apiServerSpec, controllerManagerSpec, etcdSpec } from './control-plane.ts';
import { identities } from './identities.ts';
import { makeKeys } from './keys.ts';
import { ownManifests } from './manifests.ts';
import { csiDriver, storageClassObjects } from './storage-classes.ts';
import { Supervisor } from './supervisor.ts';

export interface TestbedOptions extends ClusterDeps {
  /** Called when a part is up, with the milliseconds since the beginning. */
  readonly onStep?: (step: string, ms: number) => void;
}

export interface RunningTestbed extends AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  readonly caPem: string;
  /** Aborts with an Error when a part has ended that the rest cannot be without. */
  readonly lost: AbortSignal;
  /** Path of a kubeconfig of this user. */
  kubeconfig(user: TestbedUser): string;
  client(user: TestbedUser): KubeClient;
}

/**
 * Brings a cluster up inside a cell; resolves when all of it is ready. Disposing of it ends everything in reverse. Rejects with
 * TestbedError, and then nothing is left running.
 */
export async function startTestbed(options: TestbedOptions, signal: AbortSignal): Promise<RunningTestbed> {
  const { folder, clock, env } = options;
  const begun = clock.monotonicMs();
  const step = (name: string): void => options.onStep?.(name, clock.monotonicMs() - begun);
  const logs = join(folder, 'logs');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  await using stack = new AsyncDisposableStack();
  const supervisor = stack.use(new Supervisor(logs, options));
  const path = (name: Parameters<typeof programPath>[0]): string => programPath(name, env);

  const etcdStarts = etcdSpec(folder, path).then((spec) => supervisor.start(spec, signal));
  const keys = await makeKeys(folder, clock.now());
  step('keys');
  const cluster = stack.use(new Cluster(options, keys, supervisor));
  const settings = { folder, keys, path };
  const serverStarts = supervisor.start(apiServerSpec(settings), signal);
  const cdiPrepares = prepareCdi(cluster, signal);
  await etcdStarts;
  step('etcd');
  await serverStarts;
  step('kube-apiserver');
  await Promise.all([
    cdiPrepares.then((prepared) => startCdi(cluster, prepared, signal)).then(() => step('cdi')),
    supervisor.start(controllerManagerSpec(settings), signal).then(() => step('kube-controller-manager')),
    applyOwn(cluster, signal).then(() => step('manifests')),
  ]);

  const running = stack.move();
  return {
    folder,
    url: apiServerUrl,
    caPem: keys.caPem,
    lost: supervisor.lost,
    kubeconfig: (user) => keys.kubeconfig(user),
    client: (user) => cluster.client(user),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What Gantry ships, the storage classes, and the rights of whoever plays the nodes. */
async function applyOwn(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const client = cluster.client('admin');
  const shipped = await ownManifests();
  const of = (kind: string) => shipped.filter((object) => object.kind === kind);
  const rest = shipped.filter(({ kind }) => kind !== 'CustomResourceDefinition' && kind !== 'Namespace');
  await Promise.all([
    defineKinds(client, of('CustomResourceDefinition'), signal),
    createAll(client, of('Namespace'), signal).then(() => createAll(client, rest, signal)),
    createAll(client, [...storageClassObjects, csiDriver, nodeBinding], signal),
  ]);
}

const nodeBinding: KubeObject & { readonly roleRef: object; readonly subjects: readonly object[] } = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: identities.node.user },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: identities.node.user }],
};
