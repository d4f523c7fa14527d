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
  virtualMachines,
} from '../../src/api/kinds.ts';
import type { StorageClass } from '../../src/api/external/core.ts';
import type { ResourceKind, Stored } from '../../src/api/meta.ts';
import type { KubeClient } from '../../src/kube/client.ts';
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

/**
 * Takes away what a world leaves on a cluster that others use after it. What the next world's controller could mistake for its own is gone
 * when this resolves; namespaces with what CDI and KubeVirt still have to end go by themselves.
 */
export async function clearAway(
  client: KubeClient,
  names: Names,
  classes: readonly Stored<StorageClass>[],
): Promise<void> {
  const { planNamespace, targetNamespace } = names;
  for (const kind of [...ownKinds, secrets]) await removeAll(client, kind, planNamespace);
  for (const kind of [virtualMachines, dataVolumes, pods, secrets])
    await deleteAll(client, kind, targetNamespace);
  const { items } = await client.list(namespaces);
  const ours = items.filter(({ metadata: { name } }) =>
    [planNamespace, targetNamespace].some((prefix) => name.startsWith(prefix)),
  );
  for (const { metadata } of ours) await client.delete(namespaces, { name: metadata.name });
  await restoreClasses(client, classes);
}

/** With their finalizers: whoever set them is dead. */
async function removeAll(client: KubeClient, kind: ResourceKind, namespace: string): Promise<void> {
  const { items } = await client.list(kind, { namespace });
  for (const { metadata } of items) {
    const at = { namespace, name: metadata.name };
    if ((metadata.finalizers ?? []).length > 0)
      await client.mergePatch(kind, at, { metadata: { finalizers: null } }).catch(() => undefined);
    await client.delete(kind, at);
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
