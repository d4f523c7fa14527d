import { describe, expect, test } from '@jest/globals';
import type { Lease } from '../../src/api/external/core.ts';
import { leases } from '../../src/api/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { LeaderElectorOptions } from '../../src/kube/lease.ts';
import { FenceClosed, LeaderElector, LeadershipLost } from '../../src/kube/lease.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { ApiRequest } from '../../src/kube/transport.ts';
import { TransportError } from '../../src/kube/transport.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import { FakeApi } from './fake-api.ts';

const at = { namespace: 'ns', name: 'leader' };
const never = new AbortController().signal;

function setUp() {
  const clock = new SimulatedClock({ start: Date.UTC(2026, 0, 1) });
  const api = new FakeApi();
  const client: KubeClient = createKubeClient(api, { clock, random: () => 0 });
  const elector = (identity: string, options: Partial<LeaderElectorOptions> = {}): LeaderElector =>
    new LeaderElector({
      client,
      lease: at,
      identity,
      clock,
      random: () => 0,
      logger: new RecordingLogger(),
      ...options,
    });
  const spec = async (): Promise<Lease['spec']> => (await client.get(leases, at))?.spec;
  return { clock, api, client, elector, spec };
}
const isWrite = (request: ApiRequest): boolean => request.method === 'PATCH';

test('the first candidate makes the lease and leads; its fence is open from then on', async () => {
  const { elector, spec, clock } = setUp();
  const one = elector('one');
  const fence = one.fence();
  expect(() => fence.check()).toThrow(FenceClosed);
  await one.acquire(never);
  fence.check();
  expect(await spec()).toEqual({
    holderIdentity: 'one',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  });
  await clock.advance(60_000);
  fence.check();
  expect((await spec())?.renewTime).toBe('2026-01-01T00:01:00.000000Z');
});

test('a second candidate waits until the leader lets go, and need not wait the lease out', async () => {
  const { elector, clock, spec } = setUp();
  const one = elector('one');
  const first = await one.acquire(never);
  const two = elector('two');
  let isLeading = false;
  const second = two.acquire(never).then((leadership) => {
    isLeading = true;
    return leadership;
  });
  await clock.advance(120_000);
  expect(isLeading).toBe(false);
  await first[Symbol.asyncDispose]();
  expect(() => one.fence().check()).toThrow(FenceClosed);
  expect(first.lost.aborted).toBe(false);
  await clock.advance(2000);
  expect(isLeading).toBe(true);
  two.fence().check();
  expect(await spec()).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
  await (await second)[Symbol.asyncDispose]();
});

describe('a leader cut off from the server', () => {
  test('closes its fence before anyone else can lead', async () => {
    const { elector, clock, api, client } = setUp();
    const one = elector('one');
    // The first one's requests fail from here on, the second one's do not.
    let isCutOff = false;
    const cutOff: KubeClient = {
      ...client,
      get: (...args) =>
        isCutOff ? Promise.reject(new TransportError('Timeout', 'cut')) : client.get(...args),
      create: (...args) => client.create(...args),
      mergePatch: (...args) =>
        isCutOff ? Promise.reject(new TransportError('Timeout', 'cut')) : client.mergePatch(...args),
    };
    const first = elector('first', { client: cutOff });
    const leadership = await first.acquire(never);
    const second = one.acquire(never);
    let secondSinceMs = Infinity;
    void second.then(() => (secondSinceMs = clock.monotonicMs()));
    await clock.advance(5000);
    isCutOff = true;
    let closedSinceMs = Infinity;
    for (let i = 0; i < 400 && secondSinceMs === Infinity; i += 1) {
      await clock.advance(100);
      try {
        first.fence().check();
        expect(secondSinceMs).toBe(Infinity);
      } catch {
        closedSinceMs = Math.min(closedSinceMs, clock.monotonicMs());
      }
    }
    // The last renewal was at 4 s.
    expect(closedSinceMs).toBe(14_000);
    expect(secondSinceMs).toBeGreaterThan(closedSinceMs + 4000);
    expect(leadership.lost.reason).toBeInstanceOf(LeadershipLost);
    expect(api.requests.length).toBeGreaterThan(0);
  });

  test('goes on when the server comes back in time', async () => {
    const { elector, clock, api } = setUp();
    const one = elector('one');
    const leadership = await one.acquire(never);
    for (let i = 0; i < 3; i += 1) api.failNext(new TransportError('ConnectionLost', 'reset'), isWrite);
    await clock.advance(9000);
    one.fence().check();
    await clock.advance(60_000);
    one.fence().check();
    expect(leadership.lost.aborted).toBe(false);
  });

  test('closes the fence by its own clock even when its loop is stuck', async () => {
    const { elector, clock, api } = setUp();
    const one = elector('one');
    await one.acquire(never);
    // A renewal that is never answered.
    api.request = () => new Promise(() => undefined);
    await clock.advance(9999);
    one.fence().check();
    await clock.advance(1);
    expect(() => one.fence().check()).toThrow(FenceClosed);
  });
});

test('a leader whose lease was given to another stops at its next renewal', async () => {
  const { elector, clock, client } = setUp();
  const one = elector('one');
  const leadership = await one.acquire(never);
  await client.mergePatch(leases, at, { spec: { holderIdentity: 'other' } });
  await clock.advance(2000);
  expect(leadership.lost.reason).toBeInstanceOf(LeadershipLost);
  expect(() => one.fence().check()).toThrow(FenceClosed);
});

test('a renewal whose answer was lost is not taken for a rival', async () => {
  const { elector, clock, client, spec } = setUp();
  const leadership = await elector('one').acquire(never);
  await client.mergePatch(leases, at, { metadata: { labels: { edited: 'yes' } } });
  await clock.advance(10_000);
  expect(leadership.lost.aborted).toBe(false);
  expect((await spec())?.renewTime).toBe('2026-01-01T00:00:10.000000Z');
});

test('of many candidates one leads at a time, whoever fails when', async () => {
  const { elector, clock } = setUp();
  const open = new Set<string>();
  const fences = ['a', 'b', 'c'].map((identity) => {
    const one = elector(identity);
    void (async () => {
      for (;;) {
        const leadership = await one.acquire(never);
        await clock.sleep(identity === 'a' ? 7000 : 33_000);
        // Every other term ends like a killed process: without letting go.
        if (identity === 'b') leadership.abandon();
        else await leadership[Symbol.asyncDispose]();
        await clock.sleep(50_000);
      }
    })();
    return { identity, fence: one.fence() };
  });
  const led = new Set<string>();
  for (let i = 0; i < 600; i += 1) {
    await clock.advance(1000);
    open.clear();
    for (const { identity, fence } of fences) {
      try {
        fence.check();
        open.add(identity);
        led.add(identity);
      } catch (error) {
        expect(error).toBeInstanceOf(FenceClosed);
      }
    }
    expect(open.size).toBeLessThanOrEqual(1);
  }
  expect([...led].sort()).toEqual(['a', 'b', 'c']);
});

test('waiting for the lease ends with the abort', async () => {
  const { elector, clock } = setUp();
  await elector('one').acquire(never);
  const abort = new AbortController();
  const waiting = expect(elector('two').acquire(abort.signal)).rejects.toThrow('stop');
  await clock.advance(5000);
  abort.abort(new Error('stop'));
  await waiting;
});

test('times that would let two lead are refused', () => {
  const { elector } = setUp();
  const times = { leaseDurationMs: 10_000, renewDeadlineMs: 10_000, retryPeriodMs: 2000 };
  expect(() => elector('one', { times })).toThrow(RangeError);
});
