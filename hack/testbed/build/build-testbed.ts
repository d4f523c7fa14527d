import { existsSync, globSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { count, formatBytes } from '../../../src/cli/format.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { BinaryName } from './binaries.ts';
import { BuildError } from './build-error.ts';
import {
  markUsed,
  productKey,
  removeOld,
  removeTemporaries,
  storedProducts,
  storeProduct,
  type Environment,
  type StoredProduct,
} from './cache.ts';
import { compileProduct } from './compile.ts';
import { hashInputs, modulesFolder, readInputs, type Architecture } from './inputs.ts';
import { architectureOf, envtestLacks, envtestPath } from './locate.ts';
import { lockFolder } from './lock.ts';
import { planBuild, type Plan } from './plan.ts';
import { products, type Product } from './products.ts';
import { openingLine } from './progress.ts';
import { providePackages } from './provide-packages.ts';
import type { Reporter } from './reporter.ts';
import { checkRoom } from './room.ts';
import { compilerName, findToolchain, requireCompiler, type Toolchain } from './toolchain.ts';

export interface BuildOptions {
  /** All when empty. */
  readonly only: readonly BinaryName[];
  /** Build also what is there. */
  readonly force: boolean;
  /** Install Debian packages that are missing, where that can be done. */
  readonly installPackages: boolean;
  readonly cache: string;
}

export interface Surroundings {
  readonly env: Environment;
  readonly clock: Clock;
  readonly reporter: Reporter;
}

interface Job extends BuildOptions, Surroundings {
  readonly architecture: Architecture;
  readonly toolchain: Toolchain;
  readonly logsFolder: string;
}

/** Builds what the cache lacks. Rejects with BuildError, or with the signal's reason after everything that it started has ended. */
export async function buildTestbed(
  options: BuildOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  const { cache, installPackages } = options;
  const { reporter } = surroundings;
  const architecture = architectureOf(process.arch);
  const logsFolder = join(cache, 'logs');
  await mkdir(logsFolder, { recursive: true });
  sayEnvtest(surroundings);
  const lacks = await providePackages({ installPackages, logsFolder, ...surroundings }, signal);
  if (lacks !== undefined) reporter.say(lacks);
  const toolchain = await findToolchain(architecture, signal);
  const job: Job = { ...options, ...surroundings, architecture, toolchain, logsFolder };
  const { build, ready } = await planNow(job);
  if (build.length === 0) {
    reporter.say(`${count(ready.length, 'part')} of the testbed, all built: ${cache}`);
    return;
  }
  checkSources(build, toolchain);
  await buildUnderLock(job, signal);
  // Minutes later nobody sees the beginning any more.
  if (lacks !== undefined) reporter.say(lacks);
}

async function buildUnderLock(job: Job, signal: AbortSignal): Promise<void> {
  const { cache, reporter, toolchain } = job;
  const onWait = (): void => reporter.say(`another build is at work in ${cache}: waiting for it to end`);
  await using _lock = await lockFolder(cache, onWait, signal);
  await removeTemporaries(cache);
  // Whoever had the lock before may have built some of it.
  const { build } = await planNow(job);
  if (toolchain.go !== undefined) await checkRoom(build, cache, toolchain.go);
  if (build.length > 0) reporter.say(openingLine(build));
  reporter.begin(build);
  for (const product of build) await buildOne(product, job, signal);
  reporter.say(`the testbed is built: ${cache}`);
}

async function buildOne(product: Product, job: Job, signal: AbortSignal): Promise<void> {
  const { cache, reporter, clock, architecture, logsFolder, toolchain } = job;
  const { name, recipe } = product;
  const key = productKey(hashOf(product, job), requireCompiler(recipe, toolchain));
  const compile = {
    architecture,
    logFile: join(logsFolder, `${name}.log`),
    onPackage: (path: string) => reporter.compiling(path),
    clock,
  };
  reporter.started();
  await storeProduct(cache, name, key, (place) => compileProduct(product, place, compile, signal));
  reporter.finished(formatBytes(statSync(join(cache, name, key, name)).size));
  await removeOld(cache, name);
}

/** Looks into the cache, and notes there what is asked for, so that it stays. */
async function planNow(job: Job): Promise<Plan> {
  const { env, only, force, clock } = job;
  const given = new Set(
    products.map(({ name }) => name).filter((name) => envtestPath(name, env) !== undefined),
  );
  const stored = new Map<BinaryName, StoredProduct>();
  for (const product of products) {
    const found = findStored(product, job);
    if (found !== undefined) stored.set(product.name, found);
  }
  const plan = planBuild({ products, only, force, given, stored: new Set(stored.keys()) });
  const used = plan.ready.flatMap((name) => stored.get(name) ?? []);
  await Promise.all(used.map((entry) => markUsed(entry, clock.now())));
  return plan;
}

/** Of the compiler that is here; of any when there is none, since such a machine can do with what was brought to it. */
function findStored(product: Product, job: Job): StoredProduct | undefined {
  const hash = hashOf(product, job);
  const compiler = compilerName(product.recipe, job.toolchain);
  return storedProducts(job.cache, product.name).find(
    (entry) => entry.hash === hash && (compiler === undefined || entry.compiler === compiler),
  );
}

function hashOf({ recipe }: Product, { architecture }: Job): string {
  return hashInputs(recipe, readInputs(recipe, modulesFolder), architecture);
}

/** Throws BuildError for what could only fail, before the first minutes are spent. */
function checkSources(build: readonly Product[], toolchain: Toolchain): void {
  for (const { name, recipe } of build) {
    requireCompiler(recipe, toolchain);
    const folder = join(modulesFolder, recipe.kind === 'go' ? recipe.module : recipe.folder);
    const source = recipe.kind === 'go' ? 'go.mod' : '*.c';
    if (globSync(source, { cwd: folder }).length === 0)
      throw new BuildError('TestbedNoSources', `cannot build ${name}: there is no ${source} in ${folder}`);
  }
}

function sayEnvtest({ env, reporter }: Surroundings): void {
  const folder = env['KUBEBUILDER_ASSETS'];
  if (folder === undefined || folder === '') return;
  const lacks = envtestLacks(folder);
  if (lacks.length === 0)
    reporter.say(`etcd, kube-apiserver and kubectl out of KUBEBUILDER_ASSETS: ${folder}`);
  else {
    const why = existsSync(folder) ? `it has no ${lacks.join(', ')}` : 'there is no such folder';
    reporter.say(`KUBEBUILDER_ASSETS is ${folder}, but ${why}: it is not used`);
  }
}
