import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import type { BinaryName } from './binaries.ts';
import { cacheFolder, storedProducts, type Environment } from './cache.ts';
import { hashInputs, modulesFolder, readInputs, type Architecture } from './inputs.ts';
import { productOf } from './products.ts';

/** A part of the testbed is not built. `code` is stable. */
export class BinaryMissingError extends Error {
  readonly code = 'TestbedBinaryMissing';
  readonly binary: BinaryName;

  constructor(binary: BinaryName, message: string) {
    super(message);
    this.name = 'BinaryMissingError';
    this.binary = binary;
  }
}

/** What the usual variable of Kubernetes' test tools points to, when it does. */
const envtestNames = ['etcd', 'kube-apiserver', 'kubectl'] as const satisfies readonly BinaryName[];

/**
 * Absolute path of a program or library of the testbed: out of KUBEBUILDER_ASSETS where that folder holds all of etcd, kube-apiserver and
 * kubectl, else out of the cache, built from just the sources that are here now. Throws BinaryMissingError.
 */
export function binaryPath(name: BinaryName, env: Environment = process.env): string {
  const given = envtestPath(name, env);
  if (given !== undefined) return given;
  const cache = cacheFolder(env);
  const { recipe } = productOf(name);
  const hash = hashInputs(recipe, readInputs(recipe, modulesFolder), architectureOf(process.arch));
  const found = storedProducts(cache, name).find((stored) => stored.hash === hash);
  if (found !== undefined) return join(found.folder, name);
  throw new BinaryMissingError(
    name,
    `${name} is not built, or its sources have changed since (looked for ${join(cache, name, hash)}-*): run npm run testbed:build`,
  );
}

/** Path in KUBEBUILDER_ASSETS; undefined where that is not set, not complete, or has no such program. */
export function envtestPath(name: BinaryName, env: Environment): string | undefined {
  const folder = env['KUBEBUILDER_ASSETS'];
  if (folder === undefined || folder === '') return undefined;
  if (!envtestNames.some((one) => one === name) || envtestLacks(folder).length > 0) return undefined;
  return resolve(folder, name);
}

/** Which of the three programs the folder does not hold. */
export function envtestLacks(folder: string): readonly BinaryName[] {
  return envtestNames.filter((name) => !isExecutable(join(folder, name)));
}

/** Throws for a processor that the testbed was never built for. */
export function architectureOf(arch: NodeJS.Architecture): Architecture {
  if (arch === 'x64') return 'amd64';
  if (arch === 'arm64') return 'arm64';
  throw new RangeError(`the testbed runs on x64 and arm64, not on ${arch}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
