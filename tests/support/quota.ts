import type { KubeObject, ResourceKind } from '../../src/api/meta.ts';
import { resourceQuotas } from '../../src/api/kinds.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { Look } from './world.ts';

export async function makeQuota(
  { client }: Pick<Look, 'client'>,
  namespace: string,
  hard: Readonly<Record<string, string>>,
): Promise<void> {
  const metadata = { name: 'small', namespace };
  await client.create(resourceQuotas, { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } });
}

/** Resolves when this object is refused: a server's admission learns of a quota by a watch of its own, a moment after it was made. */
export async function untilOverQuota<T extends KubeObject>(
  world: Pick<Look, 'client' | 'until'>,
  kind: ResourceKind<T>,
  object: T,
): Promise<void> {
  await world.until('the quota is in force', async () => {
    try {
      await world.client.create(kind, object, { dryRun: true });
      return undefined;
    } catch (error) {
      if (!isKubeError(error, 'Forbidden')) throw error;
      // Before a controller has counted what there is, its status is unknown.
      return error.detail.includes('exceeded quota') ? true : undefined;
    }
  });
}
