import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configMaps, namespaces, pods } from '../../src/api/kinds.ts';
import { collectionPath } from '../../src/kube/resource-path.ts';
import { contentTypes } from '../../src/kube/transport.ts';
import { buildConversion } from '../../src/target/conversion-pod.ts';
import { importSpec } from '../migration/import-spec.ts';
import { openRealCluster, whenObject, type RealCluster } from './real-cluster.ts';

const namespace = 'conversion-test';

/** As the controller, with just the rights that are shipped. */
let gantry: RealCluster;
let admin: RealCluster;
beforeAll(async () => {
  [admin, gantry] = await Promise.all([openRealCluster('admin'), openRealCluster('gantry')]);
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await admin.client.create(namespaces, body);
});
afterAll(async () => {
  await admin.client.delete(namespaces, { name: namespace });
  await Promise.all([admin[Symbol.asyncDispose](), gantry[Symbol.asyncDispose]()]);
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

test('the pod stays when somebody deletes it by force, until our finalizer is taken off', async () => {
  const { client } = gantry;
  // Nobody schedules it: how the API server itself treats it is what is asked.
  const unscheduled = { ...pod, spec: { ...pod.spec, schedulerName: 'nobody' } };
  const { uid } = (await client.create(pods, unscheduled)).metadata;
  const at = { namespace, name: pod.metadata.name };
  await admin.client.delete(pods, at, { gracePeriodSeconds: 0 });
  const left = await client.get(pods, at);
  expect(left?.metadata).toMatchObject({ uid, deletionTimestamp: expect.any(String) });
  // It never ran, and says so: nobody listens.
  await expect(client.podProxy(at, 8080, 'vm', 'GET')).rejects.toMatchObject({
    code: expect.stringMatching(/^(ServerError|BadRequest)$/),
  });
  await expect(client.podProxy(at, 8080, 'shutdown', 'POST')).rejects.toMatchObject({
    code: expect.stringMatching(/^(ServerError|BadRequest)$/),
  });
  await client.mergePatch(pods, at, { metadata: { uid, finalizers: [] } });
  expect(await whenObject(client, pods, at, (object) => object === undefined)).toBeUndefined();
});
