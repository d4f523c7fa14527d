import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { BinaryName } from './binaries.ts';

/**
 * The cache: FOLDER/PRODUCT/HASH-COMPILER/PRODUCT, the hash being that of the product's inputs. The compiler stands beside the hash and not in
 * it, so that finding a product takes no compiler: what was built elsewhere and brought here is found.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/** GANTRY_TESTBED_CACHE, else gantry-testbed in the user's folder for caches. */
export function cacheFolder(env: Environment): string {
  const own = env['GANTRY_TESTBED_CACHE'];
  if (own !== undefined && own !== '') return resolve(own);
  // The XDG base directory specification: a relative path there is to be ignored.
  const caches = env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(caches) ? caches : join(homedir(), '.cache'), 'gantry-testbed');
}

export interface StoredProduct {
  /** Of the folder that holds it. */
  readonly folder: string;
  readonly key: string;
  readonly hash: string;
  readonly compiler: string;
  /** When it was built or last asked for by a build; milliseconds since 1970. */
  readonly usedMs: number;
}

/** All that the cache holds of a product, last used first. */
export function storedProducts(cache: string, name: BinaryName): readonly StoredProduct[] {
  return namesIn(join(cache, name))
    .flatMap((key) => {
      const [, hash, compiler] = /^([0-9a-f]{16})-(.+)$/.exec(key) ?? [];
      const folder = join(cache, name, key);
      const info = statSync(join(folder, name), { throwIfNoEntry: false });
      const used = statSync(folder, { throwIfNoEntry: false });
      if (hash === undefined || compiler === undefined || info === undefined || used === undefined) return [];
      return [{ folder, key, hash, compiler, usedMs: used.mtimeMs }];
    })
    .sort((a, b) => b.usedMs - a.usedMs);
}

export function productKey(hash: string, compiler: string): string {
  return `${hash}-${compiler}`;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
