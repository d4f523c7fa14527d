import { afterAll, describe, expect, test } from '@jest/globals';
import { migrations, persistentVolumeClaims, virtualMachines } from '../../src/api/kinds.ts';
import type { Boundary } from '../../src/controllers/import/boundary.ts';
import type { ConversionWrite } from '../../src/sandbox/conversion/converter.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import { KillAt, lineOf, phaseOf } from './kill-at.ts';
import { Made, plannedWorld, planWith, untilClean } from './move.ts';
import { isMovedOnce, nothingWithOurLabel } from './moved.ts';
import { firstOnTestbed, isOnTestbed, sandboxOnly } from './needs.ts';
import { migrationObject } from './objects.ts';
import type { Way } from './ways.ts';
import type { TestWorld } from './world.ts';

/*
 * The runner tells of every line between which the process may die; these tests are made from what it tells. A phase that is added is
 * covered by the next run.
 */

export interface Scene extends AsyncDisposable {
  readonly world: TestWorld;
  readonly source: VmHandle;
}

export async function sceneOf(way: Way): Promise<Scene> {
  const { world, sources } = await plannedWorld([way.vm], way.options);
  const source = sources[0]!;
  const life = way.life(world, source);
  return {
    world,
    source,
    async [Symbol.asyncDispose]() {
      life[Symbol.dispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

async function begin(way: Way, world: TestWorld): Promise<void> {
  await planWith(world, 'Ready');
  await world.apply(migrationObject(world, way.migration(world)));
}

/** The lines of one undisturbed migration; none on the testbed, where no two have the same. */
export async function linesOf(way: Way): Promise<readonly string[]> {
  if (isOnTestbed) return [];
  await using scene = await sceneOf(way);
  const { world, source } = scene;
  // Whoever watches changes the order of what happens at one time; those that die are watched, too.
  const made = await Made.follow(world);
  const passed: string[] = [];
  world.startController({
    atBoundary: () => (boundary) => {
      passed.push(lineOf(boundary));
      if (source.snapshots.length > 1) throw new Error('two snapshots at once');
    },
  });
  await begin(way, world);
  await planWith(world, 'Succeeded');
  await untilClean(world);
  made.stop();
  return passed;
}

async function diesAndMovesAllTheSame(way: Way, ...deaths: readonly KillAt[]): Promise<void> {
  await using scene = await sceneOf(way);
  const { world } = scene;
  const made = await Made.follow(world);
  const [first, ...others] = deaths;
  world.startController({ atBoundary: first!.atBoundary });
  await begin(way, world);
  await first!.struck(world);
  for (const death of others) {
    world.startController({ atBoundary: death.atBoundary });
    await death.struck(world);
  }
  await movesAllTheSame(way, scene, made);
}

/** The last controller finds whatever the dead ones have left, and the VM is moved as if nothing had been. */
export async function movesAllTheSame(way: Way, { world, source }: Scene, made: Made): Promise<void> {
  world.startController();
  await planWith(world, 'Succeeded');
  await untilClean(world);
  await isMovedOnce(world, source, made, writtenOnce(way, world));
  made.stop();
}

/** What the one converter wrote, that of a way with none: a guest must not be converted a second time. */
function writtenOnce(way: Way, world: TestWorld): readonly ConversionWrite[] {
  const written = way.written?.(world) ?? [];
  expect(written.map(({ isWhole }) => isWhole)).toEqual(way.written === undefined ? [] : [true]);
  return written;
}

async function cancelledIn(way: Way, phase: string): Promise<void> {
  await using scene = await sceneOf(way);
  const { world, source } = scene;
  let isSaid = false;
  const cancel = async (boundary: Boundary): Promise<void> => {
    if (isSaid || phaseOf(lineOf(boundary)) !== phase) return;
    isSaid = true;
    const patch = { spec: { cancel: [{ id: source.id }] } };
    await world.client.mergePatch(migrations, { namespace: world.planNamespace, name: 'run' }, patch);
  };
  world.startController({ atBoundary: () => cancel });
  await begin(way, world);
  await world.until('the run has ended', async () => {
    const migration = await world.get(migrations, world.planNamespace, 'run');
    return migration?.status?.completed === undefined ? undefined : true;
  });
  await untilClean(world);
  await runsOnce(scene);
}

/** Either the source or the target, and nothing is left behind. */
async function runsOnce({ world, source }: Scene): Promise<void> {
  await nothingWithOurLabel(world);
  expect(source.snapshots).toEqual([]);
  const target = await world.get(virtualMachines, world.targetNamespace, 'web-01');
  if (target === undefined) {
    expect(source.power).toBe('poweredOn');
    const { items: claims } = await world.client.list(persistentVolumeClaims, {
      namespace: world.targetNamespace,
    });
    expect(claims).toEqual([]);
    return;
  }
  expect(source.power).toBe('poweredOff');
  await world.until('the target runs', async () => {
    const found = await world.get(virtualMachines, world.targetNamespace, 'web-01');
    return found?.spec.runStrategy === 'Always' ? true : undefined;
  });
}

/** A controller that dies at each of these lines, one test a line. */
export function describeEachLine(way: Way, lines: readonly string[]): void {
  const phases = way.itinerary.phases.filter((phase) => !way.silent.includes(phase));
  const eachLine = sandboxOnly({ numbers: 'each line of a migration' });
  eachLine.describe(`a controller that dies at any line of a ${way.itinerary.id} migration`, () => {
    let seen = 0;

    test('tells of its lines', () => {
      expect(lines.length).toBeGreaterThan(30);
      for (const effect of way.effects) expect(lines.some((line) => line.endsWith(` ${effect}`))).toBe(true);
      expect(new Set(lines.map(phaseOf))).toEqual(new Set(phases));
    });

    test.each(lines.map((name, index) => [index, name] as const))(
      'is replaced and the VM moves all the same (%i, %s)',
      async (index) => {
        await diesAndMovesAllTheSame(way, new KillAt(index));
        seen += 1;
      },
    );

    afterAll(() => {
      expect(seen).toBe(lines.length);
    });
  });
}

/** @param onTestbed so many of the phases are tried on real programs, whose time is real. */
export function describeEachPhase(way: Way, onTestbed = Infinity): void {
  const phases = way.itinerary.phases.filter((phase) => !way.silent.includes(phase));
  const each = firstOnTestbed(
    onTestbed,
    phases.map((phase) => [phase] as const),
  );

  describe(`a controller that dies in a ${way.itinerary.id} migration`, () => {
    each('as soon as it comes to %s is replaced and the VM moves all the same', async (phase) => {
      await diesAndMovesAllTheSame(way, new KillAt((line) => phaseOf(line) === phase));
    });

    test('right after each thing that it does is replaced each time, and the VM moves all the same', async () => {
      const deaths = way.effects.map(
        (effect) => new KillAt((line) => line.startsWith('after act: ') && line.endsWith(` ${effect}`)),
      );
      await diesAndMovesAllTheSame(way, ...deaths);
    });
  });

  describe(`a cancel of a ${way.itinerary.id} migration`, () => {
    each('in %s leaves either the source or the target running, and nothing behind', async (phase) => {
      await cancelledIn(way, phase);
    });
  });
}
