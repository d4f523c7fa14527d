// Writes manifests/crds from the schemas in src/api; with --check it only tells whether they are up to date.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crdFiles, differences } from './crds/crd-files.ts';

const folder = join(import.meta.dirname, '..', 'manifests', 'crds');

async function readFolder(): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  return new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, string]> => [
        name,
        await readFile(join(folder, name), 'utf8'),
      ]),
    ),
  );
}

await mkdir(folder, { recursive: true });
const wanted = crdFiles();
const stale = differences(wanted, await readFolder());

if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    console.error(`manifests/crds is out of date: ${stale.join(', ')}. Run: npm run generate`);
    process.exitCode = 1;
  }
} else {
  for (const name of stale) {
    const content = wanted.get(name);
    if (content === undefined) await rm(join(folder, name));
    else await writeFile(join(folder, name), content);
    console.log(`${content === undefined ? 'removed' : 'wrote'} manifests/crds/${name}`);
  }
}
