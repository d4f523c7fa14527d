import { describe, expect, test } from '@jest/globals';
import type { KubeObject, ResourceKind } from '../../src/api/meta.ts';
import type { RequestObservation } from '../../src/kube/request-sender.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { ApiRequest } from '../../src/kube/transport.ts';
import { TransportError } from '../../src/kube/transport.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import { FakeApi, statusBody, widget, widgets } from './fake-api.ts';

const nodes: ResourceKind = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  hasStatus: true,
};
const at = { namespace: 'ns', name: 'a' };

function setUp() {
  const clock = new SimulatedClock({ start: 0 });
  const api = new FakeApi();
  const observed: RequestObservation[] = [];
  const onRequest = (one: RequestObservation): void => void observed.push(one);
  const client = createKubeClient(api, { clock, random: () => 0.5, onRequest });
  return { clock, api, client, observed };
}
const isGet = (request: ApiRequest): boolean => request.method === 'GET';

describe('paths', () => {
  test('core and named groups, namespaced and cluster-scoped, status and escaping', async () => {
    const { client, api } = setUp();
    await client.get(nodes, { name: 'node/1' });
    await client.get(widgets, at);
    await client.list(nodes).catch(() => undefined);
    await client.mergePatch(widgets, at, {}, { subresource: 'status' }).catch(() => undefined);
    expect(api.requests.map((request) => request.path)).toEqual([
      '/api/v1/nodes/node%2F1',
      '/apis/example.org/v1/namespaces/ns/widgets/a',
      '/api/v1/nodes',
      '/apis/example.org/v1/namespaces/ns/widgets/a/status',
    ]);
  });

  test('a missing name or namespace is refused before anything is sent: it would mean the whole collection', async () => {
    const { client, api } = setUp();
    await expect(client.delete(widgets, { namespace: 'ns', name: '' })).rejects.toThrow('the name is empty');
    await expect(client.delete(widgets, { name: 'a' })).rejects.toThrow('a namespace is needed');
    await expect(client.get(nodes, at)).rejects.toThrow('no namespace allowed');
    const homeless: KubeObject = { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'a' } };
    await expect(client.create(widgets, homeless)).rejects.toThrow('a namespace is needed');
    expect(api.requests).toEqual([]);
  });
});

describe('reading', () => {
  test('an object that is not there is undefined', async () => {
    const { client } = setUp();
    expect(await client.get(widgets, at)).toBeUndefined();
  });

  test('a list comes page by page, with apiVersion and kind on each item', async () => {
    const { client, api } = setUp();
    for (let i = 0; i < 1200; i += 1) api.put(widget(`w${i}`));
    const list = await client.list(widgets, { namespace: 'ns' });
    expect(list.items).toHaveLength(1200);
    expect(list.items[1199]).toMatchObject({ apiVersion: 'example.org/v1', kind: 'Widget' });
    expect(list.resourceVersion).toBe('1300');
    expect(api.requests.map((request) => request.query?.['limit'])).toEqual(['500', '500', '500']);
  });

  test('a list whose continuation expires starts anew, and asks for everything at once in the end', async () => {
    const { client, api } = setUp();
    for (let i = 0; i < 600; i += 1) api.put(widget(`w${i}`));
    const expired = statusBody(410, 'Expired', 'the continue token expired');
    const isSecondPage = (request: ApiRequest): boolean => request.query?.['continue'] !== undefined;
    api.failNext(expired, isSecondPage);
    api.failNext(expired, isSecondPage);
    const list = await client.list(widgets, { namespace: 'ns' });
    expect(list.items).toHaveLength(600);
    expect(api.requests.map((request) => request.query?.['limit'])).toEqual([
      '500',
      '500',
      '500',
      '500',
      undefined,
    ]);
  });

  test('a pod answers in its own words, and the API server in errors', async () => {
    const { client, api } = setUp();
    api.failNext([503, 'busy converting']);
    api.failNext([200, { progress: 7 }]);
    api.failNext(statusBody(404, 'NotFound', 'pods "a" not found'));
    expect(await client.podProxy(at, 8080, '/vm', 'GET')).toEqual({ status: 503, body: 'busy converting' });
    expect(await client.podProxy(at, 8080, '/vm', 'GET')).toEqual({ status: 200, body: '{"progress":7}' });
    await expect(client.podProxy(at, 8080, '/vm', 'GET')).rejects.toMatchObject({ code: 'NotFound' });
    expect(api.requests[0]?.path).toBe('/api/v1/namespaces/ns/pods/a:8080/proxy/vm');
  });

  test('the server says its version', async () => {
    const { client } = setUp();
    expect(await client.version()).toEqual({ gitVersion: 'v1.35.0' });
  });
});

