import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import type { Answer } from './story.ts';

/** What a real API server answered, by the story's name: recorded on a testbed, never written by hand. */
export type Goldens = Readonly<Record<string, readonly Answer[]>>;

const fileOf = (file: string): string => join(import.meta.dirname, 'real', `${file}.json`);

/** Set to 1 on a testbed, the goldens are written rather than compared. */
export const recordVariable = 'GANTRY_RECORD_GOLDENS';

export async function readGoldens(file: string): Promise<Goldens> {
  return JSON.parse(await readFile(fileOf(file), 'utf8')) as Goldens;
}

export async function writeGoldens(file: string, goldens: Goldens): Promise<void> {
  await writeFile(fileOf(file), await format(JSON.stringify(goldens), { parser: 'json', printWidth: 110 }));
}
