import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');
const compiler = join(root, 'node_modules', 'typescript-7', 'bin', 'tsc');

/** Types are gone when a test runs, so the comparison in external-drift.ts is compiled here and the compiler's words are the result. */
function compileErrors(file: string): Promise<string> {
  const options = ['--noEmit', '--ignoreConfig', '--strict', '--skipLibCheck', '--types', 'node'];
  const modern = ['--target', 'es2024', '--module', 'nodenext', '--allowImportingTsExtensions'];
  const checked = ['--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes'];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [compiler, ...options, ...modern, ...checked, file],
      { cwd: root },
      (error, stdout, stderr) => resolve(error === null ? '' : `${stdout}${stderr}`),
    );
  });
}

describe('our types of foreign kinds', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gantry-types-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('name only fields that the published types have too, apart from the gaps that are listed', async () => {
    expect(await compileErrors(join(root, 'tests', 'compat', 'external-drift.ts'))).toBe('');
  });

  test('would be reported by path if they differed', async () => {
    const file = join(folder, 'broken.ts');
    const drift = join(root, 'tests', 'compat', 'external-drift.ts');
    await writeFile(
      file,
      `import type { Drift, Same } from ${JSON.stringify(drift)};
       export const thing: Same<Drift<{ gone: string; kept: string }, { kept: string }, 'Thing'>, never> = true;`,
    );
    expect(await compileErrors(file)).toContain('Thing.gone');
  });
});
