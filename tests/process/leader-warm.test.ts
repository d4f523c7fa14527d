import { describe, expect, test } from '@jest/globals';
import { Limiter } from '../../src/runtime/limiter.ts';
import { Made, planWith, untilClean } from '../support/move.ts';
import { migrationObject } from '../support/objects.ts';
import {
  atRequest,
  frozenLeaderEnds,
  holder,
  leaderAndNext,
  takesOver,
  whenCopying,
  type Pair,
} from './leading.ts';
import { testPatienceMs } from './patience.ts';
import type { ProcessWorld } from './process-world.ts';
import { cutoverAfter, followGuest, isMovedWarmOnce, quickRounds, startWarmWorld } from './warm-scene.ts';

/** Most of the time is spent waiting for leases to run out: a few worlds at once lose nothing by that. */
const worlds = new Limiter(4);

/** Something befalls the leader of a warm run, and `then` must hold of the two. The guest writes, the cutover comes after two rounds. */
async function befalls(
  prepare: (world: ProcessWorld, pair: Pair) => Promise<void>,
  options: Parameters<typeof startWarmWorld>[0] = {},
): Promise<void> {
  await using world = await startWarmWorld(options);
  const made = await Made.follow(world);
  const pair = await leaderAndNext(world, quickRounds);
  await world.apply(migrationObject(world));
  using followed = followGuest(world);
  await Promise.all([cutoverAfter(world, 2), prepare(world, pair)]);
  await planWith(world, 'Succeeded');
  await untilClean(world);
  await isMovedWarmOnce(world, made);
  followed.check();
  made.stop();
  expect(await holder(world)).toMatch(/^gantry-1-/);
  expect(pair.next.gantry.exit).toBeUndefined();
}

/** As something is asked of the source, before the answer is there. */
function atSource(world: ProcessWorld, what: string): (stop: () => void) => Disposable {
  return (stop) =>
    world.trace.follow((entry) => {
      if (entry.on === world.source.name && entry.what === what) stop();
    });
}

describe('two controllers with one lease, and a warm migration', () => {
  test.concurrent.each([1, 2])(
    'the other goes on with the rounds when the leader is killed in the middle of round %i',
    (round) =>
      worlds.run(() =>
        befalls(
          async (world, pair) => {
            using _copying = whenCopying(world, round, () => pair.leader.gantry.signal('SIGKILL'));
            expect(await pair.leader.gantry.ends()).toEqual({ code: null, signal: 'SIGKILL' });
            await takesOver(pair);
          },
          { cdi: { secondsPerDisk: 40 } },
        ),
      ),
    testPatienceMs,
  );

  test.concurrent.each([
    ['creates the volume', /^POST .*\/datavolumes$/],
    ['adds a round to the volume', /^PATCH .*\/datavolumes\/[^/]+$/],
  ])(
    'a leader that is frozen for longer than its lease, as it %s, does nothing more and ends by itself',
    (_what, request) =>
      worlds.run(() =>
        befalls((world, pair) => frozenLeaderEnds(world, pair, atRequest(pair.leader, request))),
      ),
    testPatienceMs,
  );

  test.concurrent.each(['CreateSnapshot_Task', 'RemoveSnapshot_Task', 'ShutdownGuest'])(
    'a leader that is frozen for longer than its lease, as it asks the source for %s, does nothing more and ends by itself',
    (method) =>
      worlds.run(() => befalls((world, pair) => frozenLeaderEnds(world, pair, atSource(world, method)))),
    testPatienceMs,
  );
});
