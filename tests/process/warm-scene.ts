import { expect } from '@jest/globals';
import { dataVolumes, migrations, pods, secrets } from '../../src/api/kinds.ts';
import type { ResourceKind } from '../../src/api/meta.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import { isMovedOnce } from '../support/moved.ts';
import type { Made } from '../support/move.ts';
import { warmPlan } from '../support/warm.ts';
import { writingGuest } from '../support/writing-guest.ts';
import type { Followed, Scene } from './kill-points.ts';
import { ProcessWorld, type ProcessWorldOptions } from './process-world.ts';

/** Rounds in quick succession: the clock of these worlds is real. */
export const quickRounds = [
  ...['--set', 'precopySeconds=1', '--set', 'precopyFloorSeconds=0'],
  ...['--set', 'precopyJitterPercent=0'],
];

/** A warm plan for a VM whose guest is to write. */
export function startWarmWorld(options: ProcessWorldOptions = {}): Promise<ProcessWorld> {
  const vm = { changeTracking: true, disks: [{ sizeBytes: 1024 * 1024 }] };
  return ProcessWorld.start({ vm, plan: warmPlan, ...options });
}

/** Follows which snapshots a VM has. */
class SnapshotsSeen implements Followed {
  /** Names by id. */
  readonly #names = new Map<string, string>();
  #mostAtOnce = 0;
  readonly #clock: Clock;
  readonly #source: VmHandle;
  #timer: Disposable | undefined;

  constructor(clock: Clock, source: VmHandle) {
    this.#clock = clock;
    this.#source = source;
    this.#look();
  }

  #look(): void {
    const { snapshots } = this.#source;
    for (const { id, name } of snapshots) this.#names.set(id, name);
    this.#mostAtOnce = Math.max(this.#mostAtOnce, snapshots.length);
    this.#timer = this.#clock.setTimeout(() => this.#look(), 20);
  }

  /** Never two at once, and none made twice under one name. */
  check(): void {
    expect(this.#mostAtOnce).toBeLessThanOrEqual(1);
    expect(new Set(this.#names.values()).size).toBe(this.#names.size);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}

/** The guest writes until it goes off. */
export function followGuest({ clock, source }: ProcessWorld): Followed {
  const guest = writingGuest(clock, source, 0.1);
  const seen = new SnapshotsSeen(clock, source);
  return {
    check: () => seen.check(),
    [Symbol.dispose]() {
      guest[Symbol.dispose]();
      seen[Symbol.dispose]();
    },
  };
}

/** After so many rounds the user wants the cutover. */
export async function cutoverAfter(world: ProcessWorld, rounds: number): Promise<void> {
  await world.until(`${rounds} rounds are copied`, async () => {
    const copied = (await world.imports())[0]?.status?.records?.rounds ?? [];
    return copied.some(({ n, copiedAt }) => n >= rounds && copiedAt !== undefined) ? true : undefined;
  });
  const at = { namespace: world.planNamespace, name: 'run' };
  const cutover = new Date(world.clock.now()).toISOString();
  await world.client.mergePatch(migrations, at, { spec: { cutover } });
}

/**
 * As isMovedOnce says, which with a guest that writes until the end means the source's content at its power-off. The source went off once
 * and stayed off, was asked for one snapshot a round, and no object is left that only the run needed.
 */
export async function isMovedWarmOnce(world: ProcessWorld, made: Made): Promise<void> {
  await isMovedOnce(world, world.source, made);
  const done = world.trace.entries.filter(({ on }) => on === world.source.name).map(({ what }) => what);
  expect(done.filter((what) => /^powered/.test(what))).toEqual(['poweredOff']);
  const rounds = (await world.imports())[0]?.status?.records?.roundsTotal;
  expect(done.filter((what) => /^CreateSnapshot/.test(what))).toHaveLength(rounds ?? -1);
  expect(world.vcenter.marked('gantry-')).toEqual([]);
  for (const kind of [dataVolumes, pods, secrets] as readonly ResourceKind[]) {
    const { items } = await world.client.list(kind, { namespace: world.targetNamespace });
    expect(items.map(({ metadata }) => `${kind.plural} ${metadata.name}`)).toEqual([]);
  }
}

/** Two rounds while the guest runs, and a cutover. */
export const warmScene: Scene = {
  start: () => startWarmWorld(),
  controller: { args: quickRounds },
  follow: followGuest,
  user: (world) => cutoverAfter(world, 2),
  isMoved: isMovedWarmOnce,
};
