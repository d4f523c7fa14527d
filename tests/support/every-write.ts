import { expect, test } from '@jest/globals';
import { movesAllTheSame, sceneOf } from './every-line.ts';
import { KillAt } from './kill-at.ts';
import { Made, planWith, untilClean } from './move.ts';
import { isOnTestbed, sandboxOnly } from './needs.ts';
import { migrationObject } from './objects.ts';
import { sampled } from './sampled.ts';
import type { Way } from './ways.ts';

/*
 * Wider than the runner's own boundaries: every request by which the process writes anything, also those of Plans, Providers and events.
 * "After" is an answer that never arrives: the server has done it and the process does not know.
 */

/** The writes of one undisturbed migration, each before and after; none on the testbed, where no two have the same. */
export async function writesOf(way: Way): Promise<readonly string[]> {
  if (isOnTestbed) return [];
  await using scene = await sceneOf(way);
  const { world } = scene;
  const made = await Made.follow(world);
  const passed: string[] = [];
  await world.apply(migrationObject(world, way.migration(world)));
  world.startController({ atWrite: () => (when, what) => void passed.push(`${when} ${shortened(what)}`) });
  await planWith(world, 'Succeeded');
  await untilClean(world);
  made.stop();
  return passed;
}

function shortened(what: string): string {
  return what.replace(/\/apis?\/[^ ]*?namespaces\//, '');
}

async function diesAndMovesAllTheSame(way: Way, index: number): Promise<void> {
  await using scene = await sceneOf(way);
  const { world } = scene;
  const made = await Made.follow(world);
  await world.apply(migrationObject(world, way.migration(world)));
  const death = new KillAt(index);
  world.startController({ atWrite: death.atWrite });
  await death.struck(world);
  await movesAllTheSame(way, scene, made);
}

/** A controller that dies at each of these writes (or at `most` of them, see sampled.ts), one test a write. */
export function describeEachWrite(way: Way, writes: readonly string[], most = Infinity): void {
  const all = writes.map((name, index) => [index, name] as const);
  sandboxOnly({ numbers: 'each write of a migration' }).describe(
    `a controller that dies at any request that writes, in a ${way.itinerary.id} migration`,
    () => {
      test('writes a good deal', () => {
        expect(writes.length).toBeGreaterThan(40);
      });

      test.each(sampled(all, most))('is replaced and the VM moves all the same (%i, %s)', async (index) => {
        await diesAndMovesAllTheSame(way, index);
      });
    },
  );
}
