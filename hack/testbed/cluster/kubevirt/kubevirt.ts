import { configMaps } from '../../../../src/api/kinds.ts';
import type { KubeObject, ResourceKind } from '../../../../src/api/meta.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { programAddresses } from '../../addresses.ts';
import { runCommand } from '../../cell/run-command.ts';
import { createAll, defineKinds } from '../apply.ts';
import type { Cluster } from '../cluster.ts';
import { kindOf } from '../kinds.ts';
import { parseJsonLines } from '../manifests.ts';
import { apiSpec, apiUrl, controllerSpec, namespace } from './daemons.ts';

/** What can be done before there is an API server. */
export interface KubeVirtPreparation {
  readonly definitions: readonly KubeObject[];
  readonly rights: readonly KubeObject[];
  readonly webhooks: readonly KubeObject[];
}

export async function prepareKubeVirt(cluster: Cluster, signal: AbortSignal): Promise<KubeVirtPreparation> {
  const program = cluster.program('kubevirt-manifests');
  const print = async (...args: readonly string[]): Promise<readonly KubeObject[]> =>
    parseJsonLines(await runCommand(program, [...args, '-namespace', namespace], {}, signal));
  const { network } = cluster.deps;
  const [definitions, rights, webhooks] = await Promise.all([
    print('-what', 'crds'),
    print('-what', 'rbac'),
    print('-what', 'webhooks', '-url', apiUrl, '-ca', cluster.keys.ca),
    network.add('virt-api', programAddresses['virt-api']),
    network.add('virt-controller', programAddresses['virt-controller']),
  ]);
  return {
    definitions: definitions.map((definition) => withoutDescriptions(definition) as KubeObject),
    rights,
    webhooks: webhooks.map((configuration) => withoutPodWebhooks(configuration as WebhookConfiguration)),
  };
}

/** Resolves when KubeVirt's kinds are served, whether or not anybody works on them. */
export async function defineKubeVirt(
  cluster: Cluster,
  { definitions }: KubeVirtPreparation,
  signal: AbortSignal,
): Promise<void> {
  await defineKinds(cluster.client('admin'), definitions, signal);
}

/**
 * Resolves when VirtualMachines are admitted and worked on.
 *
 * @param otherKinds resolves when CDI's kinds are served: both programs end when those appear under them (fact: kubevirt 4.4).
 */
export async function startKubeVirt(
  cluster: Cluster,
  { definitions, rights, webhooks }: KubeVirtPreparation,
  otherKinds: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const client = cluster.client('admin');
  const { supervisor } = cluster;
  const space: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await Promise.all([
    defineKinds(client, definitions, signal),
    createAll(client, [space], signal).then(() =>
      createAll(client, [...rights, ...bundles(cluster.keys.caPem)], signal),
    ),
    otherKinds,
  ]);
  await createConfiguration(client, signal);
  await Promise.all([
    supervisor.start(apiSpec(cluster), signal).then(() => createAll(client, webhooks, signal)),
    supervisor.start(controllerSpec(cluster), signal),
  ]);
}

/** Certificates that the operator would have made; the programs wait for the first of them (fact: testbed 7.4). */
function bundles(caPem: string): readonly KubeObject[] {
  return ['kubevirt-ca', 'kubevirt-export-ca', 'kubevirt-backup-ca'].map(
    (name): KubeObject & { readonly data: Readonly<Record<string, string>> } => ({
      apiVersion: 'v1',
      kind: configMaps.kind,
      metadata: { name, namespace },
      data: { 'ca-bundle': caPem },
    }),
  );
}

/** It counts for nothing before it has a phase (fact: kubevirt 4.4). */
async function createConfiguration(client: KubeClient, signal: AbortSignal): Promise<void> {
  const configuration: KubeObject & { readonly spec: object } = {
    apiVersion: 'kubevirt.io/v1',
    kind: 'KubeVirt',
    metadata: { name: 'kubevirt', namespace },
    spec: {
      configuration: {
        // No pod asks for a device of a hypervisor.
        developerConfiguration: { useEmulation: true },
        // Its sidecar would have a log to follow that nobody writes.
        virtualMachineOptions: { disableSerialConsoleLog: {} },
      },
    },
  };
  const kind: ResourceKind = kindOf(configuration);
  await client.create(kind, configuration, {}, signal);
  const status = { phase: 'Deployed', defaultArchitecture: 'amd64' };
  const at = { namespace, name: configuration.metadata.name };
  await client.mergePatch(kind, at, { status }, { subresource: 'status' }, signal);
}

interface WebhookConfiguration extends KubeObject {
  readonly webhooks: readonly {
    readonly rules: readonly { readonly resources: readonly string[] }[];
  }[];
}

/** Those that judge pods concern evictions and migrations between nodes, and would stand in the way of every pod when virt-api is away. */
function withoutPodWebhooks(configuration: WebhookConfiguration): WebhookConfiguration {
  return {
    ...configuration,
    webhooks: configuration.webhooks.filter(({ rules }) =>
      rules.every(({ resources }) => resources.every((resource) => !resource.startsWith('pods'))),
    ),
  };
}

/** Half of two megabytes is prose, which an API server reads and keeps several times over; its absence changes no verdict. */
function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(
    ([name, member]) => name !== 'description' || typeof member !== 'string',
  );
  return Object.fromEntries(members.map(([name, member]) => [name, withoutDescriptions(member)]));
}