describe('writing', () => {
  test('a second create is told apart from a conflict', async () => {
    const { client } = setUp();
    await client.create(widgets, widget('a'));
    const again = client.create(widgets, widget('a'));
    await expect(again).rejects.toMatchObject({ code: 'AlreadyExists', status: 409 });
    await expect(again).rejects.toThrow(/^create widgets\.example\.org ns\/a: /);
  });

  test('a dry run stores nothing', async () => {
    const { client } = setUp();
    await client.create(widgets, widget('a'), { dryRun: true });
    expect(await client.get(widgets, at)).toBeUndefined();
  });

  test('a merge patch with a stale version is a conflict', async () => {
    const { client, api } = setUp();
    const stored = await client.create(widgets, widget('a'));
    api.put({ ...stored, metadata: { ...stored.metadata, labels: { changed: 'yes' } } });
    const patch = { metadata: { resourceVersion: stored.metadata.resourceVersion }, spec: { x: 1 } };
    await expect(client.mergePatch(widgets, at, patch)).rejects.toMatchObject({ code: 'Conflict' });
  });

  test('a JSON patch whose test fails is Invalid', async () => {
    const { client } = setUp();
    await client.create(widgets, widget('a', { spec: { x: 1 } }));
    const patch = [
      { op: 'test', path: '/spec/x', value: 2 },
      { op: 'replace', path: '/spec/x', value: 3 },
    ] as const;
    await expect(client.jsonPatch(widgets, at, patch)).rejects.toMatchObject({
      code: 'Invalid',
      status: 422,
    });
  });

  test('a delete takes only the object that was meant', async () => {
    const { client, api } = setUp();
    const stored = await client.create(widgets, widget('a'));
    await expect(client.delete(widgets, at, { uid: 'another' })).rejects.toMatchObject({ code: 'Conflict' });
    const options = { uid: stored.metadata.uid, propagation: 'Orphan', gracePeriodSeconds: 0 } as const;
    expect(await client.delete(widgets, at, options)).toBe(true);
    expect(api.requests.at(-1)?.body).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: stored.metadata.uid },
      propagationPolicy: 'Orphan',
      gracePeriodSeconds: 0,
    });
    expect(await client.delete(widgets, at)).toBe(false);
  });
});

