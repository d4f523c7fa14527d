import { describe, test } from '@jest/globals';
import process from 'node:process';
import { Limiter } from '../../src/runtime/limiter.ts';
import { drawn, killAndReplace, undisturbed } from './kill-points.ts';
import { testPatienceMs } from './patience.ts';
import { warmScene } from './warm-scene.ts';

/** As kill.test.ts has it for cold ones: a warm migration with rounds and a cutover, killed where KILL_SEED says. */
const seed = Number(process.env['KILL_SEED'] ?? 1);
const whole = await undisturbed(warmScene);
const points = drawn(whole, 10, seed);
const worlds = new Limiter(3);

describe(`a controller that is killed in a warm migration (seed ${seed}, ${whole.requests} requests in ${Math.round(whole.ms)} ms)`, () => {
  test.concurrent.each(points.map((point) => [JSON.stringify(point), point] as const))(
    'is replaced, and the VM moves all the same: %s',
    (_name, point) => worlds.run(() => killAndReplace(warmScene, point)),
    testPatienceMs,
  );
});
