import { expect, test } from '@jest/globals';
import { ObjectCache } from '../../src/kube/cache.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import type { SightObserver } from '../../src/kube/sight.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { ApiRequest } from '../../src/kube/transport.ts';
import { TransportError } from '../../src/kube/transport.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import type { Widget } from './fake-api.ts';
import { FakeApi, statusBody, widget, widgets } from './fake-api.ts';

function setUp(more: { readonly mayBeAbsent?: boolean; readonly sight?: SightObserver } = {}) {
  const clock = new SimulatedClock({ start: 0 });
  const api = new FakeApi();
  const logger = new RecordingLogger();
  const random = (): number => 0.5;
  const cache = new ObjectCache<Widget>({ logger, freeze: true });
  const reflector = new Reflector<Widget>({
    client: createKubeClient(api, { clock, random }),
    kind: widgets,
    selection: { namespace: 'ns', labelSelector: 'ours' },
    ...more,
    sink: cache,
    clock,
    random,
    logger,
  });
  const abort = new AbortController();
  let over: Promise<void> | undefined;
  const start = (): void => void (over = reflector.run(abort.signal));
  const names = (): readonly string[] => cache.list().map((object) => object.metadata.name);
  const stop = async (): Promise<void> => {
    abort.abort(new Error('stop'));
    await over;
    expect(api.watchCount).toBe(0);
  };
  const count = (matches: (request: ApiRequest) => boolean): number => api.requests.filter(matches).length;
  return { start, clock, api, cache, reflector, names, stop, count, logger };
}
const isWatch = (request: ApiRequest): boolean => request.query?.['watch'] === '1';
const isList = (request: ApiRequest): boolean => request.method === 'GET' && !isWatch(request);
const ours = (name: string) => widget(name, { metadata: { name, namespace: 'ns', labels: { ours: '' } } });

test('lists once, then follows, with the same selection for both', async () => {
  const { start, api, clock, reflector, names, stop } = setUp();
  api.put(ours('a'));
  api.put(widget('foreign'));
  start();
  await clock.advance(1);
  await reflector.synced;
  expect(names()).toEqual(['a']);
  api.put(ours('b'));
  api.remove('a');
  await clock.advance(1);
  expect(names()).toEqual(['b']);
  expect(api.requests.map((request) => request.query?.['labelSelector'])).toEqual(['ours', 'ours']);
  expect(api.requests[1]?.query?.['timeoutSeconds']).toBe('450');
  await stop();
});

test('a watch that the server ends is resumed from the last version, a bookmark included, without a list', async () => {
  const { start, api, clock, names, stop, count } = setUp();
  start();
  await clock.advance(1);
  api.put(ours('a'));
  api.version = 500;
  api.bookmark();
  await clock.advance(60_000);
  api.endWatches();
  await clock.advance(1);
  expect(api.requests.at(-1)?.query?.['resourceVersion']).toBe('500');
  api.put(ours('b'));
  await clock.advance(1);
  expect(names()).toEqual(['a', 'b']);
  expect(count(isList)).toBe(1);
  await stop();
});

test('an expired version leads to a new list at once, as status and as event alike', async () => {
  const { start, api, clock, names, stop, count } = setUp();
  start();
  await clock.advance(1);
  api.put(ours('a'));
  await clock.advance(60_000);
  api.remove('a');
  api.put(ours('b'));
  api.endWatches({ kind: 'Status', code: 410, reason: 'Expired' });
  await clock.advance(1);
  expect(names()).toEqual(['b']);
  expect(count(isList)).toBe(2);
  api.version += 10;
  api.compacted = api.version;
  await clock.advance(60_000);
  api.endWatches();
  await clock.advance(1);
  expect(count(isList)).toBe(3);
  await stop();
});

test('a lost connection is resumed after a wait, and no event between is missed', async () => {
  const { start, api, clock, names, stop, count } = setUp();
  start();
  await clock.advance(10_000);
  api.endWatches(new TransportError('ConnectionLost', 'reset'));
  api.put(ours('a'));
  await clock.advance(1);
  expect(names()).toEqual([]);
  await clock.advance(1000);
  expect(names()).toEqual(['a']);
  expect(count(isList)).toBe(1);
  await stop();
});

test('a connection that breaks again and again, but brings events, is resumed quickly and never relisted', async () => {
  const { start, api, clock, names, stop, count } = setUp();
  start();
  await clock.advance(1);
  for (let i = 0; i < 20; i += 1) {
    api.put(ours(`w${i}`));
    await clock.advance(500);
    api.endWatches(new TransportError('ConnectionLost', 'reset'));
    await clock.advance(500);
    expect(api.watchCount).toBe(1);
  }
  expect(names()).toHaveLength(20);
  expect(count(isList)).toBe(1);
  await stop();
});

