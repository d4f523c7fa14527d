import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Recipe } from './products.ts';

export const modulesFolder = fileURLToPath(new URL('../modules', import.meta.url));

/** A file that goes into a product; `path` relative to the folder of modules. */
export interface InputFile {
  readonly path: string;
  readonly content: string | Buffer;
}

/** Processor as Go names it. */
export type Architecture = 'amd64' | 'arm64';

/**
 * Set for every build, over whatever the machine has. `GOTOOLCHAIN` keeps a line in some module from fetching another Go; `GOWORK` keeps
 * a workspace around the checkout out of it. Where modules come from and how they are verified is the machine's own matter.
 */
export function goEnvironment(architecture: Architecture): Readonly<Record<string, string>> {
  return {
    GOOS: 'linux',
    GOARCH: architecture,
    CGO_ENABLED: '0',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    GOFLAGS: '-mod=readonly -trimpath -buildvcs=false',
  };
}

/** Which files a product is made of. Tests do not end up in a program. */
export function isInput(recipe: Recipe, path: string): boolean {
  if (recipe.kind === 'c') return inFolder(recipe.folder, path) && /\.[ch]$/.test(path);
  if (path === `${recipe.module}/go.mod` || path === `${recipe.module}/go.sum`) return true;
  return recipe.sources.some((folder) => inFolder(folder, path)) && isGoSource(path);
}

/** 16 hexadecimal digits that change with every input of a product but the compiler, and with nothing else. */
export function hashInputs(recipe: Recipe, files: readonly InputFile[], architecture: Architecture): string {
  const hash = createHash('sha256');
  const add = (part: string | Buffer): void => {
    // Lengths keep two neighbours from passing a piece from one to the other.
    hash.update(`${Buffer.byteLength(part)}:`).update(part);
  };
  add(JSON.stringify(recipeParts(recipe, architecture)));
  for (const { path, content } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    add(path);
    add(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Reads the inputs of a product. */
export function readInputs(recipe: Recipe, folder: string): readonly InputFile[] {
  const folders = recipe.kind === 'c' ? [recipe.folder] : [recipe.module, ...recipe.sources];
  const paths = new Set(folders.flatMap((one) => filesUnder(folder, one)));
  return [...paths]
    .filter((path) => isInput(recipe, path))
    .map((path) => ({ path, content: readFileSync(join(folder, path)) }));
}

function filesUnder(root: string, folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

/** Named one by one: the order of an object's members is no input. */
function recipeParts(recipe: Recipe, architecture: Architecture): readonly unknown[] {
  if (recipe.kind === 'c') return ['c', architecture, recipe.flags];
  const environment = Object.entries(goEnvironment(architecture)).sort(([a], [b]) => (a < b ? -1 : 1));
  return ['go', environment, recipe.module, recipe.package, recipe.tags, recipe.ldflags];
}

function inFolder(folder: string, path: string): boolean {
  return path.startsWith(`${folder}/`);
}

function isGoSource(path: string): boolean {
  return path.endsWith('/go.mod') || (path.endsWith('.go') && !path.endsWith('_test.go'));
}
