import { expect, test } from '@jest/globals';
import { Sight } from '../../src/kube/sight.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

const minute = 60_000;

test('what is watched from the beginning is seen since then', async () => {
  const clock = new SimulatedClock({ start: 1_000 });
  const sight = new Sight(clock);
  sight.of('pods').regained();
  await clock.advance(minute);
  expect(sight.since).toBe(1_000);
});

test('while one reflector sees nothing the whole is not seen, and is anew when the last one sees again', async () => {
  const clock = new SimulatedClock({ start: 0 });
  const sight = new Sight(clock);
  const pods = sight.of('pods');
  const claims = sight.of('persistentvolumeclaims');
  pods.lost();
  claims.lost();
  await clock.advance(minute);
  expect(sight.since).toBe(minute);
  pods.regained();
  await clock.advance(minute);
  expect(sight.since).toBe(2 * minute);
  claims.regained();
  await clock.advance(minute);
  expect(sight.since).toBe(2 * minute);
});
