import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  cacheFolder,
  keptPerProduct,
  markUsed,
  productKey,
  removeOld,
  removeTemporaries,
  storedProducts,
  storeProduct,
  type Workplace,
} from '../../hack/testbed/build/cache.ts';
import { lockFolder } from '../../hack/testbed/build/lock.ts';

let cache = '';
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'cache-test-'));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const key = productKey('0123456789abcdef', 'go1.26.8');
const writing =
  (content: string) =>
  ({ out }: Workplace): Promise<void> =>
    writeFile(join(out, 'etcd'), content);
const held = (): string => readFileSync(join(cache, 'etcd', key, 'etcd'), 'utf8');
const notWaiting = (): void => {
  throw new Error('nobody else has the lock');
};

describe('where the cache is', () => {
  test.each([
    [{ GANTRY_TESTBED_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/a'],
    [{ GANTRY_TESTBED_CACHE: '', XDG_CACHE_HOME: '/b' }, '/b/gantry-testbed'],
    [{ XDG_CACHE_HOME: 'relative' }, join(homedir(), '.cache/gantry-testbed')],
    [{}, join(homedir(), '.cache/gantry-testbed')],
  ])('%j: %s', (env, folder) => {
    expect(cacheFolder(env)).toBe(folder);
  });
});

describe('a product in the cache', () => {
  test('is found when it was stored, and nothing of its making is left', async () => {
    await storeProduct(cache, 'etcd', key, writing('etcd'));
    expect(storedProducts(cache, 'etcd')).toMatchObject([
      { folder: join(cache, 'etcd', key), key, hash: '0123456789abcdef', compiler: 'go1.26.8' },
    ]);
    expect(readdirSync(cache)).toEqual(['etcd']);
  });

  test('is not there after a build that failed half-way', async () => {
    const failing = storeProduct(cache, 'etcd', key, async (place) => {
      await writing('half')(place);
      throw new Error('the compiler failed');
    });
    await expect(failing).rejects.toThrow('the compiler failed');
    expect(storedProducts(cache, 'etcd')).toEqual([]);
    expect(readdirSync(cache)).toEqual(['etcd']);
  });

  test('is not there when the compiler made nothing', async () => {
    await expect(storeProduct(cache, 'etcd', key, () => Promise.resolve())).rejects.toThrow('ENOENT');
    expect(storedProducts(cache, 'etcd')).toEqual([]);
  });

  test('stays whole when a second build of it fails, and is replaced when it does not', async () => {
    await storeProduct(cache, 'etcd', key, writing('first'));
    await expect(storeProduct(cache, 'etcd', key, () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    );
    expect(held()).toBe('first');
    await storeProduct(cache, 'etcd', key, writing('second'));
    expect(held()).toBe('second');
  });

  test('is whole after many builds of it at once', async () => {
    const contents = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(1000));
    await Promise.all(contents.map((content) => storeProduct(cache, 'etcd', key, writing(content))));
    expect(contents).toContain(held());
    expect(readdirSync(cache)).toEqual(['etcd']);
  });

  test('goes when others were used since', async () => {
    const keys = Array.from({ length: keptPerProduct + 2 }, (_, index) =>
      productKey(`${index}`.repeat(16), 'go1.26.8'),
    );
    for (const one of keys) await storeProduct(cache, 'etcd', one, writing(one));
    const stored = new Map(storedProducts(cache, 'etcd').map((entry) => [entry.key, entry]));
    // The first is the last that somebody asked for.
    const order = [...keys.slice(1), ...keys.slice(0, 1)];
    for (const [index, one] of order.entries()) await markUsed(stored.get(one)!, (index + 1) * 1000);
    expect(await removeOld(cache, 'etcd')).toBe(2);
    expect(storedProducts(cache, 'etcd').map((entry) => entry.key)).toEqual(
      order.toReversed().slice(0, keptPerProduct),
    );
  });

  test('is no folder that a stranger put there', async () => {
    await mkdir(join(cache, 'etcd', 'notes'), { recursive: true });
    await mkdir(join(cache, 'etcd', key));
    expect(storedProducts(cache, 'etcd')).toEqual([]);
  });

  test('leaves nothing behind for good when its build was killed', async () => {
    await mkdir(join(cache, 'tmp-killed', 'out'), { recursive: true });
    await storeProduct(cache, 'etcd', key, writing('etcd'));
    await removeTemporaries(cache);
    expect(readdirSync(cache)).toEqual(['etcd']);
  });
});

describe('the lock of the cache', () => {
  const { signal: never } = new AbortController();

  test('is for one at a time, and the next has it as soon as it is free', async () => {
    const order: string[] = [];
    const first = await lockFolder(cache, notWaiting, never);
    let waits: () => void = notWaiting;
    const waiting = new Promise<void>((resolve) => (waits = resolve));
    const second = lockFolder(cache, () => waits(), never).then(async (lock) => {
      order.push('second');
      await lock[Symbol.asyncDispose]();
    });
    await waiting;
    order.push('first');
    await first[Symbol.asyncDispose]();
    await second;
    expect(order).toEqual(['first', 'second']);
  });

  test('is not waited for any longer once that was called off', async () => {
    await using _first = await lockFolder(cache, notWaiting, never);
    const end = new AbortController();
    const second = lockFolder(cache, () => end.abort(new Error('called off')), end.signal);
    await expect(second).rejects.toThrow('called off');
  });

  test('is free again after all of that', async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      await using _lock = await lockFolder(cache, notWaiting, never);
    }
    expect(readdirSync(cache)).toEqual(['lock']);
  });
});
