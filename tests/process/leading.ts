import { expect } from '@jest/globals';
import type { Pod } from '../../src/api/external/core.ts';
import { leases } from '../../src/api/kinds.ts';
import type { Stored } from '../../src/api/meta.ts';
import type { Door } from './door.ts';
import type { ProcessWorld, RunningGantry } from './process-world.ts';

/**
 * Seconds that a Lease stands. Also on a machine that is very busy nobody loses it without a cause, and it can be waited out: two thirds of
 * it without a successful renewal end a leader.
 */
export const leaseSeconds = 12;

/** A leader at work, and one that waits for its place. */
export interface Pair {
  readonly leader: RunningGantry;
  readonly next: RunningGantry;
}

export async function leaderAndNext(world: ProcessWorld, args: readonly string[] = []): Promise<Pair> {
  const leader = await world.startController({ leaseSeconds, args });
  await leader.gantry.says('leading');
  const next = await world.startController({ leaseSeconds, args });
  await next.gantry.says('caches synced');
  return { leader, next };
}

export async function holder(world: ProcessWorld): Promise<string | undefined> {
  return (await world.get(leases, 'default', 'gantry-controller'))?.spec?.holderIdentity;
}

export function onlyReads({ requests }: Door): boolean {
  return requests.every(({ method }) => method === 'GET');
}

/** Called once, in the moment in which the importer of the n-th stage begins to run. */
export function whenCopying(world: ProcessWorld, stage: number, act: () => void): Disposable {
  const running = new Set<string>();
  let isDone = false;
  return world.sandbox.api.onWrite(({ object }, { plural }) => {
    if (isDone || plural !== 'pods') return;
    const { metadata, status } = object as unknown as Stored<Pod>;
    if (metadata.labels?.['app'] !== 'containerized-data-importer' || status?.phase !== 'Running') return;
    if (running.add(metadata.uid).size < stage) return;
    isDone = true;
    act();
  });
}

/** The other one leads, and not before the Lease of the one that is gone has stood unchanged for its whole time. */
export async function takesOver({ leader, next }: Pair): Promise<void> {
  await next.gantry.says('leading');
  const last = leader.door.ofLease.findLast(({ method }) => method !== 'GET');
  const taken = next.door.ofLease.find(({ method }) => method !== 'GET');
  expect(taken!.atMs - last!.atMs).toBeGreaterThanOrEqual(leaseSeconds * 1000);
}

/** What is told to users about a run: it is refused when the object is no longer the one that was looked at, so it may come late. */
const report = /^PATCH .*\/forklift\.konveyor\.io\/.*\/status$/;

/**
 * A leader that is frozen while the other one takes its place; `freeze` arranges that it is, at a moment of its choice. When it wakes up it
 * does nothing more and ends by itself.
 */
export async function frozenLeaderEnds(
  world: ProcessWorld,
  { leader, next }: Pair,
  freeze: (stop: () => void) => Disposable,
): Promise<void> {
  let isFrozen = false;
  using _freeze = freeze(() => {
    if (isFrozen) return;
    isFrozen = true;
    leader.gantry.signal('SIGSTOP');
  });
  await world.until('the leader is frozen', () => Promise.resolve(isFrozen ? true : undefined));
  await takesOver({ leader, next });
  const before = leader.door.effects.length;
  leader.gantry.signal('SIGCONT');
  expect(await leader.gantry.ends()).toEqual({ code: 1, signal: null });
  expect(leader.gantry.stderr).toContain('gantry: LeadershipLost: ');
  // A report that had passed the fence and was on its way when the process was frozen may still arrive.
  const late = leader.door.effects
    .slice(before)
    .filter(({ method, path }) => !report.test(`${method} ${path}`));
  expect(late).toEqual([]);
}

/** At the first request that looks so, as it arrives. */
export function atRequest({ door }: RunningGantry, what: RegExp): (stop: () => void) => Disposable {
  return (stop) =>
    door.onRequest(({ method, path, isDryRun }) => {
      if (!isDryRun && what.test(`${method} ${path}`)) stop();
    });
}
