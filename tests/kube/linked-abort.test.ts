import { expect, test } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { LinkedAbort } from '../../src/kube/linked-abort.ts';
import { TimeLimit } from '../../src/kube/time-limit.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

test('it aborts with its parent and with the same reason, at once if the parent has aborted already', () => {
  const parent = new AbortController();
  const before = new LinkedAbort(parent.signal);
  const reason = new Error('stop');
  parent.abort(reason);
  expect(before.signal.reason).toBe(reason);
  expect(new LinkedAbort(parent.signal).signal.reason).toBe(reason);
});

test('its own abort leaves the parent alone', () => {
  const parent = new AbortController();
  new LinkedAbort(parent.signal).abort(new Error('mine'));
  expect(parent.signal.aborted).toBe(false);
});

test('a long-lived parent keeps nothing of those that are disposed of', async () => {
  const parent = new AbortController();
  const clock = new SimulatedClock({ start: 0 });
  for (let i = 0; i < 100; i += 1) {
    using _abort = new LinkedAbort(parent.signal);
    using _limit = new TimeLimit(clock, 10, () => new Error('late'), parent.signal);
  }
  expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
  await clock.advance(100);
  expect(clock.jumps).toBe(0);
});

test('a time limit aborts with its own reason, or with that of its parent', async () => {
  const clock = new SimulatedClock({ start: 0 });
  const parent = new AbortController();
  const limit = new TimeLimit(clock, 10, () => new Error('late'), parent.signal);
  const over = expect(limit.expired()).rejects.toThrow('late');
  await clock.advance(10);
  await over;
  const stopped = new TimeLimit(clock, 10, () => new Error('late'), parent.signal);
  parent.abort(new Error('stop'));
  await expect(stopped.expired()).rejects.toThrow('stop');
});
