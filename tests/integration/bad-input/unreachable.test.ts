import { describe, expect, test } from '@jest/globals';
import { migrations, plans, providers } from '../../../src/api/kinds.ts';
import { isTrue } from '../../../src/api/conditions.ts';
import { plannedWorld, planWith, untilClean } from '../../support/move.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { migrationObject } from '../../support/objects.ts';
import {
  conditionsOf,
  edit,
  isUntouched,
  planSays,
  providerSays,
  soonSeconds,
  typesOf,
  untilCondition,
  ends,
  untilMidCopy,
} from './looking.ts';

const web = { name: 'web-01', power: 'on' } as const;
const fiveMinutes = 300;

describe('a source that cannot be reached', () => {
  test('at the start is one condition on its Provider; when it is back the waiting Migration runs by itself', async () => {
    const { world, sources } = await plannedWorld([web]);
    await using _world = world;
    const outage = world.faults.start('vcenter-down');
    await world.apply(migrationObject(world));
    world.startController();
    const condition = await providerSays(world, 'ConnectionTestFailed');
    expect(condition).toMatchObject({ category: 'Critical', reason: 'Unreachable' });
    expect(condition.message).toContain(`No answer from ${world.vcenter.url} (`);
    expect(condition.message).toContain('Is the server up, and the URL right?');
    await planSays(world, 'SourceProviderNotReady');
    await untilCondition(world, migrations, 'run', 'PlanNotReady');
    await world.letPass(fiveMinutes);
    isUntouched(world, sources[0]!);

    outage[Symbol.dispose]();
    await planSays(world, 'Executing', soonSeconds);
    await ends(world, 'Succeeded');
  });

  test('by its URL is told with the URL, and found again after the edit', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    const { url } = world.vcenter;
    await edit(world, providers, 'vcenter', { spec: { url: 'https://elsewhere.example/sdk' } });
    world.startController();
    const condition = await providerSays(world, 'ConnectionTestFailed');
    expect(condition.message).toContain('https://elsewhere.example/sdk');
    await edit(world, providers, 'vcenter', { spec: { url } });
    await planSays(world, 'Ready', soonSeconds);
  });

  test.each(['not a url', 'http://vcenter.example/sdk', 'https://user:secret@vcenter.example/sdk'])(
    'because its URL is "%s" is told without trying',
    async (url) => {
      const { world } = await plannedWorld([web]);
      await using _world = world;
      await edit(world, providers, 'vcenter', { spec: { url } });
      world.startController();
      const condition = await providerSays(world, 'UrlNotValid');
      expect(condition).toMatchObject({ category: 'Critical', reason: 'Malformed' });
      expect(condition.message).not.toContain('secret@');
    },
  );

  test('under a Ready Provider makes it say so, and its Plan wait, until it is back', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    world.startController();
    await planSays(world, 'Ready');
    const outage = world.faults.start('vcenter-down');
    const condition = await providerSays(world, 'ConnectionTestFailed', soonSeconds);
    expect(condition).toMatchObject({ category: 'Critical', reason: 'Unreachable' });
    const types = await typesOf(world, providers, 'vcenter');
    expect(types).not.toContain('Ready');
    expect(types).not.toContain('ConnectionTestSucceeded');
    // What was loaded before is still shown.
    expect(types).toContain('InventoryCreated');
    await planSays(world, 'SourceProviderNotReady', soonSeconds);
    await world.letPass(fiveMinutes);
    outage[Symbol.dispose]();
    await providerSays(world, 'Ready', soonSeconds);
    await planSays(world, 'Ready', soonSeconds);
  });

  test('for a moment is not even told', async () => {
    const { world } = await plannedWorld([web]);
    await using _world = world;
    world.startController();
    await planSays(world, 'Ready');
    const before = await conditionsOf(world, providers, 'vcenter');
    world.vcenter.dropConnections();
    await world.letPass(soonSeconds);
    expect(await conditionsOf(world, providers, 'vcenter')).toEqual(before);
  });

  sandboxOnly({ skipTime: 'the five minutes' }).test(
    'for five minutes in the middle of a copy fails no VM: they wait, say why, and go on',
    async () => {
      const { world } = await plannedWorld([web, { name: 'web-02', power: 'on' }], {
        copy: { secondsPerDisk: 60 },
      });
      await using _world = world;
      world.startController();
      await world.apply(migrationObject(world));
      await untilMidCopy(world);
      const outage = world.faults.start('vcenter-down');
      await providerSays(world, 'ConnectionTestFailed', soonSeconds);
      await world.until(
        'all imports say what they wait for',
        async () => {
          const imports = await world.imports();
          const wait = imports.every(({ status }) => isTrue(status?.conditions, 'SourceUnavailable'));
          return wait ? true : undefined;
        },
        soonSeconds,
      );
      await world.letPass(fiveMinutes);
      expect(isTrue(await conditionsOf(world, plans, 'plan'), 'Executing')).toBe(true);
      outage[Symbol.dispose]();
      const back = world.clock.now();
      await world.until(
        'the copy goes on',
        async () => {
          const imports = await world.imports();
          const goesOn = imports.every(({ status }) => !isTrue(status?.conditions, 'SourceUnavailable'));
          return goesOn ? true : undefined;
        },
        soonSeconds,
      );
      const plan = await planWith(world, 'Succeeded');
      expect(plan.status?.migration?.vms?.map(({ error }) => error)).toEqual([undefined, undefined]);
      // A minute of copying and what stands around it, not the back-off of pods that failed for five minutes.
      expect(world.clock.now() - back).toBeLessThan(150_000);
      await untilClean(world);
    },
  );

  test.each(['Preflight', 'WaitForPowerOff', 'StartVM'])(
    'for five minutes in %s fails no VM',
    async (phase) => {
      const { world } = await plannedWorld([web]);
      await using _world = world;
      let outage: Disposable | undefined;
      world.startController({
        atBoundary:
          () =>
          ({ when, what, name }) => {
            if (outage !== undefined || when !== 'after' || what !== 'save' || !name.includes(` ${phase} `))
              return;
            outage = world.faults.start('vcenter-down');
          },
      });
      await world.apply(migrationObject(world));
      await world.until('the outage begins', () => Promise.resolve(outage === undefined ? undefined : true));
      await world.until('the import says what it waits for', async () => {
        const [object] = await world.imports();
        return isTrue(object?.status?.conditions, 'SourceUnavailable') ? true : undefined;
      });
      await world.letPass(fiveMinutes);
      outage?.[Symbol.dispose]();
      await ends(world, 'Succeeded');
    },
  );
});
