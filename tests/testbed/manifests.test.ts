import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { binaryPath } from '../../hack/testbed/build/locate.ts';
import { virtualMachineImports } from '../../src/api/kinds.ts';
import type { VirtualMachineImport } from '../../src/api/virtual-machine-import.ts';
import { collectionPath, objectPath } from '../../src/kube/resource-path.ts';
import type { ApiRequest, ApiResponse } from '../../src/kube/transport.ts';
import { contentTypes } from '../../src/kube/transport.ts';
import { importSpec } from '../migration/import-spec.ts';
import { openRealCluster, type RealCluster } from './real-cluster.ts';
import { RealNamespace } from './real-namespace.ts';

const folder = fileURLToPath(new URL('../../manifests', import.meta.url));
const namespace = 'manifests-test';

let own: RealNamespace;
let admin: RealCluster;
let gantry: RealCluster;
beforeAll(async () => {
  [own, gantry] = await Promise.all([RealNamespace.open(namespace), openRealCluster('gantry')]);
  admin = own.cluster;
});
afterAll(async () => {
  await Promise.all([own[Symbol.asyncDispose](), gantry[Symbol.asyncDispose]()]);
});

test('all that is shipped is accepted as one, without a warning of the server', async () => {
  const args = ['apply', '-k', folder, '--dry-run=server', '--validate=strict', '--warnings-as-errors'];
  const env = { ...process.env, KUBECONFIG: admin.testbed.kubeconfig('admin') };
  const { stdout } = await promisify(execFile)(binaryPath('kubectl'), args, { env });
  const lines = stdout.trim().split('\n');
  expect(lines.filter((line) => !/ (created|configured|unchanged) \(server dry run\)$/.test(line))).toEqual(
    [],
  );
  const kinds = new Set(lines.map((line) => line.split(/[./]/)[0]));
  expect([...kinds].sort()).toEqual([
    'clusterrole',
    'clusterrolebinding',
    'customresourcedefinition',
    'deployment',
    'namespace',
    'role',
    'rolebinding',
    'service',
    'serviceaccount',
    'validatingadmissionpolicy',
    'validatingadmissionpolicybinding',
  ]);
});

describe('the admission policy', () => {
  const at = { namespace, name: 'web' };
  const body = {
    apiVersion: 'gantry.dev/v1alpha1',
    kind: 'VirtualMachineImport',
    metadata: { ...at, labels: { a: '1' } },
    spec: importSpec(),
  } as unknown as VirtualMachineImport;
  const refusal = /VirtualMachineImports are made and changed by Gantry alone/;

  const send = (as: RealCluster, request: ApiRequest, user?: string): Promise<ApiResponse> =>
    as.transport.request({
      ...request,
      ...(user !== undefined && {
        headers: { 'impersonate-user': user, 'impersonate-group': 'system:masters' },
      }),
    });
  const patch = (change: object, subresource = ''): ApiRequest => ({
    method: 'PATCH',
    path: `${objectPath(virtualMachineImports, at)}${subresource}`,
    contentType: contentTypes.mergePatch,
    body: change,
  });
  const creation: ApiRequest = {
    method: 'POST',
    path: collectionPath(virtualMachineImports, namespace),
    body,
  };
  const refused = (answer: ApiResponse): void => {
    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({
      reason: 'Forbidden',
      message: expect.stringMatching(refusal) as unknown,
    });
  };

  test('lets the controller alone create imports', async () => {
    refused(await send(admin, creation));
    expect((await send(gantry, creation)).status).toBe(201);
  });

  test('lets the controller alone change spec, status, labels, finalizers and owners', async () => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'u' };
    for (const change of [
      patch({ spec: { control: { paused: true } } }),
      patch({ status: { phase: 'CopyDisks' } }, '/status'),
      patch({ metadata: { labels: { a: '2' } } }),
      patch({ metadata: { labels: null } }),
      patch({ metadata: { finalizers: ['example.com/held'] } }),
      patch({ metadata: { ownerReferences: [owner] } }),
    ]) {
      refused(await send(admin, change));
    }
    expect((await send(gantry, patch({ spec: { control: { paused: true } } }))).status).toBe(200);
    expect((await send(gantry, patch({ status: { phase: 'CopyDisks' } }, '/status'))).status).toBe(200);
    expect((await send(gantry, patch({ metadata: { finalizers: ['gantry.dev/held'] } }))).status).toBe(200);
  });

  test('lets everyone annotate', async () => {
    expect((await send(admin, patch({ metadata: { annotations: { note: 'x' } } }))).status).toBe(200);
  });

  test.each([
    'system:serviceaccount:kube-system:generic-garbage-collector',
    'system:serviceaccount:kube-system:namespace-controller',
    'system:kube-controller-manager',
  ])('lets %s do its work on metadata, and no more', async (collector) => {
    const owners = { metadata: { labels: { a: collector.slice(-5) } } };
    expect((await send(admin, patch(owners), collector)).status).toBe(200);
    refused(await send(admin, patch({ spec: { control: { paused: false } } }), collector));
    refused(await send(admin, patch({ status: { phase: 'Done' } }, '/status'), collector));
  });

  test('lets users delete', async () => {
    expect((await send(gantry, patch({ metadata: { finalizers: null } }))).status).toBe(200);
    expect(await admin.client.delete(virtualMachineImports, at)).toBe(true);
  });
});
