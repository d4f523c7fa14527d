import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configMaps, pods } from '../../src/api/kinds.ts';
import { collectionPath } from '../../src/kube/resource-path.ts';
import { contentTypes } from '../../src/kube/transport.ts';
import { buildConversion, conversionPort } from '../../src/target/conversion-pod.ts';
import { importSpec } from '../migration/import-spec.ts';
import { ownAddress } from '../support/own-testbed.ts';
import { openRealCluster, type RealCluster } from './real-cluster.ts';
import { RealNamespace } from './real-namespace.ts';

const namespace = 'conversion-test';

/** As the controller, with just the rights that are shipped. */
let gantry: RealCluster;
let own: RealNamespace;
beforeAll(async () => {
  [own, gantry] = await Promise.all([RealNamespace.open(namespace), openRealCluster('gantry')]);
});
afterAll(async () => {
  await Promise.all([own[Symbol.asyncDispose](), gantry[Symbol.asyncDispose]()]);
});

const { pod, domain } = buildConversion(
  {
    metadata: { name: 'import', namespace: 'mtv', uid: 'import-uid' },
    spec: importSpec(
      {
        target: { ...importSpec().target, namespace },
        strategy: { type: 'cold', path: 'vddk', conversion: 'inPlace' },
        conversion: {
          image: 'registry.example/virt-v2v:2.12',
          requestsKvm: true,
          clevis: true,
          labels: { team: 'a' },
          nodeSelector: { disk: 'fast' },
          tempStorage: { class: 'fast', size: '10Gi' },
        },
      },
      2,
    ),
  },
  {
    vmName: 'web-01',
    modes: new Map([
      ['2000', 'Filesystem'],
      ['2001', 'Block'],
    ]),
  },
);

test('every field of the pod that converts is one that the API server knows', async () => {
  for (const [kind, body] of [
    [pods, pod],
    [configMaps, domain],
  ] as const) {
    const answer = await gantry.transport.request({
      method: 'POST',
      path: collectionPath(kind, namespace),
      query: { dryRun: 'All', fieldValidation: 'Strict' },
      contentType: contentTypes.json,
      body,
    });
    expect({ status: answer.status, body: answer.status === 201 ? '' : answer.body }).toEqual({
      status: 201,
      body: '',
    });
    expect(answer.headers['warning']).toBeUndefined();
  }
});

test('a converter is asked, and told to end, through the API server; one that does not listen is told as such', async () => {
  const { client } = gantry;
  const name = 'answering';
  const address = ownAddress();
  const at = { namespace, name };
  const { uid } = (
    await client.create(pods, {
      ...pod,
      metadata: { name, namespace },
      spec: { containers: [{ name: 'none', image: 'none' }], nodeName: 'elsewhere' },
    })
  ).metadata;
  // As a kubelet would say it: the pod runs at an address of this very process.
  const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }] };
  await own.client.mergePatch(pods, at, { status }, { subresource: 'status' });
  await expect(client.podProxy(at, conversionPort, 'vm', 'GET')).rejects.toMatchObject({
    code: 'ServerError',
    status: 503,
  });
  const told: string[] = [];
  const server = createServer((request, response) => {
    told.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (request.url === '/inspection') response.end('<v2v-inspection/>');
    else response.writeHead(request.url === '/none' ? 404 : 204).end();
  });
  await new Promise<void>((resolve) => server.listen(conversionPort, address, resolve));
  try {
    const ask = (path: string, method: 'GET' | 'POST' = 'GET') =>
      client.podProxy(at, conversionPort, path, method);
    expect(await ask('vm')).toMatchObject({ status: 204 });
    expect(await ask('inspection')).toEqual({ status: 200, body: '<v2v-inspection/>' });
    expect(await ask('none')).toMatchObject({ status: 404 });
    expect(await ask('shutdown', 'POST')).toMatchObject({ status: 204 });
    expect(told).toEqual(['GET /vm', 'GET /inspection', 'GET /none', 'POST /shutdown']);
  } finally {
    server.closeAllConnections();
    server.close();
    await own.client.delete(pods, at, { uid, gracePeriodSeconds: 0 });
  }
});

test('the pod stays when somebody deletes it by force, until our finalizer is taken off', async () => {
  const { client } = gantry;
  // Nobody schedules it: how the API server itself treats it is what is asked.
  const unscheduled = { ...pod, spec: { ...pod.spec, schedulerName: 'nobody' } };
  const { uid } = (await client.create(pods, unscheduled)).metadata;
  const at = { namespace, name: pod.metadata.name };
  await own.client.delete(pods, at, { gracePeriodSeconds: 0 });
  const left = await client.get(pods, at);
  expect(left?.metadata).toMatchObject({ uid, deletionTimestamp: expect.any(String) });
  // It never ran, and says so: nobody listens.
  await expect(client.podProxy(at, conversionPort, 'vm', 'GET')).rejects.toMatchObject({
    code: expect.stringMatching(/^(ServerError|BadRequest)$/),
  });
  await expect(client.podProxy(at, conversionPort, 'shutdown', 'POST')).rejects.toMatchObject({
    code: expect.stringMatching(/^(ServerError|BadRequest)$/),
  });
  await client.mergePatch(pods, at, { metadata: { uid, finalizers: [] } });
  await own.when(pods, at.name, (object) => object === undefined);
});
