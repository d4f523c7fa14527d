import { expect } from '@jest/globals';
import { findCondition } from '../../../src/api/conditions.ts';
import { sandboxOnly } from '../../support/needs.ts';
import { entryOf, importOf, powerCalls, untilImport, type Run } from '../../support/trouble.ts';
import {
  calls,
  cutoverNow,
  isBare,
  isMovedWarm,
  lastRound,
  roundsOf,
  startWarm,
  untilPaused,
} from '../../support/warm.ts';
import { writingGuest } from '../../support/writing-guest.ts';

const minutes = 60;
const hours = 60 * minutes;

/** Every merge takes 108 s, and the first one three hours: `consolidation-slow` takes a hundred times as long. */
const merges = { vcenter: { latencies: { consolidateMs: (3 * hours * 1000) / 100 } } };

async function startSlow(): Promise<Run> {
  return startWarm({
    sandbox: merges,
    settings: { precopySeconds: 10 * minutes },
    prepare(world) {
      world.faults.start('consolidation-slow', { subject: 'web-01', times: 1 });
      return Promise.resolve();
    },
  });
}

async function untilMerging({ world }: Run): Promise<void> {
  const object = await untilImport(world, 'waits', ({ status }) => status?.waitingFor === 'Consolidation');
  expect(object.status?.phase).toBe('WaitForPreviousSnapshotRemoval');
  expect(object.status?.message).toContain(`snapshot ${lastRound(object)!.marker} to be merged`);
}

/** Seconds from the copy of the first round until its snapshot was seen to be gone. */
async function mergeSeconds({ world }: Run): Promise<number> {
  const first = (await importOf(world))!.status!.records!.rounds![0]!;
  return (Date.parse(first.removedAt!) - Date.parse(first.copiedAt!)) / 1000;
}

/** What the controller has written so far. */
function writes({ controller }: Run): readonly string[] {
  return controller.requests.filter((request) => !/^(get|list|watch) /.test(request));
}

/** In service, asked for once, and nothing was begun that waits behind it. */
async function isAtRest({ world, source }: Run): Promise<void> {
  expect(source.power).toBe('poweredOn');
  expect(powerCalls(world)).toEqual([]);
  expect(source.snapshots).toEqual([]);
  expect(
    ['CreateSnapshot_Task', 'RemoveSnapshot_Task', 'ConsolidateVMDisks_Task'].map((method) =>
      calls(world, method),
    ),
  ).toEqual([1, 1, 0]);
  expect(await roundsOf(world)).toBe(1);
}

const long = sandboxOnly({ skipTime: 'the three hours that a merge takes' });

long.describe('a merge of three hours', () => {
  long.test('is waited for while the source is in service, and then the rounds go on', async () => {
    const run = await startSlow();
    await using world = run.world;
    using _guest = writingGuest(world.clock, run.source, 60);
    await untilMerging(run);
    await world.letPass(5 * minutes);
    const before = writes(run).length;
    await world.letPass(110 * minutes);
    await isAtRest(run);
    // It is looked at all the time, and nothing is written as long as nothing is new.
    expect(writes(run).slice(before)).toEqual([]);

    await world.letPass(15 * minutes);
    const object = (await importOf(world))!;
    const slow = findCondition(object.status?.conditions, 'ConsolidationSlow');
    expect(slow).toMatchObject({ status: 'True', category: 'Warn' });
    expect(slow?.message).toContain('the next round waits for it');
    expect(findCondition((await entryOf(world))?.conditions, 'ConsolidationSlow')).toBeDefined();

    const told = writes(run).length;
    await world.letPass(40 * minutes);
    expect(writes(run).slice(told)).toEqual([]);

    await untilPaused(world, 2);
    expect(await mergeSeconds(run)).toBeGreaterThanOrEqual(3 * hours);
    expect(await mergeSeconds(run)).toBeLessThan(3 * hours + 2 * minutes);
    const after = (await importOf(world))!;
    expect(findCondition(after.status?.conditions, 'ConsolidationSlow')).toBeUndefined();
    isBare(run);
    await cutoverNow(world);
    await isMovedWarm(run);
  });

  long.test('holds up the cutover that is due, and is no part of its downtime', async () => {
    const run = await startSlow();
    await using world = run.world;
    using _guest = writingGuest(world.clock, run.source, 60);
    await untilMerging(run);
    await cutoverNow(world);
    await world.letPass(170 * minutes);
    await isAtRest(run);
    await isMovedWarm(run);
    const { power, rounds, committedAt } = (await importOf(world))!.status!.records!;
    expect(Date.parse(power!.offRequestedAt!)).toBeGreaterThanOrEqual(Date.parse(rounds![0]!.removedAt!));
    expect(Date.parse(committedAt!) - Date.parse(power!.offRequestedAt!)).toBeLessThan(5 * minutes * 1000);
    expect(await roundsOf(world)).toBe(2);
  });

  long.test('is known to a controller that is started in the middle of it', async () => {
    const run = await startSlow();
    await using world = run.world;
    await untilMerging(run);
    await world.letPass(1 * hours);
    run.controller.kill();
    await world.letPass(10 * minutes);
    const next = world.startController();
    await world.letPass(1 * hours);
    await isAtRest(run);
    await untilMerging(run);
    await cutoverNow(world);
    await isMovedWarm(run);
    await next.stop();
  });
});
