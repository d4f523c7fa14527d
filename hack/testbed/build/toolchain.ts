import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import process from 'node:process';
import { BuildError } from './build-error.ts';
import { goEnvironment, type Architecture } from './inputs.ts';
import type { Recipe } from './products.ts';

/** Kubernetes 1.36 asks for this one in its go.mod. */
const leastGo = { major: 1, minor: 26 } as const;

/** What the compilers of the machine are called, and where Go keeps its caches. */
export interface Toolchain {
  /** As `go1.26.8`. */
  readonly go: GoCompiler | undefined;
  /** As `gcc12.2.0`. */
  readonly gcc: string | undefined;
}

export interface GoCompiler {
  readonly version: string;
  readonly buildCache: string;
  readonly moduleCache: string;
}

/** Finds the compilers; a missing one is undefined. Throws BuildError for a Go that is too old. */
export async function findToolchain(architecture: Architecture, signal: AbortSignal): Promise<Toolchain> {
  const [go, gcc] = await Promise.all([
    output('go', ['env', 'GOVERSION', 'GOCACHE', 'GOMODCACHE'], goEnvironment(architecture), signal),
    output('gcc', ['-dumpfullversion'], {}, signal),
  ]);
  return {
    go: go === undefined ? undefined : readGo(go),
    gcc: gcc === undefined ? undefined : `gcc${gcc.trim()}`,
  };
}

/** Name of the compiler that a recipe is built by, as it stands in the cache; undefined where the machine has none. */
export function compilerName({ kind }: Recipe, { go, gcc }: Toolchain): string | undefined {
  return kind === 'go' ? go?.version : gcc;
}

/** As `compilerName`. Throws BuildError where the machine has none. */
export function requireCompiler(recipe: Recipe, toolchain: Toolchain): string {
  const name = compilerName(recipe, toolchain);
  if (name !== undefined) return name;
  if (recipe.kind === 'go')
    throw new BuildError(
      'TestbedNoGo',
      `cannot build the testbed's programs: there is no go on the PATH; ${wanted}`,
    );
  throw new BuildError(
    'TestbedNoGcc',
    'cannot build the nbdkit plugin: there is no gcc; install the Debian package gcc',
  );
}

const wanted = `Go ${leastGo.major}.${leastGo.minor} or newer is needed (https://go.dev/doc/install)`;

/** Reads what `go env GOVERSION GOCACHE GOMODCACHE` prints. Throws BuildError for a version that is too old. */
export function readGo(printed: string): GoCompiler {
  const [version = '', buildCache = '', moduleCache = ''] = printed.split('\n');
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  // A development version names a commit and no number; whoever uses one knows.
  const isOld =
    major !== undefined &&
    (Number(major) < leastGo.major || (Number(major) === leastGo.major && Number(minor) < leastGo.minor));
  if (isOld) throw new BuildError('TestbedOldGo', `cannot build with ${version}: ${wanted}`);
  // It becomes a part of a folder's name.
  return { version: version.replaceAll(/[^\w.]+/g, '-'), buildCache, moduleCache };
}

async function output(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(command, [...args], { env: { ...process.env, ...env }, signal }))
      .stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
