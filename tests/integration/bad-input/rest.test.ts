import { describe, expect, test } from '@jest/globals';
import { plans, secrets } from '../../../src/api/kinds.ts';
import { plannedWorld, untilClean } from '../../support/move.ts';
import { migrationObject } from '../../support/objects.ts';
import type { ControllerInstance } from '../../support/controller-instance.ts';
import type { TestWorld } from '../../support/world.ts';
import { edit, ends, planSays, providerSays } from './looking.ts';

const web = { name: 'web-01', power: 'on' } as const;

/** Requests in ten minutes, apart from the renewal of watches. */
async function requestsAtRest(world: TestWorld, controller: ControllerInstance): Promise<readonly string[]> {
  await world.letPass(30);
  const before = controller.requests.length;
  await world.letPass(600);
  return controller.requests.slice(before).filter((request) => !/^(list|watch) /.test(request));
}

describe('at rest, nothing is asked of the API server', () => {
  test('by a Plan that is Ready', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    const controller = world.startController();
    await planSays(world, 'Ready');
    expect(await requestsAtRest(world, controller)).toEqual([]);
  });

  test('by a Plan that is not Ready, with a Migration that waits for it', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    await edit(world, plans, 'plan', { spec: { vms: [{ name: 'nobody' }] } });
    await world.apply(migrationObject(world));
    const controller = world.startController();
    await planSays(world, 'VMNotFound');
    expect(await requestsAtRest(world, controller)).toEqual([]);
  });

  test('by a Provider whose password is refused', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    const stringData = { password: 'wrong' };
    await world.client.mergePatch(
      secrets,
      { namespace: world.planNamespace, name: 'vcenter' },
      { stringData },
    );
    const controller = world.startController();
    await providerSays(world, 'ConnectionAuthFailed');
    expect(await requestsAtRest(world, controller)).toEqual([]);
  });

  test('by a Provider whose source is down, though it is tried again and again', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    world.faults.start('vcenter-down');
    const controller = world.startController();
    await providerSays(world, 'ConnectionTestFailed');
    expect(await requestsAtRest(world, controller)).toEqual([]);
  });

  test('by a run that is over', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    const controller = world.startController();
    await world.apply(migrationObject(world));
    await ends(world, 'Succeeded');
    await untilClean(world);
    expect(await requestsAtRest(world, controller)).toEqual([]);
  });

  test('and of the source nothing but what has changed', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    world.startController();
    await planSays(world, 'Ready');
    await world.letPass(30);
    const logins = world.trace.entries.length;
    await world.letPass(600);
    expect(world.trace.entries.slice(logins)).toEqual([]);
    expect(world.vcenter.liveSessions).toBe(1);
  });
});
