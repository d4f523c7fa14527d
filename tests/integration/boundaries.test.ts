import { afterAll, describe, expect, test } from '@jest/globals';
import { migrations, persistentVolumeClaims, virtualMachines } from '../../src/api/kinds.ts';
import type { Boundary } from '../../src/controllers/import/boundary.ts';
import { Made, plannedWorld, planWith, untilClean } from '../support/move.ts';
import { isMovedOnce, nothingWithOurLabel } from '../support/moved.ts';
import { migrationObject, planNamespace, targetNamespace } from '../support/objects.ts';
import { KillAt } from '../support/world.ts';

/**
 * The runner tells of every line between which the process may die; these tests are made from what it tells. A phase that is added is
 * covered by the next run.
 */
const vm = { name: 'web-01', power: 'on' } as const;
const boundaries = await recordBoundaries();

async function recordBoundaries(): Promise<readonly string[]> {
  const { world } = await plannedWorld([vm]);
  await using _world = world;
  const passed: string[] = [];
  world.startController({ atBoundary: () => (boundary) => void passed.push(nameOf(boundary)) });
  await planWith(world, 'Ready');
  await world.apply(migrationObject());
  await planWith(world, 'Succeeded');
  await untilClean(world);
  return passed;
}

function nameOf({ when, what, name }: Boundary): string {
  return `${when} ${what}: ${name}`;
}

describe('a controller that dies at any line of a cold migration', () => {
  let seen = 0;

  test('tells of its lines', () => {
    expect(boundaries.length).toBeGreaterThan(30);
    expect(boundaries.some((name) => name.includes('powerOff'))).toBe(true);
    expect(boundaries.some((name) => name.includes('createDataVolume'))).toBe(true);
    expect(boundaries.some((name) => name.includes('setRunStrategy'))).toBe(true);
  });

  test.each(boundaries.map((name, index) => [index, name] as const))(
    'is replaced and the VM moves all the same (%i, %s)',
    async (index) => {
      const { world, sources } = await plannedWorld([vm]);
      await using _world = world;
      const made = await Made.follow(world);
      const death = new KillAt(index);
      world.startController({ atBoundary: death.on });
      await planWith(world, 'Ready');
      await world.apply(migrationObject());
      await death.struck(world);
      world.startController();
      await planWith(world, 'Succeeded');
      await untilClean(world);
      await isMovedOnce(world, sources[0]!, made);
      made.stop();
      seen += 1;
    },
  );

  afterAll(() => {
    expect(seen).toBe(boundaries.length);
  });
});

/** One place in each phase is enough: what matters is what stands when the cancel comes. */
const firstOfEachPhase = [
  ...new Map(
    boundaries.map((name, index) => [name.split(' ').slice(3, 4).join(' '), index] as const),
  ).entries(),
];

describe('a cancel that comes in any phase', () => {
  test.each(firstOfEachPhase)(
    'in %s leaves either the source or the target running, and nothing behind',
    async (_phase, index) => {
      const { world, sources } = await plannedWorld([vm]);
      await using _world = world;
      const source = sources[0]!;
      let count = -1;
      world.startController({
        atBoundary: () => async () => {
          count += 1;
          if (count !== index) return;
          const cancel = { spec: { cancel: [{ id: source.id }] } };
          await world.client.mergePatch(migrations, { namespace: planNamespace, name: 'run' }, cancel);
        },
      });
      await planWith(world, 'Ready');
      await world.apply(migrationObject());
      await world.until('the run has ended', async () => {
        const migration = await world.get(migrations, planNamespace, 'run');
        return (migration as { status?: { completed?: string } } | undefined)?.status?.completed === undefined
          ? undefined
          : true;
      });
      await untilClean(world);
      await nothingWithOurLabel(world);
      const target = await world.get(virtualMachines, targetNamespace, 'web-01');
      if (target === undefined) {
        expect(source.power).toBe('poweredOn');
        const { items: claims } = await world.client.list(persistentVolumeClaims, {
          namespace: targetNamespace,
        });
        expect(claims).toEqual([]);
      } else {
        expect(source.power).toBe('poweredOff');
        await world.until('the target runs', async () => {
          const found = await world.get(virtualMachines, targetNamespace, 'web-01');
          return found?.spec.runStrategy === 'Always' ? true : undefined;
        });
      }
    },
  );
});
