import { expect, test } from '@jest/globals';
import { LeaderElector, LeadershipLost } from '../../src/kube/lease.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import type { Runnable } from '../../src/runtime/manager.ts';
import { Manager } from '../../src/runtime/manager.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';
import { FakeApi } from '../kube/fake-api.ts';

function setUp(withLease = true) {
  const clock = new SimulatedClock({ start: 0 });
  const api = new FakeApi();
  const client = createKubeClient(api, { clock, random: () => 0 });
  const log: string[] = [];
  const synced = Promise.withResolvers<undefined>();
  const logger = new RecordingLogger();
  const manager = (identity: string, graceMs = 30_000): Manager => {
    const elector = new LeaderElector({
      client,
      lease: { namespace: 'ns', name: 'leader' },
      identity,
      clock,
      random: () => 0,
      logger,
    });
    return new Manager({ clock, logger, graceMs, ...(withLease && { elector }) });
  };
  const part = (name: string, stopMs = 0): Runnable => ({
    name,
    run: async (signal) => {
      log.push(`${name} starts`);
      await clock.sleep(3_600_000, signal).catch(() => undefined);
      if (stopMs > 0) await clock.sleep(stopMs);
      log.push(`${name} stops`);
    },
  });
  const addAll = (to: Manager, prefix = '', stopMs = 0): void => {
    to.addController(part(`${prefix}controller`, stopMs));
    to.addCache({ ...part(`${prefix}cache`), synced: synced.promise });
    to.addService(part(`${prefix}service`));
  };
  return { clock, api, log, synced, logger, manager, part, addAll };
}

test('controllers start when the caches are synced and the lease is held, and all stops in reverse', async () => {
  const { clock, log, synced, manager, addAll } = setUp();
  const one = manager('one');
  addAll(one, '', 1000);
  const abort = new AbortController();
  const over = one.run(abort.signal);
  await clock.advance(5000);
  expect(log).toEqual(['service starts', 'cache starts']);
  expect([one.isSynced, one.isLeading]).toEqual([false, false]);
  synced.resolve(undefined);
  await clock.advance(1);
  expect(log.splice(0)).toEqual(['service starts', 'cache starts', 'controller starts']);
  expect([one.isSynced, one.isLeading]).toEqual([true, true]);
  abort.abort(new Error('stop'));
  await clock.advance(5000);
  await over;
  expect(log).toEqual(['controller stops', 'cache stops', 'service stops']);
});

test('a follower serves, and its controllers start once the leader has come to rest', async () => {
  const { clock, log, synced, manager, addAll } = setUp();
  synced.resolve(undefined);
  const [one, two] = [manager('one'), manager('two')];
  addAll(one, '1 ', 10_000);
  addAll(two, '2 ');
  const abort = new AbortController();
  const over = one.run(abort.signal);
  await clock.advance(1);
  const abortTwo = new AbortController();
  const overTwo = two.run(abortTwo.signal);
  await clock.advance(60_000);
  expect(log).toContain('2 service starts');
  expect(log).not.toContain('2 controller starts');
  abort.abort(new Error('stop'));
  await clock.advance(60_000);
  await over;
  expect(log.indexOf('2 controller starts')).toBeGreaterThan(log.indexOf('1 controller stops'));
  abortTwo.abort(new Error('stop'));
  await clock.advance(1000);
  await overTwo;
});

test('controllers that do not come to rest in time keep the lease from the next one until it expires', async () => {
  const { clock, log, synced, manager, addAll, logger } = setUp();
  synced.resolve(undefined);
  const one = manager('one', 5000);
  addAll(one, '1 ', 3_600_000);
  const abort = new AbortController();
  const over = one.run(abort.signal);
  await clock.advance(1);
  const two = manager('two');
  addAll(two, '2 ');
  void two.run(new AbortController().signal);
  await clock.advance(10_000);
  abort.abort(new Error('stop'));
  await clock.advance(5000);
  await over;
  expect(logger.lines.some((line) => line.level === 'error' && line.message.includes('grace period'))).toBe(
    true,
  );
  await clock.advance(8000);
  expect(log).not.toContain('2 controller starts');
  await clock.advance(20_000);
  expect(log).toContain('2 controller starts');
});

test('a lost lease stops everything and is the error', async () => {
  const { clock, api, log, synced, manager, addAll } = setUp();
  synced.resolve(undefined);
  const one = manager('one');
  addAll(one);
  const over = expect(one.run(new AbortController().signal)).rejects.toBeInstanceOf(LeadershipLost);
  await clock.advance(1);
  api.request = () => new Promise(() => undefined);
  await clock.advance(20_000);
  await over;
  expect(log.slice(-3)).toEqual(['controller stops', 'cache stops', 'service stops']);
});

test.each(['service', 'cache', 'controller'])(
  'a %s that fails stops everything and is the error',
  async (which) => {
    const { clock, log, synced, manager, addAll } = setUp(false);
    synced.resolve(undefined);
    const one = manager('one');
    addAll(one);
    const failing = {
      name: 'failing',
      synced: Promise.resolve(),
      run: async (): Promise<void> => {
        await clock.sleep(1000);
        throw new Error('broken');
      },
    };
    if (which === 'service') one.addService(failing);
    else if (which === 'cache') one.addCache(failing);
    else one.addController(failing);
    const over = expect(one.run(new AbortController().signal)).rejects.toMatchObject({
      message: 'failing failed',
      cause: { message: 'broken' },
    });
    await clock.advance(2000);
    await over;
    expect(log.slice(-3)).toEqual(['controller stops', 'cache stops', 'service stops']);
  },
);

test('stopped before the caches are synced it starts no controller', async () => {
  const { clock, log, manager, addAll } = setUp();
  const one = manager('one');
  addAll(one);
  const abort = new AbortController();
  const over = one.run(abort.signal);
  await clock.advance(1000);
  abort.abort(new Error('stop'));
  await over;
  expect(log).toEqual(['service starts', 'cache starts', 'cache stops', 'service stops']);
});
