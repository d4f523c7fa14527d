import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BinaryName } from '../../hack/testbed/build/binaries.ts';
import { productKey, storeProduct } from '../../hack/testbed/build/cache.ts';
import { hashInputs, modulesFolder, readInputs } from '../../hack/testbed/build/inputs.ts';
import { architectureOf, binaryPath, BinaryMissingError } from '../../hack/testbed/build/locate.ts';
import { productOf } from '../../hack/testbed/build/products.ts';

let folder = '';
let env: Readonly<Record<string, string>> = {};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'locate-test-'));
  env = { GANTRY_TESTBED_CACHE: join(folder, 'cache') };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function store(name: BinaryName, compiler: string): Promise<string> {
  const { recipe } = productOf(name);
  const hash = hashInputs(recipe, readInputs(recipe, modulesFolder), architectureOf(process.arch));
  const key = productKey(hash, compiler);
  await storeProduct(join(folder, 'cache'), name, key, (place) => {
    writeFileSync(join(place.out, name), '', { mode: 0o755 });
    return Promise.resolve();
  });
  return join(folder, 'cache', name, key, name);
}

function assets(...names: readonly string[]): Readonly<Record<string, string>> {
  const place = join(folder, 'assets');
  mkdirSync(place);
  for (const name of names) writeFileSync(join(place, name), '', { mode: 0o755 });
  return { ...env, KUBEBUILDER_ASSETS: place };
}

describe('the path of a program', () => {
  test('leads into the cache when it was built from the present sources, by whatever compiler', async () => {
    const path = await store('kubectl', 'go1.99.1');
    expect(binaryPath('kubectl', env)).toBe(path);
  });

  test('is refused with what to do when it is not built', () => {
    const locate = (): string => binaryPath('cdi-importer', env);
    expect(locate).toThrow(BinaryMissingError);
    expect(locate).toThrow(/^cdi-importer is not built.*run npm run testbed:build$/);
    expect(locate).toThrow(expect.objectContaining({ code: 'TestbedBinaryMissing', binary: 'cdi-importer' }));
  });

  test('is refused when what was built had other sources', async () => {
    await storeProduct(join(folder, 'cache'), 'etcd', productKey('0'.repeat(16), 'go1.26.8'), (place) => {
      writeFileSync(join(place.out, 'etcd'), '');
      return Promise.resolve();
    });
    expect(() => binaryPath('etcd', env)).toThrow(BinaryMissingError);
  });

  test('leads into KUBEBUILDER_ASSETS where all three programs are there', async () => {
    await store('etcd', 'go1.26.8');
    const given = assets('etcd', 'kube-apiserver', 'kubectl');
    expect(binaryPath('etcd', given)).toBe(join(folder, 'assets', 'etcd'));
    expect(() => binaryPath('kube-controller-manager', given)).toThrow(BinaryMissingError);
  });

  test('leads past KUBEBUILDER_ASSETS where one of them is missing', async () => {
    const path = await store('etcd', 'go1.26.8');
    expect(binaryPath('etcd', assets('etcd', 'kube-apiserver'))).toBe(path);
  });
});
