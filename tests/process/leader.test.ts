import { describe, expect, test } from '@jest/globals';
import { Limiter } from '../../src/runtime/limiter.ts';
import { Made, planWith, untilClean } from '../support/move.ts';
import { isMovedOnce } from '../support/moved.ts';
import { migrationObject } from '../support/objects.ts';
import {
  atRequest,
  frozenLeaderEnds,
  holder,
  leaderAndNext,
  leaseSeconds,
  onlyReads,
  takesOver,
  whenCopying,
  type Pair,
} from './leading.ts';
import { testPatienceMs } from './patience.ts';
import { ProcessWorld } from './process-world.ts';

/** At speed 20 a disk takes 2 s: what happens as its copy begins happens in the middle of it. */
const slowCopy = { cdi: { secondsPerDisk: 40 } } as const;

/** Most of the time is spent waiting for leases to run out: a few worlds at once lose nothing by that. */
const worlds = new Limiter(4);

function inWorlds(body: () => Promise<void>): () => Promise<void> {
  return () => worlds.run(body);
}

async function movedOnce(world: ProcessWorld, made: Made): Promise<void> {
  await planWith(world, 'Succeeded');
  await untilClean(world);
  await isMovedOnce(world, world.source, made);
  made.stop();
}

/** It asked for the Lease so often. */
function looks({ next }: Pair): number {
  return next.door.ofLease.filter(({ method }) => method === 'GET').length;
}

async function toldToStop(signal: 'SIGTERM' | 'SIGINT'): Promise<void> {
  await using world = await ProcessWorld.start();
  const pair = await leaderAndNext(world);
  const { leader, next } = pair;
  leader.gantry.signal(signal);
  expect(await leader.gantry.ends()).toEqual({ code: 0, signal: null });
  expect(leader.gantry.has('lease released')).toBe(true);
  const before = looks(pair);
  await next.gantry.says('leading');
  // It looks seven times in the life of a Lease. One look may be on its way, at the next one it finds the Lease free.
  expect(looks(pair) - before).toBeLessThanOrEqual(2);
  expect(await holder(world)).toMatch(/^gantry-1-/);
}

describe('a controller that is told to stop', () => {
  test.concurrent.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s ends with 0 and lets the lease go, so that the next one need not wait it out',
    (signal) => worlds.run(() => toldToStop(signal)),
    testPatienceMs,
  );

  test.concurrent(
    'in the middle of a run leaves it to the next one, who ends it well',
    inWorlds(async () => {
      await using world = await ProcessWorld.start(slowCopy);
      const made = await Made.follow(world);
      const { leader } = await leaderAndNext(world);
      using _copying = whenCopying(world, 1, () => leader.gantry.signal('SIGTERM'));
      await world.apply(migrationObject(world));
      expect(await leader.gantry.ends()).toEqual({ code: 0, signal: null });
      await movedOnce(world, made);
    }),
    testPatienceMs,
  );

  test.concurrent(
    'while it waits for the lease ends with 0, and has changed nothing',
    inWorlds(async () => {
      await using world = await ProcessWorld.start();
      const { leader, next } = await leaderAndNext(world);
      next.gantry.signal('SIGINT');
      expect(await next.gantry.ends()).toEqual({ code: 0, signal: null });
      expect(onlyReads(next.door)).toBe(true);
      expect(await holder(world)).toMatch(/^gantry-0-/);
      expect(leader.gantry.exit).toBeUndefined();
    }),
    testPatienceMs,
  );
});

async function frozen(what: RegExp): Promise<void> {
  await using world = await ProcessWorld.start();
  const made = await Made.follow(world);
  const pair = await leaderAndNext(world);
  await world.apply(migrationObject(world));
  await frozenLeaderEnds(world, pair, atRequest(pair.leader, what));
  await movedOnce(world, made);
  expect(await holder(world)).toMatch(/^gantry-1-/);
  expect(pair.next.gantry.exit).toBeUndefined();
  const told = world.trace.entries.filter(
    (entry) => entry.on === world.source.name && /PowerO|Shutdown/.test(entry.what),
  );
  expect(told.map((entry) => entry.what)).toEqual(['ShutdownGuest']);
}

describe('two controllers with one lease', () => {
  test.concurrent(
    'only one acts; the other only watches until the end',
    inWorlds(async () => {
      await using world = await ProcessWorld.start();
      const made = await Made.follow(world);
      const { leader, next } = await leaderAndNext(world);
      await world.apply(migrationObject(world));
      await movedOnce(world, made);
      expect(leader.door.effects.length).toBeGreaterThan(10);
      expect(onlyReads(next.door)).toBe(true);
    }),
    testPatienceMs,
  );

  test.concurrent(
    'the other takes over when the leader is killed in the middle of a copy, once the lease has run out',
    inWorlds(async () => {
      await using world = await ProcessWorld.start(slowCopy);
      const made = await Made.follow(world);
      const pair = await leaderAndNext(world);
      using _copying = whenCopying(world, 1, () => pair.leader.gantry.signal('SIGKILL'));
      await world.apply(migrationObject(world));
      expect(await pair.leader.gantry.ends()).toEqual({ code: null, signal: 'SIGKILL' });
      await takesOver(pair);
      await movedOnce(world, made);
    }),
    testPatienceMs,
  );

  test.concurrent.each([
    ['before it powers the source off', /^PATCH .*\/virtualmachineimports\/[^/]+\/status$/],
    ['when it gives the importer access', /^POST .*\/secrets$/],
    ['when it creates a volume', /^POST .*\/datavolumes$/],
    ['when it creates the VM', /^POST .*\/virtualmachines$/],
  ])(
    `a leader that is frozen for longer than its lease of ${leaseSeconds} s, %s, does nothing more and ends by itself`,
    (_when, what) => worlds.run(() => frozen(what)),
    testPatienceMs,
  );
});