describe('repeats', () => {
  const slowDown = (seconds: number): readonly [number, unknown, Record<string, string>] => [
    429,
    statusBody(429, 'TooManyRequests', 'slow down')[1],
    { 'retry-after': String(seconds) },
  ];

  test('a write is repeated when the server names a time, and not before it', async () => {
    const { client, api, clock } = setUp();
    api.failNext(slowDown(2));
    api.failNext([503, 'starting', { 'retry-after': '1' }]);
    const created = client.create(widgets, widget('a'));
    await clock.advance(1999);
    expect(api.requests).toHaveLength(1);
    await clock.advance(10_000);
    expect((await created).metadata.name).toBe('a');
    expect(api.requests).toHaveLength(3);
  });

  test('a server that keeps asking to wait is given up after five repeats', async () => {
    const { client, api, clock, observed } = setUp();
    for (let i = 0; i < 10; i += 1) api.failNext(slowDown(1));
    const refused = expect(client.create(widgets, widget('a'))).rejects.toMatchObject({
      code: 'TooManyRequests',
      retryAfterSeconds: 1,
    });
    await clock.advance(60_000);
    await refused;
    expect(observed.map((one) => one.status)).toEqual([429, 429, 429, 429, 429, 429]);
  });

  test('a refusal without a time is not repeated', async () => {
    const { client, api } = setUp();
    api.failNext([503, 'no']);
    await expect(client.get(widgets, at)).rejects.toMatchObject({ code: 'ServerError', detail: 'no' });
    expect(api.requests).toHaveLength(1);
  });

  test('a read without an answer is repeated three times, a write never: it may have had its effect', async () => {
    const { client, api, clock } = setUp();
    for (let i = 0; i < 4; i += 1) api.failNext(new TransportError('ConnectionLost', 'reset'), isGet);
    const lost = expect(client.get(widgets, at)).rejects.toMatchObject({
      code: 'Unreachable',
      status: 0,
      reason: 'ConnectionLost',
    });
    await clock.advance(60_000);
    await lost;
    expect(api.requests).toHaveLength(4);
    api.failNext(new TransportError('Timeout', 'no answer'));
    await expect(client.create(widgets, widget('a'))).rejects.toMatchObject({ code: 'Unreachable' });
    expect(api.requests).toHaveLength(5);
  });

  test('an abort ends the waiting with its reason', async () => {
    const { client, api, clock } = setUp();
    api.failNext(slowDown(20));
    const abort = new AbortController();
    const aborted = expect(client.get(widgets, at, abort.signal)).rejects.toThrow('enough');
    await clock.advance(10);
    abort.abort(new Error('enough'));
    await aborted;
  });
});

describe('watching', () => {
  test('events come from after the version, and leaving the loop ends the connection', async () => {
    const { client, api } = setUp();
    const first = api.put(widget('a'));
    api.put(widget('b'));
    const seen: string[] = [];
    const options = { namespace: 'ns', resourceVersion: first.metadata.resourceVersion, timeoutSeconds: 300 };
    for await (const event of client.watch(widgets, options, new AbortController().signal)) {
      if (event.type === 'BOOKMARK') {
        seen.push(`bookmark ${event.resourceVersion}`);
        break;
      }
      seen.push(`${event.type} ${event.object.metadata.name}`);
      api.bookmark();
    }
    expect(seen).toEqual(['ADDED b', 'bookmark 102']);
    expect(api.watchCount).toBe(0);
    expect(api.requests[0]?.query).toEqual({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '101',
      timeoutSeconds: '300',
    });
  });

  test.each([
    ['an expired version', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }, 'Gone'],
    ['an expired version without a code', { kind: 'Status', reason: 'Expired' }, 'Gone'],
    ['trouble of the server', { kind: 'Status', code: 500, message: 'etcd' }, 'ServerError'],
  ])('an ERROR event for %s is thrown', async (_name, status, code) => {
    const { client, api } = setUp();
    const read = async (): Promise<void> => {
      const watch = client.watch(widgets, { resourceVersion: '100' }, new AbortController().signal);
      for await (const _event of watch) expect(_event).toBeUndefined();
    };
    const reading = expect(read()).rejects.toMatchObject({ code });
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    api.endWatches(status);
    await reading;
  });

  test('a refusal by status is thrown as what it says', async () => {
    const { client, api } = setUp();
    api.compacted = 200;
    const watch = client.watch(widgets, { resourceVersion: '100' }, new AbortController().signal);
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'Gone', status: 410 });
  });
});

test('every request sent is observed once, with verb and kind', async () => {
  const { client, observed } = setUp();
  await client.create(widgets, widget('a'));
  await client.get(widgets, at);
  await client.mergePatch(widgets, at, { spec: { x: 1 } });
  await client.list(widgets);
  await client.delete(widgets, at);
  expect(observed.map((one) => `${one.verb} ${one.resource} ${one.method} ${one.status}`)).toEqual([
    'create widgets.example.org POST 201',
    'get widgets.example.org GET 200',
    'patch widgets.example.org PATCH 200',
    'list widgets.example.org GET 200',
    'delete widgets.example.org DELETE 200',
  ]);
});
