import { describe, test } from '@jest/globals';
import process from 'node:process';
import { Limiter } from '../../src/runtime/limiter.ts';
import { isMovedOnce } from '../support/moved.ts';
import { drawn, killAndReplace, undisturbed, type Scene } from './kill-points.ts';
import { testPatienceMs } from './patience.ts';
import { ProcessWorld } from './process-world.ts';

/**
 * Real processes, killed for good by the kernel at points that nobody chose: in the middle of a line, of a request, of a start. The
 * points are drawn anew for each KILL_SEED, over the length of a run that nobody disturbed.
 */
const seed = Number(process.env['KILL_SEED'] ?? 1);

const cold: Scene = {
  start: () => ProcessWorld.start(),
  isMoved: (world, made) => isMovedOnce(world, world.source, made),
};

const whole = await undisturbed(cold);
const points = drawn(whole, 10, seed);
/** Most of the time is spent waiting for a dead leader's lease to run out: a few worlds at once lose nothing by that. */
const worlds = new Limiter(3);

describe(`a controller that is killed (seed ${seed}, ${whole.requests} requests in ${Math.round(whole.ms)} ms)`, () => {
  test.concurrent.each(points.map((point) => [JSON.stringify(point), point] as const))(
    'is replaced, and the VM moves all the same: %s',
    (_name, point) => worlds.run(() => killAndReplace(cold, point)),
    testPatienceMs,
  );
});
