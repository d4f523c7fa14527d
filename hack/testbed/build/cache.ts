import { readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, utimes } from 'node:fs/promises';
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

/** Where `make` works: both folders are there, and go when it has ended. */
export interface Workplace {
  /** The product goes here, under its own name. */
  readonly out: string;
  /** For whatever a compiler needs on its way. */
  readonly scratch: string;
}

/**
 * Lets `make` build a product beside the cache and takes it over whole, by a rename: nobody ever finds half a product. Where another build has been
 * quicker, its product stands: it came from the same inputs.
 */
export async function storeProduct(
  cache: string,
  name: BinaryName,
  key: string,
  make: (place: Workplace) => Promise<void>,
): Promise<void> {
  await mkdir(join(cache, name), { recursive: true });
  const temporary = await mkdtemp(join(cache, temporaryPrefix));
  const place: Workplace = { out: join(temporary, 'out'), scratch: join(temporary, 'scratch') };
  try {
    await Promise.all([mkdir(place.out), mkdir(place.scratch)]);
    await make(place);
    await syncFile(join(place.out, name));
    await replaceFolder(place.out, join(cache, name, key), join(temporary, 'replaced'));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes what killed builds left. Only for the holder of the lock: nobody else has a temporary folder then. */
export async function removeTemporaries(cache: string): Promise<void> {
  const left = (await readdir(cache)).filter((one) => one.startsWith(temporaryPrefix));
  await Promise.all(left.map((one) => rm(join(cache, one), { recursive: true, force: true })));
}

/** Notes that a product was asked for. */
export async function markUsed({ folder }: StoredProduct, nowMs: number): Promise<void> {
  await utimes(folder, nowMs / 1000, nowMs / 1000);
}

/** So that going back and forth between a few branches builds nothing twice; two checkouts may share one cache. */
export const keptPerProduct = 3;

/** Removes all but the last used of a product; gives how many went. */
export async function removeOld(cache: string, name: BinaryName): Promise<number> {
  const old = storedProducts(cache, name).slice(keptPerProduct);
  await Promise.all(old.map(({ folder }) => rm(folder, { recursive: true, force: true })));
  return old.length;
}

const temporaryPrefix = 'tmp-';

/** A rename that outlives a power failure while the file's content does not would be half a product. */
async function syncFile(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

/** A folder that holds something cannot be renamed over, so the former one moves aside first. */
async function replaceFolder(from: string, to: string, aside: string): Promise<void> {
  await rename(to, aside).catch(unless('ENOENT'));
  await rename(from, to).catch(unless('ENOTEMPTY', 'EEXIST'));
}

function unless(...codes: readonly string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code === undefined || !codes.includes(error.code)) throw error;
  };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
