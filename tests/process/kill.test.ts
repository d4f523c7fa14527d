import { describe, expect, test } from '@jest/globals';
import process from 'node:process';
import { Limiter } from '../../src/runtime/limiter.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { Made, planWith, untilClean } from '../support/move.ts';
import { isMovedOnce } from '../support/moved.ts';
import { migrationObject } from '../support/objects.ts';
import { ProcessWorld } from './process-world.ts';

/**
 * Real processes, killed for good by the kernel at points that nobody chose: in the middle of a line, of a request, of a start. The
 * points are drawn anew for each KILL_SEED, over the length of a run that nobody disturbed.
 */
const seed = Number(process.env['KILL_SEED'] ?? 1);
const whole = await undisturbed();
const points = drawn(10);
/** Most of the time is spent waiting for a dead leader's lease to run out: a few worlds at once lose nothing by that. */
const worlds = new Limiter(3);

async function undisturbed(): Promise<{ readonly requests: number; readonly ms: number }> {
  await using world = await ProcessWorld.start();
  await world.apply(migrationObject(world));
  const startedMs = world.clock.monotonicMs();
  const { door } = await world.startController();
  await planWith(world, 'Succeeded');
  await untilClean(world);
  return { requests: door.requests.length, ms: world.clock.monotonicMs() - startedMs };
}

type Point = { readonly atRequest: number } | { readonly afterMs: number };

/** One out of each tenth of the run: by requests, where it is in the middle of something, and by time, where it is anywhere. */
function drawn(count: number): readonly Point[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const share = (index + random()) / count;
    return index % 2 === 0
      ? { atRequest: 1 + Math.floor(share * whole.requests) }
      : { afterMs: Math.floor(share * whole.ms) };
  });
}

describe(`a controller that is killed (seed ${seed}, ${whole.requests} requests in ${Math.round(whole.ms)} ms)`, () => {
  test.concurrent.each(points.map((point) => [JSON.stringify(point), point] as const))(
    'is replaced, and the VM moves all the same: %s',
    (_name, point) => worlds.run(() => killAndReplace(point)),
    60_000,
  );
});

async function killAndReplace(point: Point): Promise<void> {
  await using world = await ProcessWorld.start();
  const made = await Made.follow(world);
  await world.apply(migrationObject(world));
  const door = await world.openDoor();
  const { gantry } = await world.startController({ door });
  const kill = (): void => gantry.signal('SIGKILL');
  if ('atRequest' in point) door.onRequest((_, count) => count === point.atRequest && kill());
  using _timer = 'afterMs' in point ? world.clock.setTimeout(kill, point.afterMs) : undefined;
  expect(await gantry.ends()).toEqual({ code: null, signal: 'SIGKILL' });

  const { gantry: next } = await world.startController();
  await planWith(world, 'Succeeded');
  await untilClean(world);
  await isMovedOnce(world, world.source, made);
  made.stop();
  expect(next.exit).toBeUndefined();
}
