import { join } from 'node:path';
import type { Environment } from '../build/cache.ts';
import type { BinaryName } from '../build/binaries.ts';
import { binaryPath } from '../build/locate.ts';

/** Names a folder whose programs go before those that were built. */
const folderVariable = 'GANTRY_TESTBED_BIN';

export function programPath(name: BinaryName, env: Environment): string {
  const folder = env[folderVariable];
  return folder === undefined || folder === '' ? binaryPath(name, env) : join(folder, name);
}
