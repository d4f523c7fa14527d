import { expect, test } from '@jest/globals';
import { findCondition, isTrue } from '../../../src/api/conditions.ts';
import { plans, secrets } from '../../../src/api/kinds.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { entryOf, importOf, saysWhy, untilImport, type Run } from '../../support/trouble.ts';
import {
  calls,
  cutoverNow,
  isMovedWarm,
  isUnwoundWarm,
  roundsOf,
  startWarm,
  untilCopied,
  untilPaused,
  untilPhase,
} from '../../support/warm.ts';
import { scribble } from '../../support/writing-guest.ts';

const minute = 60_000;
const slow = { copy: { secondsPerDisk: 60 } } as const;

async function copying(run: Run, n: number): Promise<void> {
  await untilImport(
    run.world,
    `copies round ${n}`,
    ({ status }) =>
      status?.records?.roundsTotal === n && (status.disks ?? []).some(({ state }) => state === 'copying'),
  );
}

/** Brings a run to where the trouble begins. */
const places: readonly (readonly [string, (run: Run) => Promise<void>])[] = [
  ['a copy', (run) => copying(run, 1)],
  [
    'a pause',
    async (run) => {
      await untilPaused(run.world, 2);
    },
  ],
  [
    'a cutover',
    async (run) => {
      await untilPaused(run.world, 1);
      await cutoverNow(run.world);
      await untilPhase(run.world, 'Finalize');
    },
  ],
];

async function goesOn(run: Run): Promise<void> {
  if ((await importOf(run.world))?.status?.records?.cutover === undefined) {
    const rounds = await roundsOf(run.world);
    scribble(run.source, 5);
    await untilCopied(run.world, rounds + 1);
    await cutoverNow(run.world);
  }
  await isMovedWarm(run);
  expect(calls(run.world, 'CreateSnapshot_Task')).toBe(await roundsOf(run.world));
}

const outages = sandboxOnly({ skipTime: 'minutes of an outage' });

outages.describe('a vCenter that is gone', () => {
  outages.each(places.flatMap(([place, come]) => [5, 20].map((minutes) => [minutes, place, come] as const)))(
    'for %i minutes in %s costs time and nothing else',
    async (minutes, _place, come) => {
      const run = await startWarm(slow);
      await using _world = run.world;
      await come(run);
      {
        using _down = run.world.faults.start('vcenter-down');
        await run.world.clock.sleep(minutes * minute);
      }
      await goesOn(run);
    },
    60_000,
  );
});

const api = sandboxOnly({ faults: 'an API server that is away' });

api.describe('an API server that is gone', () => {
  api.each(places.flatMap(([place, come]) => [1, 5, 15].map((minutes) => [minutes, place, come] as const)))(
    'for %i minutes in %s costs time and nothing else',
    async (minutes, _place, come) => {
      const run = await startWarm(slow);
      await using _world = run.world;
      await come(run);
      {
        using _outage = api.world(run.world).faults.start('api-outage');
        await run.world.clock.sleep(minutes * minute);
      }
      await goesOn(run);
    },
    60_000,
  );
});

const interval = sandboxOnly({ skipTime: 'an interval of ten minutes' });

interval.describe('a controller', () => {
  test('that is started again in a pause knows when the next round comes', async () => {
    const run = await startWarm({ settings: { precopySeconds: 600 } });
    await using _world = run.world;
    const paused = await untilPaused(run.world);
    run.controller.kill();
    await run.world.letPass(120);
    run.world.startController();
    const next = await untilPaused(run.world, 2);
    const planned = Date.parse(paused.status!.records!.nextRoundAt!);
    const begun = Date.parse(next.status!.records!.rounds!.at(-1)!.startedAt);
    expect(Math.abs(begun - planned)).toBeLessThan(10_000);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });
});

const rotation = sandboxOnly({ faults: 'an importer that crashes at a fifth of a disk' });

rotation.describe('a password that is changed in the middle of a round', () => {
  rotation.test(
    'is told once, and after the edit of the Secret all goes on within half a minute',
    async () => {
      const run = await startWarm({ ...slow, sandbox: { cdi: { faultAtPercent: 20 } } });
      await using _world = run.world;
      await copying(run, 1);
      run.world.vcenter.setAccount('rotated');
      // What is open stays open; who comes anew is refused.
      rotation.world(run.world).faults.start('importer-crash', { times: 1 });
      await untilImport(run.world, 'says so', ({ status }) =>
        isTrue(status?.conditions, 'SourceUnavailable'),
      );
      await run.world.letPass(600);
      const plan = await run.world.get(plans, run.world.planNamespace, 'plan');
      expect(findCondition(plan?.status?.conditions, 'SourceCredentialsRejected')).toBeDefined();
      expect((await importOf(run.world))?.status?.error).toBeUndefined();
      const at = { namespace: run.world.planNamespace, name: 'vcenter' };
      const data = { password: Buffer.from('rotated').toString('base64') };
      await run.world.client.mergePatch(secrets, at, { data });
      await untilImport(
        run.world,
        'goes on',
        ({ status }) => !isTrue(status?.conditions, 'SourceUnavailable'),
        'web-01',
        30,
      );
      await goesOn(run);
    },
  );
});

const crashes = sandboxOnly({ faults: 'importers that crash' });

crashes.describe('importers that crash', () => {
  crashes.test('three times in each round are within the budget of each', async () => {
    const run = await startWarm();
    await using _world = run.world;
    const { faults } = crashes.world(run.world);
    const claim = async (): Promise<string> => (await importOf(run.world))!.spec.disks[0]!.claimName;
    await untilPaused(run.world);
    for (const round of [2, 3]) {
      faults.start('importer-crash', { subject: await claim(), times: 3 });
      scribble(run.source, round);
      await untilPaused(run.world, round);
    }
    expect((await entryOf(run.world))?.warm?.failures).toBeGreaterThanOrEqual(3);
    await cutoverNow(run.world);
    await isMovedWarm(run);
  });

  crashes.test('four times in one round end the run, the source in service', async () => {
    const run = await startWarm();
    await using _world = run.world;
    await untilPaused(run.world);
    const { claimName } = (await importOf(run.world))!.spec.disks[0]!;
    crashes.world(run.world).faults.start('importer-crash', { subject: claimName, times: 4 });
    scribble(run.source, 1);
    saysWhy(await isUnwoundWarm(run), 'ImporterFailed', 'failed 4 times');
  });
});