test('waits grow to 30 seconds while a server is down, and it is found again when it is back', async () => {
  const { start, api, clock, reflector, names, stop, count } = setUp();
  for (let i = 0; i < 1000; i += 1) api.failNext(statusBody(500, 'InternalError', 'etcd is away'));
  start();
  let isSynced = false;
  void reflector.synced.then(() => (isSynced = true));
  await clock.advance(600_000);
  const tries = count(() => true);
  expect(isSynced).toBe(false);
  // Half of the ceilings 0.8, 1.6, ... 30 s: about 40 tries of 15 s, and a few quick ones before.
  expect(tries).toBeGreaterThan(35);
  expect(tries).toBeLessThan(60);
  api.put(ours('a'));
  for (let i = tries; i < 1000; i += 1)
    api.request({ method: 'GET', path: '/version' }).catch(() => undefined);
  await clock.advance(30_000);
  expect(names()).toEqual(['a']);
  await stop();
});

test('a watch that is refused again and again is not believed in: the third failure lists', async () => {
  const { start, api, clock, stop, count } = setUp();
  start();
  await clock.advance(10_000);
  for (let i = 0; i < 3; i += 1) api.failNext(statusBody(500, 'InternalError', 'too large'), isWatch);
  api.endWatches();
  await clock.advance(60_000);
  expect(count(isList)).toBe(2);
  expect(api.watchCount).toBe(1);
  await stop();
});

test('a server that ends every watch at once is not hammered', async () => {
  const { start, api, clock, stop, count } = setUp();
  start();
  for (let i = 0; i < 600; i += 1) {
    await clock.advance(100);
    api.endWatches();
  }
  expect(count(() => true)).toBeLessThan(15);
  await stop();
});

test('a silent watch is taken for dead after two and a half minutes, and bookmarks keep it alive', async () => {
  const { start, api, clock, stop, count } = setUp();
  start();
  for (let i = 0; i < 10; i += 1) {
    await clock.advance(60_000);
    api.bookmark();
  }
  expect(count(isWatch)).toBe(1);
  await clock.advance(149_000);
  expect(count(isWatch)).toBe(1);
  await clock.advance(2000);
  expect(count(isWatch)).toBe(2);
  expect(api.watchCount).toBe(1);
  await stop();
});

test('a kind that the server does not serve has no objects, until an add-on brings it', async () => {
  const { start, api, clock, reflector, names, stop, count, logger } = setUp({ mayBeAbsent: true });
  const absent = statusBody(404, 'NotFound', 'the server could not find the requested resource');
  for (let i = 0; i < 3; i += 1) api.failNext(absent);
  start();
  await clock.advance(1);
  await reflector.synced;
  expect(names()).toEqual([]);
  await clock.advance(65_000);
  expect(count(() => true)).toBe(3);
  expect(logger.lines.map(({ level }) => level)).toEqual(['info']);
  api.put(ours('a'));
  await clock.advance(30_000);
  expect(names()).toEqual(['a']);
  // The add-on is taken away again.
  for (let i = 0; i < 2; i += 1) api.failNext(absent);
  api.endWatches();
  await clock.advance(1);
  expect(names()).toEqual([]);
  await clock.advance(90_000);
  expect(names()).toEqual(['a']);
  await stop();
});

test('a kind that must be there is not taken for absent', async () => {
  const { start, api, clock, reflector, stop, logger } = setUp();
  api.failNext(statusBody(404, 'NotFound', 'the server could not find the requested resource'));
  start();
  let isSynced = false;
  void reflector.synced.then(() => (isSynced = true));
  await clock.advance(1);
  expect(isSynced).toBe(false);
  expect(logger.lines.map(({ level }) => level)).toEqual(['warn']);
  await stop();
});

function recordedSight(): { readonly sight: SightObserver; readonly told: readonly string[] } {
  const told: string[] = [];
  return {
    told,
    sight: { lost: () => void told.push('lost'), regained: () => void told.push('regained') },
  };
}

test('the view is lost when one failure follows the other, and is back with the next list', async () => {
  const { sight, told } = recordedSight();
  const { start, api, clock, stop } = setUp({ sight });
  start();
  await clock.advance(60_000);
  let isDown = true;
  const cut = new TransportError('ConnectionLost', 'reset');
  for (let times = 0; times < 100; times += 1) api.failNext(cut, () => isDown);
  api.endWatches();
  await clock.advance(60_000);
  expect([...new Set(told)]).toEqual(['regained', 'lost']);
  expect(told.at(-1)).toBe('lost');
  isDown = false;
  await clock.advance(60_000);
  expect(told.at(-1)).toBe('regained');
  await stop();
});

test('a single connection that breaks hides nothing', async () => {
  const { sight, told } = recordedSight();
  const { start, api, clock, stop } = setUp({ sight });
  start();
  await clock.advance(60_000);
  api.endWatches(new TransportError('ConnectionLost', 'reset'));
  await clock.advance(120_000);
  expect(told).toEqual(['regained']);
  await stop();
});
