import { namespaces } from '../../../src/api/kinds.ts';
import type { Namespace } from '../../../src/api/external/core.ts';
import type { Stored } from '../../../src/api/meta.ts';
import type { KubeClient } from '../../../src/kube/client.ts';

/** In front of the names of namespaces that a test's world makes; what stands under them after a run was left behind. */
export const worldPrefixes = { plan: 'moves-', target: 'migrated-' } as const;

/** The namespace controller begins five seconds after the delete, and then waits for what KubeVirt and CDI have to end. */
const patienceMs = 60_000;

/** Namespaces of worlds that do not go, each with what it waits for in its own words. */
export async function leftBehind(client: KubeClient, signal: AbortSignal): Promise<readonly string[]> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const left = new Map<string, Stored<Namespace>>();
  try {
    const { items, resourceVersion } = await client.list(namespaces, {}, signal);
    for (const item of items.filter(isOfWorld)) left.set(item.metadata.name, item);
    if (left.size === 0) return [];
    for await (const event of client.watch(namespaces, { resourceVersion }, end)) {
      if (event.type === 'BOOKMARK' || !isOfWorld(event.object)) continue;
      if (event.type === 'DELETED') left.delete(event.object.metadata.name);
      else left.set(event.object.metadata.name, event.object);
      if (left.size === 0) return [];
    }
  } catch (error) {
    if (signal.aborted || !end.aborted) throw error;
  }
  return [...left.values()].map(({ metadata, status }) => {
    const said = ((status as NamespaceStatus | undefined)?.conditions ?? [])
      .filter((one) => one.status === 'True')
      .map((one) => one.message);
    return [metadata.name, ...said].join(': ');
  });
}

/** Some world has made it. */
export function isOfWorld({ metadata }: Stored<Namespace>): boolean {
  return Object.values(worldPrefixes).some((prefix) => metadata.name.startsWith(prefix));
}

/** As far as it tells what a namespace waits for. */
interface NamespaceStatus {
  readonly conditions?: readonly { readonly status: string; readonly message?: string }[];
}
