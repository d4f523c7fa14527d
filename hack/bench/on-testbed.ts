import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { SystemClock } from '../../src/runtime/clock.ts';
import { enterCell } from '../testbed/cell/enter-cell.ts';
import { RunFolder } from '../testbed/cell/run-folder.ts';
import { figuresFile } from './figures-file.ts';
import type { PlanFigures } from './measure-plan.ts';

/**
 * Against etcd, kube-apiserver and kube-controller-manager as they are, in namespaces of their own (Linux, root, npm run testbed:build).
 * Stand-ins and vCenter share a process; controller and observer have one of their own, whose CPU and memory are told.
 */
export async function measureOnTestbed(count: number, signal: AbortSignal): Promise<PlanFigures> {
  const clock = new SystemClock();
  await using folder = await RunFolder.create(tmpdir(), clock);
  const path = fileURLToPath(new URL('testbed-world.ts', import.meta.url));
  const code = await enterCell({ path, args: [String(count)], folder: folder.path, clock }, signal);
  if (code !== 0) throw new Error(`the benchmark on the testbed ended with ${code}; its words stand above`);
  return JSON.parse(await readFile(figuresFile(folder.path), 'utf8')) as PlanFigures;
}
