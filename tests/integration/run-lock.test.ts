import { describe, expect, test } from '@jest/globals';
import { isTrue } from '../../src/api/conditions.ts';
import { migrations, plans } from '../../src/api/kinds.ts';
import { plannedWorld, planWith, untilClean } from '../support/move.ts';
import { migrationObject } from '../support/objects.ts';
import { KillAt } from '../support/kill-at.ts';
import { sandboxOnly } from '../support/needs.ts';
import type { TestWorld } from '../support/world.ts';

const vm = { name: 'web-01', power: 'on' } as const;

sandboxOnly({ skipTime: 'two minutes for a guest' }).describe('a run that has failed', () => {
  /** The guest never shuts down, so the VM fails and its source stays on. */
  async function failing() {
    const planned = await plannedWorld([vm], {
      settings: { powerOffDeadlineSeconds: 60, latePowerOffSeconds: 120 },
    });
    planned.world.faults.start('guest-ignores-shutdown');
    await planned.world.apply(migrationObject(planned.world));
    return planned;
  }

  async function isFailedOnce(world: TestWorld): Promise<void> {
    const plan = await planWith(world, 'Failed');
    await untilClean(world);
    await world.until('the Migration knows', async () => {
      const migration = await world.get(migrations, world.planNamespace, 'run');
      return isTrue(migration?.status?.conditions, 'Failed') ? true : undefined;
    });
    await world.letPass(60);
    const later = await world.get(plans, world.planNamespace, 'plan');
    expect(later?.status?.migration?.history).toHaveLength(1);
    expect(later?.status?.migration?.vms).toEqual(plan.status?.migration?.vms);
  }

  const lastWrites = [1, 2, 3, 4, 5, 6, 7, 8];

  test.each(lastWrites)(
    'is not begun again by itself when the process dies %i writes before its last',
    async (back) => {
      let writes = 0;
      {
        const { world } = await failing();
        await using _world = world;
        world.startController({ atWrite: () => () => void (writes += 1) });
        await isFailedOnce(world);
      }
      const { world, sources } = await failing();
      await using _world = world;
      const death = new KillAt(writes - back - 1);
      world.startController({ atWrite: death.atWrite });
      await death.struck(world);
      world.startController();
      await isFailedOnce(world);
      expect(sources[0]?.power).toBe('poweredOn');
    },
  );
});

describe('a run that another controller has begun', () => {
  test('is closed and told, and no VM of it is touched', async () => {
    const { world, sources } = await plannedWorld([vm]);
    await using _world = world;
    await world.apply(migrationObject(world));
    const plan = await world.get(plans, world.planNamespace, 'plan');
    const migration = await world.get(migrations, world.planNamespace, 'run');
    const now = '2026-01-02T03:00:00Z';
    const ref = { namespace: world.planNamespace, name: 'x', uid: 'x', generation: 1 };
    const entry = {
      conditions: [
        { type: 'Executing', status: 'True', category: 'Advisory', durable: true, lastTransitionTime: now },
      ],
      plan: { ...ref, uid: plan?.metadata.uid ?? '' },
      migration: { ...ref, name: 'run', uid: migration?.metadata.uid ?? '' },
      provider: { source: ref, destination: ref },
      map: { network: ref, storage: ref },
    };
    const vms = [{ id: sources[0]?.id, name: 'web-01', phase: 'CopyDisks', pipeline: [], started: now }];
    const status = { migration: { started: now, history: [entry], vms } };
    await world.client.mergePatch(
      plans,
      { namespace: world.planNamespace, name: 'plan' },
      { status },
      { subresource: 'status' },
    );

    world.startController();
    const failed = await planWith(world, 'Failed');
    const [shown] = failed.status?.migration?.vms ?? [];
    expect(shown?.error?.reasons[0]).toContain('begun by another controller');
    const closed = await world.get(migrations, world.planNamespace, 'run');
    expect(isTrue(closed?.status?.conditions, 'Failed')).toBe(true);
    await world.letPass(600);
    expect(sources[0]?.power).toBe('poweredOn');
    expect(await world.imports()).toEqual([]);
  });
});
