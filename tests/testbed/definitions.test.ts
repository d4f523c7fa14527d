import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { CustomResourceDefinition } from '../../src/api/external/core.ts';
import { customResourceDefinitions } from '../../src/api/kinds.ts';
import { objectPath, collectionPath } from '../../src/kube/resource-path.ts';
import { openRealCluster, type RealCluster } from './real-cluster.ts';

/**
 * That a definition is taken at all says that its schema is structural and that its CEL rules, at their worst, cost no more than a
 * server allows.
 */

const folder = join(import.meta.dirname, '..', '..', 'manifests', 'crds');
const shipped = readdirSync(folder).map(
  (file) => [file, parse(readFileSync(join(folder, file), 'utf8')) as CustomResourceDefinition] as const,
);

let cluster: RealCluster;
beforeAll(async () => {
  cluster = await openRealCluster();
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

interface Seen extends CustomResourceDefinition {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

describe.each(shipped)('%s', (_, definition) => {
  const { name } = definition.metadata;
  const path = objectPath(customResourceDefinitions, { name });

  test('is accepted without a warning', async () => {
    // The name is taken, which a server looks at last: everything else is judged first.
    const again = await cluster.transport.request({
      method: 'POST',
      path: collectionPath(customResourceDefinitions, undefined),
      query: { dryRun: 'All', fieldValidation: 'Strict' },
      body: definition,
    });
    expect({ status: again.status, warning: again.headers['warning'] }).toEqual({ status: 409 });
    expect(again.body).toMatchObject({ reason: 'AlreadyExists' });
  });

  test('is established, and its schema is structural', async () => {
    const { body } = await cluster.transport.request({ method: 'GET', path });
    const { conditions } = (body as Seen).status;
    expect(conditions.filter(({ status }) => status === 'True').map(({ type }) => type)).toEqual(
      expect.arrayContaining(['Established', 'NamesAccepted']),
    );
    expect(conditions.filter(({ type }) => type === 'NonStructuralSchema')).toEqual([]);
  });

  test('applied a second time changes nothing', async () => {
    const before = (await cluster.transport.request({ method: 'GET', path })).body as Seen;
    const again = await cluster.transport.request({
      method: 'PUT',
      path,
      query: { fieldValidation: 'Strict' },
      body: { ...definition, metadata: { ...before.metadata, ...definition.metadata } },
    });
    expect(again.status).toBe(200);
    const after = again.body as Seen;
    expect(after.metadata).toMatchObject({
      generation: before.metadata.generation,
      resourceVersion: before.metadata.resourceVersion,
    });
  });
});
