import { seededRandom } from '../../src/sandbox/random.ts';
import { Made, planWith, untilClean } from '../support/move.ts';
import { migrationObject } from '../support/objects.ts';
import type { ProcessWorld, StartOptions } from './process-world.ts';

/** What goes on beside a run. */
export interface Followed extends Disposable {
  /** Throws when something was seen that must never be. */
  check(): void;
}

/** A migration in a world of processes, whose controller may be killed. */
export interface Scene {
  start(): Promise<ProcessWorld>;
  readonly controller?: StartOptions;
  follow?(world: ProcessWorld): Followed;
  /** What the user does after the start of the run. */
  user?(world: ProcessWorld): Promise<void>;
  /** What must hold at the end, however often the controller was killed. */
  isMoved(world: ProcessWorld, made: Made): Promise<void>;
}

/** How long a run is that nobody disturbs. */
export interface Length {
  readonly requests: number;
  readonly ms: number;
}

/** When a controller is killed: as its n-th request arrives (the Lease's do not count), or so long after its start. */
export type Point = { readonly atRequest: number } | { readonly afterMs: number };

/** A request to shut down that has died with its process is made again so soon, and not only after minutes. */
const soonRepeated = ['--set', 'powerOffRepeatSeconds=10'];

function controllerOf({ controller }: Scene): StartOptions {
  return { ...controller, args: [...(controller?.args ?? []), ...soonRepeated] };
}

export async function undisturbed(scene: Scene): Promise<Length> {
  await using world = await scene.start();
  const made = await Made.follow(world);
  await world.apply(migrationObject(world));
  const startedMs = world.clock.monotonicMs();
  const { door } = await world.keepController(controllerOf(scene));
  using followed = scene.follow?.(world);
  await scene.user?.(world);
  await isThrough(world);
  await scene.isMoved(world, made);
  followed?.check();
  made.stop();
  const requests = door.requests.length - door.ofLease.length;
  return { requests, ms: world.clock.monotonicMs() - startedMs };
}

/** One out of each tenth (or what `count` is) of the run: by requests, where it is in the middle of something, and by time, where it is anywhere. */
export function drawn(whole: Length, count: number, seed: number): readonly Point[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const share = (index + random()) / count;
    return index % 2 === 0
      ? { atRequest: 1 + Math.floor(share * whole.requests) }
      : { afterMs: Math.floor(share * whole.ms) };
  });
}

export async function killAndReplace(scene: Scene, point: Point): Promise<void> {
  await using world = await scene.start();
  const made = await Made.follow(world);
  await world.apply(migrationObject(world));
  const controller = await world.keepController(controllerOf(scene));
  if ('atRequest' in point)
    controller.door.onRequest((_, count) => {
      if (count === point.atRequest) controller.kill();
    });
  using _timer =
    'afterMs' in point ? world.clock.setTimeout(() => controller.kill(), point.afterMs) : undefined;
  using followed = scene.follow?.(world);
  await scene.user?.(world);
  await isThrough(world);
  // No two runs are of one length: one that was over before its point came is killed now.
  controller.kill();
  await controller.killed;
  await world.until('another one leads', () => Promise.resolve(controller.has('leading') ? true : undefined));
  await isThrough(world);
  await scene.isMoved(world, made);
  followed?.check();
  made.stop();
}

async function isThrough(world: ProcessWorld): Promise<void> {
  await planWith(world, 'Succeeded');
  await untilClean(world);
}
