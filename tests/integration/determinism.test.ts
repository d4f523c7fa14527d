import { expect, test } from '@jest/globals';
import type { TraceEntry } from '../../src/sandbox/world.ts';
import { plannedWorld, planWith, untilClean } from '../support/move.ts';
import { sandboxOnly } from '../support/needs.ts';
import { migrationObject } from '../support/objects.ts';

/** Everything that happened in one whole migration: each request to the API server and each act at the source, in order, with its time. */
async function traceOf(seed: number): Promise<readonly TraceEntry[]> {
  const vms = [
    { name: 'web-01', power: 'on' },
    { name: 'web-02', power: 'off' },
  ] as const;
  const { world } = await plannedWorld(vms, { sandbox: { seed, traceRequests: true } });
  await using _world = world;
  world.startController();
  await planWith(world, 'Ready');
  await world.apply(migrationObject(world));
  await planWith(world, 'Succeeded');
  await untilClean(world);
  return [...world.trace.entries];
}

sandboxOnly({ simulated: 'the seed' }).describe('an embedded world', () => {
  test('does the same twice with the same seed, to the millisecond', async () => {
    const first = await traceOf(7);
    const second = await traceOf(7);
    expect(first.length).toBeGreaterThan(200);
    expect(second).toEqual(first);
  });

  test('is another one with another seed', async () => {
    expect(await traceOf(7)).not.toEqual(await traceOf(8));
  });
});
