import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';

const folder = join(import.meta.dirname, 'real');

export function goldenName(story: string): string {
  return `${story.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.json`;
}

/** What is recorded, whether or not a story asks for it. */
export function goldenNames(): Promise<readonly string[]> {
  return readdir(folder);
}

function fileOf(story: string): string {
  return join(folder, goldenName(story));
}

/** What the real programs did in this story, recorded on a testbed, never written by hand; undefined: nothing is recorded. */
export async function readGolden(story: string): Promise<unknown> {
  const text = await readFile(fileOf(story), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

export async function writeGolden(story: string, account: unknown): Promise<void> {
  await writeFile(fileOf(story), await format(JSON.stringify(account), { parser: 'json', printWidth: 110 }));
}
