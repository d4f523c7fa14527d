import { describe, expect, test } from '@jest/globals';
import { secrets } from '../../src/api/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { fencedClient } from '../../src/kube/fenced-client.ts';
import { FenceClosed } from '../../src/kube/lease.ts';

const at = { namespace: 'ns', name: 'n' };
const object = { apiVersion: 'v1', kind: 'Secret', metadata: at };

/** Notes what reaches the server. */
function recorder(): { readonly client: KubeClient; readonly sent: string[] } {
  const sent: string[] = [];
  const note = (name: string) => () => {
    sent.push(name);
    return Promise.resolve({});
  };
  const names = [
    'get',
    'list',
    'watch',
    'version',
    'create',
    'mergePatch',
    'jsonPatch',
    'delete',
    'podProxy',
  ];
  const client = Object.fromEntries(names.map((name) => [name, note(name)])) as unknown as KubeClient;
  return { client, sent };
}

const writes: readonly (readonly [string, (client: KubeClient) => Promise<unknown>])[] = [
  ['create', (client) => client.create(secrets, object)],
  ['mergePatch', (client) => client.mergePatch(secrets, at, {})],
  ['jsonPatch', (client) => client.jsonPatch(secrets, at, [])],
  ['delete', (client) => client.delete(secrets, at)],
  ['podProxy', (client) => client.podProxy(at, 8080, 'shutdown', 'POST')],
];

describe('a client behind a closed fence', () => {
  const closed = {
    check: () => {
      throw new FenceClosed('ns/lease');
    },
  };

  test.each(writes)('never sends a %s', async (_name, write) => {
    const { client, sent } = recorder();
    await expect(write(fencedClient(client, closed))).rejects.toThrow(FenceClosed);
    expect(sent).toEqual([]);
  });

  test('still reads, and tries without effect', async () => {
    const { client, sent } = recorder();
    const fenced = fencedClient(client, closed);
    await fenced.get(secrets, at);
    await fenced.list(secrets);
    await fenced.version();
    await fenced.create(secrets, object, { dryRun: true });
    await fenced.podProxy(at, 8080, 'vm', 'GET');
    fenced.watch(secrets, { resourceVersion: '1' }, new AbortController().signal);
    expect(sent).toEqual(['get', 'list', 'version', 'create', 'podProxy', 'watch']);
  });
});

test.each(writes)('a client behind an open fence sends a %s', async (name, write) => {
  const { client, sent } = recorder();
  await write(fencedClient(client, { check: () => undefined }));
  expect(sent).toEqual([name]);
});
