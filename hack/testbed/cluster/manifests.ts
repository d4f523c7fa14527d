import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../src/api/meta.ts';

const folder = fileURLToPath(new URL('../../../manifests', import.meta.url));

/** All that `kubectl apply -k manifests` would create. */
export async function ownManifests(): Promise<readonly KubeObject[]> {
  const { resources } = parse(await readFile(join(folder, 'kustomization.yaml'), 'utf8')) as {
    readonly resources: readonly string[];
  };
  const files = await Promise.all(resources.map((name) => readFile(join(folder, name), 'utf8')));
  return files.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as KubeObject));
}

/** One JSON document a line, as cdi-manifests and kubevirt-manifests print them. */
export function parseJsonLines(text: string): readonly KubeObject[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KubeObject);
}
