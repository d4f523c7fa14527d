import { describe, expect, test } from '@jest/globals';
import { leases } from '../../src/api/kinds.ts';
import { Made, planWith, untilClean } from '../support/move.ts';
import { isMovedOnce } from '../support/moved.ts';
import { migrationObject } from '../support/objects.ts';
import type { Door } from './door.ts';
import { ProcessWorld, type RunningGantry } from './process-world.ts';

/** Long enough on a busy machine that something can happen in the middle of it: at speed 20 a disk takes 2 s. */
const slowCopy = { cdi: { secondsPerDisk: 40 } } as const;

async function holder(world: ProcessWorld): Promise<string | undefined> {
  return (await world.get(leases, 'default', 'gantry-controller'))?.spec?.holderIdentity;
}

async function untilCopying(world: ProcessWorld): Promise<void> {
  await world.until('the disk is being copied', async () => {
    const status = (await world.imports())[0]?.status;
    const isCopying = (status?.disks ?? []).some(({ state }) => state === 'copying');
    return status?.phase === 'CopyDisks' && isCopying ? true : undefined;
  });
}

/** A leader at work, and one that waits for its place. */
async function leaderAndNext(
  world: ProcessWorld,
  leaseSeconds = 2,
): Promise<{ readonly leader: RunningGantry; readonly next: RunningGantry }> {
  const leader = await world.startController({ leaseSeconds });
  await leader.gantry.says('leading');
  const next = await world.startController({ leaseSeconds });
  await next.gantry.says('caches synced');
  return { leader, next };
}

async function movedOnce(world: ProcessWorld, made: Made): Promise<void> {
  await planWith(world, 'Succeeded');
  await untilClean(world);
  await isMovedOnce(world, world.source, made);
  made.stop();
}

function onlyReads({ requests }: Door): boolean {
  return requests.every(({ method }) => method === 'GET');
}

describe('a controller that is told to stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s ends with 0 at once and lets the lease go, so that the next one need not wait it out',
    async (signal) => {
      await using world = await ProcessWorld.start();
      const { leader, next } = await leaderAndNext(world, 15);
      const toldMs = world.clock.monotonicMs();
      leader.gantry.signal(signal);
      expect(await leader.gantry.ends(10)).toEqual({ code: 0, signal: null });
      expect(leader.gantry.has('lease released')).toBe(true);
      await next.gantry.says('leading', 10);
      // Far sooner than the 15 s for which a lease that was not let go would stand: the next looks every 2 to 2.4 s.
      expect(world.clock.monotonicMs() - toldMs).toBeLessThan(12_000);
      expect(await holder(world)).toMatch(/^gantry-1-/);
    },
  );

  test('in the middle of a run leaves it to the next one, who ends it well', async () => {
    await using world = await ProcessWorld.start(slowCopy);
    const made = await Made.follow(world);
    await world.apply(migrationObject(world));
    const { leader } = await leaderAndNext(world);
    await untilCopying(world);
    leader.gantry.signal('SIGTERM');
    expect(await leader.gantry.ends(10)).toEqual({ code: 0, signal: null });
    await movedOnce(world, made);
  });

  test('while it waits for the lease ends with 0, and has changed nothing', async () => {
    await using world = await ProcessWorld.start();
    const { leader, next } = await leaderAndNext(world);
    next.gantry.signal('SIGINT');
    expect(await next.gantry.ends(5)).toEqual({ code: 0, signal: null });
    expect(onlyReads(next.door)).toBe(true);
    expect(await holder(world)).toMatch(/^gantry-0-/);
    expect(leader.gantry.exit).toBeUndefined();
  });
});

const isReport = /\/(plans|migrations)\/[^/]+\/status$/;

describe('two controllers with one lease', () => {
  test('only one acts; the other only watches until the end', async () => {
    await using world = await ProcessWorld.start();
    const made = await Made.follow(world);
    const { leader, next } = await leaderAndNext(world);
    await world.apply(migrationObject(world));
    await movedOnce(world, made);
    expect(leader.door.effects.length).toBeGreaterThan(10);
    expect(onlyReads(next.door)).toBe(true);
  });

  test('the other takes over when the leader is killed in the middle of a copy, as soon as the lease has run out', async () => {
    await using world = await ProcessWorld.start(slowCopy);
    const made = await Made.follow(world);
    await world.apply(migrationObject(world));
    const { leader, next } = await leaderAndNext(world);
    await untilCopying(world);
    leader.gantry.signal('SIGKILL');
    const { signal } = await leader.gantry.ends();
    const diedMs = world.clock.monotonicMs();
    expect({ signal, isNextIdle: onlyReads(next.door) }).toEqual({ signal: 'SIGKILL', isNextIdle: true });
    await next.gantry.says('leading');
    const waitedMs = world.clock.monotonicMs() - diedMs;
    expect(waitedMs).toBeGreaterThan(1000);
    await movedOnce(world, made);
  });

  test.each([
    ['before it powers the source off', /^PATCH .*\/virtualmachineimports\/[^/]+\/status$/],
    ['when it gives the importer access', /^POST .*\/secrets$/],
    ['when it creates a volume', /^POST .*\/datavolumes$/],
    ['when it creates the VM', /^POST .*\/virtualmachines$/],
  ])(
    'a leader that is frozen for longer than its lease, %s, does nothing more and ends by itself',
    async (_when, what) => {
      await using world = await ProcessWorld.start();
      const made = await Made.follow(world);
      const { leader, next } = await leaderAndNext(world);
      let isFrozen = false;
      leader.door.onRequest(({ method, path }) => {
        if (isFrozen || !what.test(`${method} ${path}`)) return;
        isFrozen = true;
        leader.gantry.signal('SIGSTOP');
      });
      await world.apply(migrationObject(world));
      await next.gantry.says('leading');
      const before = leader.door.effects.length;
      leader.gantry.signal('SIGCONT');
      expect(await leader.gantry.ends()).toEqual({ code: 1, signal: null });
      expect(leader.gantry.stderr).toContain('gantry: LeadershipLost: ');
      expect(isFrozen).toBe(true);
      // A report that had passed the fence and was on its way when the process was frozen may still arrive; it tests what it rests on.
      const late = leader.door.effects.slice(before).filter(({ path }) => !isReport.test(path));
      expect(late).toEqual([]);
      await movedOnce(world, made);
      expect(await holder(world)).toMatch(/^gantry-1-/);
      expect(next.gantry.exit).toBeUndefined();
      const told = world.sandbox.trace.entries.filter(
        ({ on, what }) => on === world.source.name && /PowerO|Shutdown/.test(what),
      );
      expect(told.map((entry) => entry.what)).toEqual(['ShutdownGuest']);
    },
  );
});
