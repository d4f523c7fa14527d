import { join } from 'node:path';
import process from 'node:process';
import type { Clock } from '../../../src/runtime/clock.ts';
import { BuildError } from './build-error.ts';
import type { Environment } from './cache.ts';
import { decideInstall, installCommand, isThere, missingPackages, missingText } from './packages.ts';
import type { Reporter } from './reporter.ts';
import { runLogged } from './run-logged.ts';

export interface PackageOptions {
  readonly installPackages: boolean;
  readonly logsFolder: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly reporter: Reporter;
}

/**
 * Installs the Debian packages that the machine lacks, where it may. Resolves to what to tell about those that are still missing;
 * undefined when all are there. Rejects with BuildError when apt-get fails.
 */
export async function providePackages(
  { installPackages, logsFolder, env, clock, reporter }: PackageOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const missing = missingPackages(env);
  if (missing.length === 0) return undefined;
  const isRoot = process.getuid?.() === 0;
  const hasAptGet = isThere('apt-get', env);
  if (decideInstall({ asked: installPackages, ci: env['CI'], isRoot, hasAptGet }) === 'tell')
    return missingText(missing, isRoot);
  reporter.say(`installing ${missing.map(({ name }) => name).join(', ')}`);
  for (const command of [['apt-get', 'update'] as const, installCommand(missing)])
    await runApt(command, join(logsFolder, `${command.slice(0, 2).join('-')}.log`), clock, signal);
  const left = missingPackages(env);
  return left.length === 0 ? undefined : missingText(left, isRoot);
}

async function runApt(
  [command, ...args]: readonly [string, ...string[]],
  logFile: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const { code, tail } = await runLogged(
    { command, args, folder: '/', env, logFile, onLine: () => undefined },
    clock,
    signal,
  );
  if (code === 0) return;
  const said = tail.map((line) => `  ${line}`).join('\n');
  throw new BuildError(
    'TestbedPackages',
    `${[command, ...args].join(' ')} failed (exit code ${code}); all of it: ${logFile}\n${said}\nrun it by hand and see why, then build again`,
  );
}
