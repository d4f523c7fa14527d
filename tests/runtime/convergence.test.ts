import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ObjectCache } from '../../src/kube/cache.ts';
import { parseKey } from '../../src/kube/object-key.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { ApiRequest } from '../../src/kube/transport.ts';
import { TransportError } from '../../src/kube/transport.ts';
import { Controller } from '../../src/runtime/controller.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { watchCache } from '../../src/runtime/watch-cache.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import type { Widget } from '../kube/fake-api.ts';
import { FakeApi, statusBody, widget, widgets } from '../kube/fake-api.ts';

/** Linear congruential: the same seed, the same run. */
function seeded(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const name = fc.constantFrom('a', 'b', 'c');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('change' as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 5000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      fault: fc.constantFrom('lost', 'refused', 'conflict', 'slow down', 'lost after the effect'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('cut' as const), how: fc.constantFrom('end', 'break', 'expire') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
);

/** A controller that copies spec.wanted to status.seen, deciding from its cache alone. */
function world(seed: number) {
  const clock = new SimulatedClock({ start: 0 });
  const api = new FakeApi();
  const random = seeded(seed);
  const logger = new RecordingLogger();
  const client = createKubeClient(api, { clock, random });
  const cache = new ObjectCache<Widget>({ logger, freeze: true });
  const reflector = new Reflector<Widget>({ client, kind: widgets, sink: cache, clock, random, logger });
  const stale: string[] = [];
  const written = new Map<string, number>();
  const controller = new Controller({
    name: 'copy',
    workers: 2,
    clock,
    logger,
    reconcile: async (key) => {
      const object = cache.getByKey(key);
      if (object === undefined) return {};
      const { uid, resourceVersion } = object.metadata;
      // The promise of write-through: never a decision from a state older than one's own write.
      if (Number(resourceVersion) < (written.get(uid) ?? 0)) stale.push(`${key} ${resourceVersion}`);
      if (object.status?.['seen'] === object.spec?.['wanted']) return {};
      const patch = { metadata: { resourceVersion }, status: { seen: object.spec?.['wanted'] } };
      const stored = await client.mergePatch(widgets, parseKey(key), patch, { subresource: 'status' });
      written.set(uid, Number(stored.metadata.resourceVersion));
      cache.put(stored);
      return {};
    },
  });
  watchCache(cache, controller, (before, after) => {
    const { namespace = '', name: of = '' } = (after ?? before)?.metadata ?? {};
    return [`${namespace}/${of}`];
  });
  return { clock, api, cache, reflector, controller, stale };
}

function strike(api: FakeApi, fault: string): void {
  const isWrite = (request: ApiRequest): boolean => request.method === 'PATCH';
  if (fault === 'lost') api.failNext(new TransportError('ConnectionLost', 'reset'));
  else if (fault === 'refused') api.failNext(statusBody(500, 'InternalError', 'etcd'));
  else if (fault === 'conflict') api.failNext(statusBody(409, 'Conflict', 'modified'), isWrite);
  else if (fault === 'slow down') api.failNext([429, 'wait', { 'retry-after': '1' }]);
  else {
    const request = api.request.bind(api);
    api.request = async (one, signal) => {
      const answer = await request(one, signal);
      if (!isWrite(one)) return answer;
      api.request = request;
      throw new TransportError('ConnectionLost', 'the answer is lost');
    };
  }
}

test('whatever happens on the way, the last state of every object is seen and acted upon, and never an older one than written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
      const { clock, api, cache, reflector, controller, stale } = world(seed);
      const abort = new AbortController();
      const over = [reflector.run(abort.signal), controller.run(abort.signal)];
      const wanted = new Map<string, number>();
      for (const [i, one] of steps.entries()) {
        if (one.do === 'change') {
          wanted.set(one.name, i);
          const held = api.find(one.name);
          api.put({ ...(held ?? widget(one.name)), spec: { wanted: i } } as Widget);
        } else if (one.do === 'remove') {
          wanted.delete(one.name);
          api.remove(one.name);
        } else if (one.do === 'pass') await clock.advance(one.ms);
        else if (one.do === 'fault') strike(api, one.fault);
        else if (one.do === 'compact') api.compacted = api.version;
        else if (one.how === 'end') api.endWatches();
        else if (one.how === 'break') api.endWatches(new TransportError('ConnectionLost', 'cut'));
        else api.endWatches({ kind: 'Status', code: 410, reason: 'Expired' });
      }
      await clock.advance(3_600_000);
      expect(stale).toEqual([]);
      const ends = [...wanted.keys()].sort().map((of) => [of, wanted.get(of)]);
      const inCache = cache.list().map((object) => [object.metadata.name, object.status?.['seen']]);
      expect(inCache.sort()).toEqual(ends);
      expect([...wanted.keys()].sort().map((of) => [of, (api.find(of) as Widget).status?.['seen']])).toEqual(
        ends,
      );
      abort.abort(new Error('stop'));
      await Promise.all(over);
    }),
    { numRuns: 150 },
  );
});

test('the same seed gives the same requests, twice', async () => {
  const run = async (): Promise<readonly string[]> => {
    const { clock, api, reflector, controller } = world(7);
    const abort = new AbortController();
    const over = [reflector.run(abort.signal), controller.run(abort.signal)];
    for (let i = 0; i < 30; i += 1) {
      api.put(widget(`w${i % 5}`, { spec: { wanted: i } }));
      if (i % 7 === 0) strike(api, 'lost');
      if (i % 11 === 0) api.endWatches();
      await clock.advance(500);
    }
    await clock.advance(60_000);
    abort.abort(new Error('stop'));
    await Promise.all(over);
    return api.requests.map(({ method, path, query, body }) => JSON.stringify([method, path, query, body]));
  };
  const first = await run();
  expect(first.length).toBeGreaterThan(30);
  expect(await run()).toEqual(first);
});
