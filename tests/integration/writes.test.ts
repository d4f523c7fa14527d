import { expect, test } from '@jest/globals';
import { Made, plannedWorld, planWith, untilClean } from '../support/move.ts';
import { migrationObject } from '../support/objects.ts';
import { isMovedOnce } from '../support/moved.ts';
import { KillAt } from '../support/kill-at.ts';
import { isOnTestbed, sandboxOnly } from '../support/needs.ts';

/**
 * Wider than the runner's own boundaries: every request by which the process writes anything, also those of Plans, Providers and events.
 * "After" is an answer that never arrives: the server has done it and the process does not know.
 */
const vm = { name: 'web-01', power: 'on' } as const;
const writes = isOnTestbed ? [] : await recordWrites();

async function recordWrites(): Promise<readonly string[]> {
  const { world } = await plannedWorld([vm]);
  await using _world = world;
  const passed: string[] = [];
  await world.apply(migrationObject(world));
  world.startController({ atWrite: () => (when, what) => void passed.push(`${when} ${shortened(what)}`) });
  await planWith(world, 'Succeeded');
  await untilClean(world);
  return passed;
}

function shortened(what: string): string {
  return what.replace(/\/apis?\/[^ ]*?namespaces\//, '');
}

sandboxOnly({ numbers: 'each write of a migration' }).describe(
  'a controller that dies at any request that writes',
  () => {
    test('writes a good deal', () => {
      expect(writes.length).toBeGreaterThan(40);
    });

    test.each(writes.map((name, index) => [index, name] as const))(
      'is replaced and the VM moves all the same (%i, %s)',
      async (index) => {
        const { world, sources } = await plannedWorld([vm]);
        await using _world = world;
        const made = await Made.follow(world);
        await world.apply(migrationObject(world));
        const death = new KillAt(index);
        world.startController({ atWrite: death.atWrite });
        await death.struck(world);
        world.startController();
        await planWith(world, 'Succeeded');
        await untilClean(world);
        await isMovedOnce(world, sources[0]!, made);
        made.stop();
      },
    );
  },
);
