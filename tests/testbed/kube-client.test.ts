import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ConfigMap } from '../../src/api/external/core.ts';
import { configMaps, namespaces, plans } from '../../src/api/kinds.ts';
import { ObjectCache } from '../../src/kube/cache.ts';
import type { KubeClient, ListOptions } from '../../src/kube/client.ts';
import { isKubeError, type KubeErrorCode } from '../../src/kube/errors.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { ApiRequest, Transport } from '../../src/kube/transport.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import type { Plan } from '../../src/api/plan.ts';
import { planSpec } from '../differential/api/stories/objects.ts';
import { compactEtcd } from './etcd.ts';
import { openRealCluster } from './real-cluster.ts';
import { RealNamespace } from './real-namespace.ts';

const namespace = 'kube-client-test';
const clock = new SystemClock();
const many = 700;

let own: RealNamespace;
let client: KubeClient;
beforeAll(async () => {
  own = await RealNamespace.open(namespace);
  client = own.client;
});
afterAll(async () => {
  await own[Symbol.asyncDispose]();
});

const configMap = (name: string, labels: Readonly<Record<string, string>>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels },
  data: { text: 'x'.repeat(500) },
});
const plan = (name: string, labels: Readonly<Record<string, string>>): Plan =>
  ({
    apiVersion: 'forklift.konveyor.io/v1beta1',
    kind: 'Plan',
    metadata: { name, namespace, labels },
    spec: planSpec,
  }) as unknown as Plan;
const all: ListOptions = { namespace, labelSelector: 'many=yes' };

