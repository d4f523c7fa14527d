import { customResourceDefinitions } from '../../../src/api/kinds.ts';
import type { KubeObject } from '../../../src/api/meta.ts';
import type { CustomResourceDefinition } from '../../../src/api/external/core.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { kindOf } from './kinds.ts';
import { TestbedError } from './testbed-error.ts';

/** Creates all of them, at once; those that are there already stay as they are. Rejects as the client does. */
export async function createAll(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    objects.map(async (object) => {
      try {
        await client.create(kindOf(object), object, {}, signal);
      } catch (error) {
        if (!isKubeError(error, 'AlreadyExists')) throw error;
      }
    }),
  );
}

/** Creates the definitions and resolves when their objects can be created. */
export async function defineKinds(
  client: KubeClient,
  definitions: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  await createAll(client, definitions, signal);
  const awaited = new Set(definitions.map(({ metadata }) => metadata.name));
  const see = (definition: CustomResourceDefinition): void => {
    if (isEstablished(definition)) awaited.delete(definition.metadata.name);
  };
  const { items, resourceVersion } = await client.list(customResourceDefinitions, {}, signal);
  items.forEach(see);
  if (awaited.size === 0) return;
  for await (const event of client.watch(customResourceDefinitions, { resourceVersion }, signal)) {
    if (event.type !== 'BOOKMARK') see(event.object);
    if (awaited.size === 0) return;
  }
  throw new TestbedError('NotEstablished', `the API server does not serve: ${[...awaited].join(', ')}`);
}

function isEstablished({ status }: CustomResourceDefinition): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') ?? false;
}
