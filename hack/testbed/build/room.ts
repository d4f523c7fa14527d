import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { formatBytes } from '../../../src/cli/format.ts';
import { BuildError } from './build-error.ts';
import { moduleCosts, type Product } from './products.ts';
import type { GoCompiler } from './toolchain.ts';

const mebibyte = 2 ** 20;

/** Disk that a build will fill, by folder. */
export interface DiskNeed {
  readonly folder: string;
  /** File system, so that two folders on one are counted together. */
  readonly device: number;
  readonly freeBytes: number;
  readonly needBytes: number;
}

/** The biggest compilation took 2.6 GB of the whole machine, of which a third was not Go's (fact: testbed 0). */
const leastMemoryBytes = { cold: 2048 * mebibyte, warm: 1024 * mebibyte };
/** For the programs themselves and what the linker needs on its way. */
const bytesPerProduct = 150 * mebibyte;

/** Throws BuildError when the machine has too little disk or memory for the build, before it has cost anybody minutes. */
export async function checkRoom(build: readonly Product[], cache: string, go: GoCompiler): Promise<void> {
  const isCold = ({ recipe }: Product): boolean =>
    recipe.kind === 'go' && !existsSync(join(go.moduleCache, moduleCosts[recipe.module].mainModule));
  const cold = [
    ...new Set(build.filter(isCold).flatMap(({ recipe }) => (recipe.kind === 'go' ? [recipe.module] : []))),
  ].map((name) => moduleCosts[name]);
  const needs = [
    { folder: go.moduleCache, mib: cold.map(({ moduleCacheMib }) => moduleCacheMib) },
    { folder: go.buildCache, mib: cold.map(({ buildCacheMib }) => buildCacheMib) },
    { folder: cache, mib: build.map(() => bytesPerProduct / mebibyte) },
  ];
  const disks = await Promise.all(
    needs.map(({ folder, mib }) => measure(folder, mib.reduce((total, one) => total + one, 0) * mebibyte)),
  );
  const why = diskShortage(disks) ?? memoryShortage(availableMemory(), cold.length > 0 ? 'cold' : 'warm');
  if (why !== undefined) throw new BuildError('TestbedNoRoom', `cannot begin to build the testbed: ${why}`);
}

/** Says what is lacking, and where; undefined when there is enough. */
export function diskShortage(needs: readonly DiskNeed[]): string | undefined {
  for (const [, same] of Map.groupBy(needs, ({ device }) => device)) {
    const needBytes = same.reduce((total, one) => total + one.needBytes, 0);
    const freeBytes = Math.min(...same.map((one) => one.freeBytes));
    if (needBytes <= freeBytes) continue;
    const folders = same.filter((one) => one.needBytes > 0).map(({ folder }) => folder);
    return (
      `it needs ${formatBytes(needBytes)} of disk for ${folders.join(', ')} and there are ${formatBytes(freeBytes)}; ` +
      'make room, or move GANTRY_TESTBED_CACHE, GOCACHE or GOMODCACHE to a larger disk'
    );
  }
  return undefined;
}

export function memoryShortage(availableBytes: number, caches: 'cold' | 'warm'): string | undefined {
  const least = leastMemoryBytes[caches];
  if (availableBytes >= least) return undefined;
  return `compiling needs ${formatBytes(least)} of memory and ${formatBytes(availableBytes)} are available; end other programs first`;
}

/** A container's limit counts too. What it uses at present does not: most of that is its page cache, which yields. */
function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(freemem(), limit) : freemem();
}

async function measure(folder: string, needBytes: number): Promise<DiskNeed> {
  const there = firstExisting(folder);
  const { bavail, bsize } = await statfs(there);
  return { folder, device: statSync(there).dev, freeBytes: bavail * bsize, needBytes };
}

function firstExisting(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : firstExisting(dirname(folder));
}
