import type { Testbed, TestbedUser } from '../../hack/testbed/control/testbed.ts';
import type { KubeObject, ResourceKind, Stored } from '../../src/api/meta.ts';
import { loadKubeConfig } from '../../src/kube/auth.ts';
import type { KubeClient, ObjectKey } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { createUndiciTransport } from '../../src/kube/undici-transport.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { ownTestbed } from '../support/own-testbed.ts';

/** The cluster of the testbed that this process runs in, as one of its users. */
export interface RealCluster extends AsyncDisposable {
  readonly testbed: Testbed;
  readonly transport: Transport;
  readonly client: KubeClient;
}

export async function openRealCluster(user: TestbedUser = 'admin'): Promise<RealCluster> {
  const clock = new SystemClock();
  const testbed = await ownTestbed();
  const access = await loadKubeConfig({ path: testbed.kubeconfig(user), clock });
  const transport = createUndiciTransport({ ...access, clock });
  return {
    testbed,
    transport,
    client: createKubeClient(transport, { clock, random: seededRandom(1) }),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

/**
 * What `accept` makes of the object (undefined: there is none), as soon as it makes anything of it. Throws after `withinMs` milliseconds,
 * with what was seen last.
 */
export async function whenObject<T extends KubeObject, R>(
  client: KubeClient,
  kind: ResourceKind<T>,
  at: ObjectKey,
  accept: (object: Stored<T> | undefined) => R | undefined | false,
  withinMs = 60_000,
): Promise<R> {
  const signal = AbortSignal.timeout(withinMs);
  const only = {
    fieldSelector: `metadata.name=${at.name}`,
    ...(at.namespace !== undefined && { namespace: at.namespace }),
  };
  let last: Stored<T> | undefined;
  const look = (object: Stored<T> | undefined): R | undefined => {
    last = object;
    const made = accept(object);
    return made === false ? undefined : made;
  };
  try {
    for (;;) {
      const { items, resourceVersion } = await client.list(kind, only, signal);
      const found = look(items[0]);
      if (found !== undefined) return found;
      for await (const event of client.watch(kind, { ...only, resourceVersion }, signal)) {
        if (event.type === 'BOOKMARK') continue;
        const next = look(event.type === 'DELETED' ? undefined : event.object);
        if (next !== undefined) return next;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    const seen =
      JSON.stringify(last?.metadata) + JSON.stringify((last as { status?: unknown } | undefined)?.status);
    throw new Error(`not within ${withinMs} ms: ${kind.kind} ${at.name}; last seen: ${seen}`, {
      cause: error,
    });
  }
}
