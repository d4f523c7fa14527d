import { forkliftGroup, migrations as migrationKind } from '../../api/kinds.ts';
import type { Stored } from '../../api/meta.ts';
import type { Migration } from '../../api/migration.ts';
import type { Plan } from '../../api/plan.ts';
import type { ObjectCache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';

/** A Migration goes with its Plan; clients find the Plan as its first owner (review.md F60). */
export async function ownedByPlan(
  migration: Stored<Migration>,
  plan: Stored<Plan>,
  {
    client,
    migrations,
  }: { readonly client: KubeClient; readonly migrations: ObjectCache<Migration, 'plan'> },
  signal: AbortSignal,
): Promise<void> {
  const owners = migration.metadata.ownerReferences ?? [];
  // An owner in another namespace would count as gone, and take the Migration with it (review.md F16).
  const isElsewhere = plan.metadata.namespace !== migration.metadata.namespace;
  if (isElsewhere || owners.some((owner) => owner.uid === plan.metadata.uid)) return;
  const owner = {
    apiVersion: `${forkliftGroup}/v1beta1`,
    kind: 'Plan',
    name: plan.metadata.name,
    uid: plan.metadata.uid,
  };
  const { resourceVersion } = migration.metadata;
  const body = { metadata: { resourceVersion, ownerReferences: [owner, ...owners] } };
  migrations.put(await client.mergePatch(migrationKind, migration.metadata, body, {}, signal));
}
