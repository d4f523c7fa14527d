import { isOfWorld } from '../../hack/testbed/suite/world-namespaces.ts';
import {
  dataVolumes,
  events,
  namespaces,
  ownKinds,
  persistentVolumeClaims,
  pods,
  secrets,
  storageClasses,
  storageProfiles,
  virtualMachineImports,
  virtualMachines,
} from '../../src/api/kinds.ts';
import type { Namespace, StorageClass } from '../../src/api/external/core.ts';
import type { ResourceKind, Stored } from '../../src/api/meta.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { Names } from './objects.ts';
import type { SecretsScan } from './secrets-scan.ts';

/** Where something that was said or stored could show a password. */
const readable: readonly ResourceKind[] = [
  events,
  ...ownKinds,
  dataVolumes,
  persistentVolumeClaims,
  pods,
  virtualMachines,
];

/** Looks at all that stands in the namespaces of a world, before it is cleared away. */
export async function scanObjects(client: KubeClient, names: Names, scan: SecretsScan): Promise<void> {
  for (const namespace of [names.planNamespace, names.targetNamespace]) {
    const lists = await Promise.all(readable.map((kind) => client.list(kind, { namespace })));
    for (const [index, kind] of readable.entries()) scan.look(kind, lists[index]?.items ?? []);
  }
}

export interface Clients {
  readonly admin: KubeClient;
  /** Nobody else may change imports, the administrator neither. */
  readonly gantry: KubeClient;
}

/**
 * Takes away what a world leaves on a cluster that others use after it. What the next world's controller could mistake for its own is gone
 * when this resolves; namespaces with what CDI and KubeVirt still have to end go by themselves.
 */
export async function clearAway(
  clients: Clients,
  names: Names,
  classes: readonly Stored<StorageClass>[],
): Promise<void> {
  const { planNamespace, targetNamespace } = names;
  await clearNamespaces(clients, ({ metadata: { name } }) =>
    [planNamespace, targetNamespace].some((prefix) => name.startsWith(prefix)),
  );
  await restoreClasses(clients.admin, classes);
}

/** The same for worlds whose process was killed: two worlds are never there at once. */
export async function clearLeftovers(clients: Clients): Promise<void> {
  await clearNamespaces(clients, isOfWorld);
}

async function clearNamespaces(
  clients: Clients,
  isMeant: (namespace: Stored<Namespace>) => boolean,
): Promise<void> {
  const { admin } = clients;
  const { items } = await admin.list(namespaces);
  for (const { metadata } of items.filter(isMeant)) {
    const { name } = metadata;
    for (const kind of [...ownKinds, secrets]) await removeAll(clients, kind, name);
    for (const kind of [virtualMachines, dataVolumes, pods]) await deleteAll(admin, kind, name);
    await admin.delete(namespaces, { name });
  }
}

/** With their finalizers: whoever set them is dead. Once they are being deleted nobody can set them again. */
async function removeAll({ admin, gantry }: Clients, kind: ResourceKind, namespace: string): Promise<void> {
  const client = kind === virtualMachineImports ? gantry : admin;
  const { items } = await admin.list(kind, { namespace });
  for (const { metadata } of items) {
    const at = { namespace, name: metadata.name };
    await client.delete(kind, at);
    try {
      await client.mergePatch(kind, at, { metadata: { finalizers: null } });
    } catch (error) {
      // Without finalizers it was gone at once.
      if (!isKubeError(error, 'NotFound')) throw error;
    }
  }
}

async function deleteAll(client: KubeClient, kind: ResourceKind, namespace: string): Promise<void> {
  const { items } = await client.list(kind, { namespace });
  for (const { metadata } of items) await client.delete(kind, { namespace, name: metadata.name });
}

/** Storage classes belong to the cluster, and tests take them away and add their own. */
async function restoreClasses(client: KubeClient, before: readonly Stored<StorageClass>[]): Promise<void> {
  const { items: now } = await client.list(storageClasses);
  for (const { metadata } of now) {
    if (before.some((one) => one.metadata.name === metadata.name)) continue;
    await client.delete(storageClasses, { name: metadata.name });
    await client.delete(storageProfiles, { name: metadata.name });
  }
  for (const { metadata, ...rest } of before) {
    if (now.some((one) => one.metadata.name === metadata.name)) continue;
    const { name, annotations } = metadata;
    await client.create(storageClasses, {
      ...rest,
      metadata: { name, ...(annotations !== undefined && { annotations }) },
    });
  }
}
