import { afterAll, describe, expect, test } from '@jest/globals';
import { migrations, persistentVolumeClaims, virtualMachines } from '../../src/api/kinds.ts';
import type { Boundary } from '../../src/controllers/import/boundary.ts';
import { cold } from '../../src/migration/itineraries.ts';
import { KillAt, lineOf, phaseOf } from '../support/kill-at.ts';
import { Made, plannedWorld, planWith, untilClean } from '../support/move.ts';
import { isMovedOnce, nothingWithOurLabel } from '../support/moved.ts';
import { isOnTestbed, sandboxOnly } from '../support/needs.ts';
import { migrationObject } from '../support/objects.ts';

/**
 * The runner tells of every line between which the process may die; these tests are made from what it tells. A phase that is added is
 * covered by the next run.
 */
const vm = { name: 'web-01', power: 'on' } as const;
const lines = isOnTestbed ? [] : await recordLines();

async function recordLines(): Promise<readonly string[]> {
  const { world } = await plannedWorld([vm]);
  await using _world = world;
  const passed: string[] = [];
  world.startController({ atBoundary: () => (boundary) => void passed.push(lineOf(boundary)) });
  await planWith(world, 'Ready');
  await world.apply(migrationObject(world));
  await planWith(world, 'Succeeded');
  await untilClean(world);
  return passed;
}

/** These have no line of their own: what they find out is saved with what the next phase does. */
const silent: readonly string[] = ['Started', 'StorePowerState'];
const phases = cold.phases.filter((phase) => !silent.includes(phase)).map((phase) => [phase] as const);

async function diesAndMovesAllTheSame(...deaths: readonly KillAt[]): Promise<void> {
  const { world, sources } = await plannedWorld([vm]);
  await using _world = world;
  const made = await Made.follow(world);
  const [first, ...others] = deaths;
  world.startController({ atBoundary: first!.atBoundary });
  await planWith(world, 'Ready');
  await world.apply(migrationObject(world));
  await first!.struck(world);
  for (const death of others) {
    world.startController({ atBoundary: death.atBoundary });
    await death.struck(world);
  }
  world.startController();
  await planWith(world, 'Succeeded');
  await untilClean(world);
  await isMovedOnce(world, sources[0]!, made);
  made.stop();
}

const eachLine = sandboxOnly({ numbers: 'each line of a migration' });
eachLine.describe('a controller that dies at any line of a cold migration', () => {
  let seen = 0;

  test('tells of its lines', () => {
    expect(lines.length).toBeGreaterThan(30);
    expect(lines.some((name) => name.includes('powerOff'))).toBe(true);
    expect(lines.some((name) => name.includes('createDataVolume'))).toBe(true);
    expect(lines.some((name) => name.includes('setRunStrategy'))).toBe(true);
    expect(new Set(lines.map(phaseOf))).toEqual(new Set(phases.flat()));
  });

  test.each(lines.map((name, index) => [index, name] as const))(
    'is replaced and the VM moves all the same (%i, %s)',
    async (index) => {
      await diesAndMovesAllTheSame(new KillAt(index));
      seen += 1;
    },
  );

  afterAll(() => {
    expect(seen).toBe(lines.length);
  });
});

describe('a controller that dies', () => {
  test.each(phases)('as soon as it comes to %s is replaced and the VM moves all the same', async (phase) => {
    await diesAndMovesAllTheSame(new KillAt((line) => phaseOf(line) === phase));
  });

  test('right after each thing that it does is replaced each time, and the VM moves all the same', async () => {
    const effects = ['powerOff', 'createAccess', 'createDataVolume', 'deleteAccess', 'createVm'];
    const handOver = ['giveClaimToVm', 'deleteDataVolume', 'setRunStrategy', 'stripLabel'];
    const deaths = [...effects, ...handOver].map(
      (effect) => new KillAt((line) => line.startsWith('after act: ') && line.endsWith(` ${effect}`)),
    );
    await diesAndMovesAllTheSame(...deaths);
  });
});

describe('a cancel that comes in any phase', () => {
  test.each(phases)(
    'in %s leaves either the source or the target running, and nothing behind',
    async (phase) => {
      const { world, sources } = await plannedWorld([vm]);
      await using _world = world;
      const source = sources[0]!;
      let isSaid = false;
      const cancel = async (boundary: Boundary): Promise<void> => {
        if (isSaid || phaseOf(lineOf(boundary)) !== phase) return;
        isSaid = true;
        const patch = { spec: { cancel: [{ id: source.id }] } };
        await world.client.mergePatch(migrations, { namespace: world.planNamespace, name: 'run' }, patch);
      };
      world.startController({ atBoundary: () => cancel });
      await planWith(world, 'Ready');
      await world.apply(migrationObject(world));
      await world.until('the run has ended', async () => {
        const migration = await world.get(migrations, world.planNamespace, 'run');
        return migration?.status?.completed === undefined ? undefined : true;
      });
      await untilClean(world);
      await nothingWithOurLabel(world);
      const target = await world.get(virtualMachines, world.targetNamespace, 'web-01');
      if (target === undefined) {
        expect(source.power).toBe('poweredOn');
        const { items: claims } = await world.client.list(persistentVolumeClaims, {
          namespace: world.targetNamespace,
        });
        expect(claims).toEqual([]);
      } else {
        expect(source.power).toBe('poweredOff');
        await world.until('the target runs', async () => {
          const found = await world.get(virtualMachines, world.targetNamespace, 'web-01');
          return found?.spec.runStrategy === 'Always' ? true : undefined;
        });
      }
    },
  );
});
