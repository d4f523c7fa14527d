import { isOnTestbed } from './needs.ts';
import { SandboxWorld } from './sandbox-world.ts';
import type { TestWorld, WorldOptions } from './world.ts';

/** A world of the kind that this run of the tests is for. */
export async function startWorld(options: WorldOptions = {}): Promise<TestWorld> {
  if (!isOnTestbed) return SandboxWorld.start(options);
  // Only here: the embedded world's tests need nothing of it.
  const { TestbedWorld } = await import('./testbed-world.ts');
  return TestbedWorld.start(options);
}
