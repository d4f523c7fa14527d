import { dirname } from 'node:path';
import type { ClaimPropertySet, StorageProfile } from '../../../src/api/external/cdi.ts';
import { leases, storageProfiles } from '../../../src/api/kinds.ts';
import type { KubeObject } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { programAddresses } from '../addresses.ts';
import { inNetwork } from '../cell/network.ts';
import { runCommand } from '../cell/run-command.ts';
import { createAll, defineKinds } from './apply.ts';
import type { Cluster } from './cluster.ts';
import type { DaemonSpec } from './daemon.ts';
import { writeTokenKeys } from './keys.ts';
import { parseJsonLines } from './manifests.ts';
import { isServing } from './probe.ts';
import { withPrivateTmp } from './private-tmp.ts';
import { storageClassObjects } from './storage-classes.ts';
import { TestbedError } from './testbed-error.ts';

const namespace = 'cdi';
const port = 8443;
const serverUrl = `https://${programAddresses['cdi-apiserver']}:${port}`;
/** Where the controller looks for them; it has no flag for it (fact: testbed 7.2). */
const tokenKeyFolder = '/run/cdi/token/keys';
const lease = { namespace, name: 'cdi-controller-leader-election-helper' };
/** What the product of this version would have written itself. */
export const cdiVersion = 'v1.65.0';

/** What can be done before there is an API server. */
export interface CdiPreparation {
  readonly definitions: readonly KubeObject[];
  readonly rights: readonly KubeObject[];
  readonly webhooks: readonly KubeObject[];
}

export async function prepareCdi(cluster: Cluster, signal: AbortSignal): Promise<CdiPreparation> {
  const program = cluster.program('cdi-manifests');
  const print = async (...args: readonly string[]): Promise<readonly KubeObject[]> =>
    parseJsonLines(await runCommand(program, [...args, '-namespace', namespace], {}, signal));
  const { network } = cluster.deps;
  const [definitions, rights, webhooks] = await Promise.all([
    print('-what', 'crds'),
    print('-what', 'rbac'),
    print('-what', 'webhooks', '-url', serverUrl, '-ca', cluster.keys.ca),
    writeTokenKeys(tokenKeyFolder),
    network.add('cdi-apiserver', programAddresses['cdi-apiserver']),
    network.add('cdi-controller', programAddresses['cdi-controller']),
  ]);
  return { definitions, rights, webhooks };
}

/** Resolves when CDI's kinds are served, whether or not anybody works on them. */
export async function defineCdi(
  cluster: Cluster,
  { definitions }: CdiPreparation,
  signal: AbortSignal,
): Promise<void> {
  await defineKinds(cluster.client('admin'), definitions, signal);
}

/** After `defineCdi`. Resolves when DataVolumes are admitted and worked on. */
export async function startCdi(
  cluster: Cluster,
  { rights, webhooks }: CdiPreparation,
  signal: AbortSignal,
): Promise<void> {
  const client = cluster.client('admin');
  const { supervisor } = cluster;
  const space: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await Promise.all([
    createConfiguration(client, signal),
    createAll(client, [space], signal).then(() => createAll(client, rights, signal)),
  ]);
  await Promise.all([
    supervisor.start(apiServerSpec(cluster), signal).then(() => createAll(client, webhooks, signal)),
    supervisor.start(controllerSpec(cluster), signal),
  ]);
  await allProfilesKnown(client, signal);
}

function apiServerSpec(cluster: Cluster): DaemonSpec {
  const { keys } = cluster;
  const [command, args] = inNetwork({ name: 'cdi-apiserver' }, cluster.program('cdi-apiserver'), [
    `-kubeconfig=${keys.kubeconfig('cdi-apiserver')}`,
    '-v=1',
  ]);
  return {
    name: 'cdi-apiserver',
    command,
    args,
    env: { CERT_FILE: keys.serving, KEY_FILE: keys.servingKey },
    isReady: (signal) => isServing(`${serverUrl}/healthz`, keys.caPem, signal),
    isRestarted: true,
    graceMs: 2000,
  };
}

function controllerSpec(cluster: Cluster): DaemonSpec {
  const client = cluster.client('admin');
  const program = cluster.program('cdi-controller');
  // It keeps a file /tmp/ready, which would be the machine's.
  const [command, args] = inNetwork(
    { name: 'cdi-controller' },
    ...withPrivateTmp([cluster.deps.folder, dirname(program)], program, [
      `-kubeconfig=${cluster.keys.kubeconfig('cdi-controller')}`,
      '-v=1',
    ]),
  );
  return {
    name: 'cdi-controller',
    command,
    args,
    env: {
      IMPORTER_IMAGE: images.importer,
      CLONER_IMAGE: 'cdi-cloner',
      UPLOADSERVER_IMAGE: 'cdi-uploadserver',
      OVIRT_POPULATOR_IMAGE: 'cdi-ovirt-populator',
      UPLOADPROXY_SERVICE: 'cdi-uploadproxy',
      PULL_POLICY: 'IfNotPresent',
    },
    isReady: async (signal) => {
      const held = await client.get(leases, lease, signal);
      return (held?.spec?.holderIdentity ?? '') !== '';
    },
    // One that was killed leaves its lease behind, for which the next one would wait 15 s (fact: testbed 7.2).
    beforeRestart: async (signal) => {
      await client.delete(leases, lease, {}, signal);
    },
    isRestarted: true,
    graceMs: 2000,
  };
}

/** What pods of CDI name as their image. */
export const images = { importer: 'cdi-importer' } as const;

/** As the operator leaves them, and profiles for classes whose provisioners CDI has never heard of (fact: cdi 1.2). */
async function createConfiguration(client: KubeClient, signal: AbortSignal): Promise<void> {
  const configuration = {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'CDI',
    metadata: { name: 'cdi', annotations: { 'cdi.kubevirt.io/configAuthority': '' } },
    spec: { config: { featureGates: ['HonorWaitForFirstConsumer'] } },
    // The kind has no status subresource.
    status: { phase: 'Deployed', observedVersion: cdiVersion, targetVersion: cdiVersion },
  };
  const profiles = storageClassObjects.map(({ metadata: { name } }): StorageProfile => ({
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'StorageProfile',
    metadata: { name },
    spec: { claimPropertySets },
  }));
  await createAll(client, [configuration, ...profiles], signal);
}

const claimPropertySets: readonly ClaimPropertySet[] = [
  { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
  { accessModes: ['ReadWriteOnce'], volumeMode: 'Block' },
];

/** The controller has seen every class: before that it would not know what a claim of theirs is to be like. */
async function allProfilesKnown(client: KubeClient, signal: AbortSignal): Promise<void> {
  const awaited = new Set(storageClassObjects.map(({ metadata }) => metadata.name));
  const see = ({ metadata: { name }, status }: StorageProfile): void => {
    if (status?.provisioner !== undefined) awaited.delete(name);
  };
  const { items, resourceVersion } = await client.list(storageProfiles, {}, signal);
  items.forEach(see);
  if (awaited.size === 0) return;
  for await (const event of client.watch(storageProfiles, { resourceVersion }, signal)) {
    if (event.type !== 'BOOKMARK') see(event.object);
    if (awaited.size === 0) return;
  }
  throw new TestbedError(
    'NotEstablished',
    `CDI has not looked at the storage classes ${[...awaited].join(', ')}`,
  );
}
