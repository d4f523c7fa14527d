import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../src/runtime/clock.ts';
import { BuildError } from './build-error.ts';
import type { Workplace } from './cache.ts';
import { goEnvironment, modulesFolder, type Architecture } from './inputs.ts';
import type { Product, Recipe } from './products.ts';
import { runLogged, type LoggedCommand } from './run-logged.ts';

export interface CompileOptions {
  readonly architecture: Architecture;
  readonly logFile: string;
  /** Import path of each package that is compiled. */
  readonly onPackage: (name: string) => void;
  readonly clock: Clock;
}

/** Compiles one product into a workplace. Throws BuildError with the end of the compiler's output. */
export async function compileProduct(
  { name, recipe }: Product,
  place: Workplace,
  { architecture, logFile, onPackage, clock }: CompileOptions,
  signal: AbortSignal,
): Promise<void> {
  const output = join(place.out, name);
  const onLine = (line: string): void => {
    if (isPackage(line)) onPackage(line);
  };
  const command =
    recipe.kind === 'go'
      ? goCommand(recipe, output, place, architecture)
      : await cCommand(recipe, output, place);
  const { code, tail } = await runLogged({ ...command, logFile, onLine }, clock, signal);
  if (code === 0) return;
  throw new BuildError('TestbedBuildFailed', failureText(name, code, tail, logFile));
}

type Command = Omit<LoggedCommand, 'logFile' | 'onLine'>;

function goCommand(
  { module, package: path, tags, ldflags }: Extract<Recipe, { kind: 'go' }>,
  output: string,
  { scratch }: Workplace,
  architecture: Architecture,
): Command {
  return {
    command: 'go',
    args: ['build', '-v', '-o', output, `-tags=${tags.join(',')}`, `-ldflags=${ldflags.join(' ')}`, path],
    folder: join(modulesFolder, module),
    // Go's own place for this may be kept in memory, and would keep what a killed build leaves.
    env: { ...goEnvironment(architecture), GOTMPDIR: scratch },
  };
}

async function cCommand(
  { folder, flags }: Extract<Recipe, { kind: 'c' }>,
  output: string,
  { scratch }: Workplace,
): Promise<Command> {
  const sources = (await readdir(join(modulesFolder, folder))).filter((file) => file.endsWith('.c')).sort();
  return {
    command: 'gcc',
    args: [...flags, '-o', output, ...sources],
    folder: join(modulesFolder, folder),
    env: { TMPDIR: scratch },
  };
}

/** `go build -v` says import paths, one a line; all else that it says has spaces in it. */
export function isPackage(line: string): boolean {
  return /^[\w.~-]+(\/[\w.~-]+)*$/.test(line);
}

/** What failed, the end of what the compiler said, where the rest is, and what may help. */
export function failureText(
  name: string,
  code: number | null,
  tail: readonly string[],
  logFile: string,
): string {
  const hint = hintFor(tail.join('\n'), code);
  const said = tail.filter((line) => !isPackage(line) && !line.startsWith('go: downloading '));
  return [
    `building ${name} failed (${code === null ? 'ended by a signal' : `exit code ${code}`})`,
    ...said.map((line) => `  ${line}`),
    `all of it: ${logFile}`,
    ...(hint === undefined ? [] : [hint]),
  ].join('\n');
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/no space left on device/, 'the disk is full: make room, or move GOCACHE and GOMODCACHE to a larger disk'],
  [
    /signal: killed|cannot allocate memory|out of memory/,
    'the compiler was ended from outside, mostly for lack of memory: end other programs and run it again, what was compiled is kept',
  ],
  [
    /checksum mismatch|SECURITY ERROR/,
    'a module is not the one that was pinned: something on the way has changed it; nothing was built from it',
  ],
  [
    /\b(403|404|410) |module lookup disabled|dial tcp|i\/o timeout|connection re(fused|set)|no such host|TLS handshake/,
    'a module could not be fetched: look at the network and at what `go env GOPROXY` says, then run it again',
  ],
  [
    /missing go\.sum entry|updates to go\.(mod|sum) needed/,
    'go.mod and go.sum of the wrapper module do not fit each other: run `go mod tidy` in its folder and commit both',
  ],
  [/nbdkit-plugin\.h/, 'the Debian package nbdkit-plugin-dev is missing'],
];

/** Advice for what is known to go wrong. */
export function hintFor(said: string, code: number | null): string | undefined {
  const known = hints.find(([pattern]) => pattern.test(said));
  if (known !== undefined) return known[1];
  return code === null ? hints[1]?.[1] : undefined;
}