/** The same way to the server, with something done to each request on its way. */
function through(transport: Transport, onRequest: (request: ApiRequest) => Promise<ApiRequest>): Transport {
  return {
    request: async (request, signal) => transport.request(await onRequest(request), signal),
    stream: async (request, signal) => transport.stream(await onRequest(request), signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
const clientOver = (transport: Transport): KubeClient =>
  createKubeClient(transport, { clock, random: seededRandom(2) });

describe('the client against a real API server', () => {
  test('reads a list of many pages, of several hundred kilobytes', async () => {
    const names = Array.from({ length: many }, (_, index) => `many-${String(index).padStart(4, '0')}`);
    await Promise.all(names.map((name) => client.create(configMaps, configMap(name, { many: 'yes' }))));
    const { items } = await client.list(configMaps, all);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(names);
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  });

  test('reads it whole although etcd is compacted between two pages', async () => {
    let pages = 0;
    const compacting = through(own.cluster.transport, async (request) => {
      pages += 1;
      if (pages === 2) {
        await client.create(configMaps, configMap('between', { many: 'no' }));
        await compactEtcd();
      }
      return request;
    });
    const { items } = await clientOver(compacting).list(configMaps, all);
    expect(items).toHaveLength(many);
    expect(pages).toBeGreaterThan(1);
  });

  test('is told by Gone that a version is too old to watch from', async () => {
    // Of custom kinds a server keeps no events from before it served them; kinds of its own it follows from the very start.
    const watching = client.watch(plans, { namespace, resourceVersion: '1' }, AbortSignal.timeout(60_000));
    const reading = (async (): Promise<void> => {
      for await (const event of watching) throw new Error(`it came as an event: ${JSON.stringify(event)}`);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'Gone', status: 410 });
  });

  test('hears before the end of a watch how far the server is, past what is not in the selection', async () => {
    const { resourceVersion } = await client.list(plans, { namespace });
    await client.create(plans, plan('selected', { in: 'yes' }));
    const options = { namespace, labelSelector: 'in=yes', resourceVersion, timeoutSeconds: 5 };
    let elsewhere: string | undefined;
    const marks: number[] = [];
    for await (const event of client.watch(plans, options, AbortSignal.timeout(60_000))) {
      if (event.type === 'BOOKMARK') marks.push(Number(event.resourceVersion));
      // A server marks only what happens while the watch is open; that it is, its first event says.
      else if (elsewhere === undefined)
        elsewhere = (await client.create(plans, plan('elsewhere', { in: 'no' }))).metadata.resourceVersion;
    }
    expect(marks.at(-1)).toBeGreaterThanOrEqual(Number(elsewhere));
  });
});

describe('a reflector against a real API server', () => {
  /** Resolves when the cache holds it. Throws after 20 s. */
  async function until(
    cache: ObjectCache<Plan>,
    holds: (names: readonly string[]) => boolean,
  ): Promise<void> {
    const end = AbortSignal.timeout(60_000);
    while (!holds(cache.list().map(({ metadata }) => metadata.name))) await clock.sleep(20, end);
  }

  test('lists again when its version has expired, and follows from there', async () => {
    let watches = 0;
    const old = through(own.cluster.transport, (request) => {
      if (request.query?.['watch'] !== '1' || (watches += 1) > 1) return Promise.resolve(request);
      return Promise.resolve({ ...request, query: { ...request.query, resourceVersion: '1' } });
    });
    const logger = new RecordingLogger();
    const cache = new ObjectCache<Plan>({ logger, freeze: true });
    const reflector = new Reflector<Plan>({
      client: clientOver(old),
      kind: plans,
      selection: { namespace, labelSelector: 'followed=yes' },
      sink: cache,
      clock,
      random: seededRandom(3),
      logger,
    });
    const stop = new AbortController();
    const over = reflector.run(stop.signal);
    await client.create(plans, plan('followed', { followed: 'yes' }));
    await until(cache, (names) => names.includes('followed'));
    const at = { namespace, name: 'followed' };
    await client.mergePatch(plans, at, { metadata: { labels: { followed: null } } });
    await until(cache, (names) => names.length === 0);
    expect(watches).toBeGreaterThan(1);
    stop.abort(new Error('the test is over'));
    await over;
  });
});

describe('refusals of a real API server', () => {
  const at = { namespace, name: 'refused' };
  const codeOf = (asked: Promise<unknown>): Promise<KubeErrorCode | 'accepted'> =>
    asked.then(
      () => 'accepted',
      (error: unknown) => {
        if (!isKubeError(error)) throw error;
        return error.code;
      },
    );

  test('have the codes by which the controller tells them apart', async () => {
    const made = await client.create(configMaps, configMap('refused', {}));
    const uid = '00000000-0000-4000-8000-000000000000';
    await using gantry = await openRealCluster('gantry');
    expect({
      taken: await codeOf(client.create(configMaps, configMap('refused', {}))),
      stale: await codeOf(client.mergePatch(configMaps, at, { metadata: { resourceVersion: '1' } })),
      anotherUid: await codeOf(client.delete(configMaps, at, { uid })),
      failedTest: await codeOf(
        client.jsonPatch(configMaps, at, [{ op: 'test', path: '/metadata/uid', value: uid }]),
      ),
      badName: await codeOf(client.create(configMaps, configMap('Upper', {}))),
      nowhere: await codeOf(
        client.create(configMaps, { ...made, metadata: { name: 'x', namespace: 'nowhere' } }),
      ),
      notAllowed: await codeOf(gantry.client.delete(namespaces, { name: namespace })),
      badSelector: await codeOf(client.list(configMaps, { namespace, labelSelector: 'a in b' })),
      absent: (await client.get(configMaps, { namespace, name: 'absent' })) ?? 'absent',
      gone: await client.delete(configMaps, { namespace, name: 'absent' }),
    }).toEqual({
      taken: 'AlreadyExists',
      stale: 'Conflict',
      anotherUid: 'Conflict',
      failedTest: 'Invalid',
      badName: 'Invalid',
      nowhere: 'NotFound',
      notAllowed: 'Forbidden',
      badSelector: 'BadRequest',
      absent: 'absent',
      gone: false,
    });
  });
});
