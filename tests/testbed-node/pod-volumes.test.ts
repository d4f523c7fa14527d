import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PersistentVolume, PersistentVolumeClaim } from '../../src/api/external/core.ts';
import type { Stored } from '../../src/api/meta.ts';
import { KubeError } from '../../src/kube/errors.ts';
import type { NodeVolume } from '../../hack/testbed/node/node-pod.ts';
import type { VolumeReaders } from '../../hack/testbed/node/pod-volumes.ts';
import { mountVolume } from '../../hack/testbed/node/pod-volumes.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pod-volumes-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const object = (kind: string, name: string, data: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  data,
});
const boundClaim = {
  metadata: { name: 'c' },
  spec: { volumeName: 'pv' },
  status: { phase: 'Bound' },
} as Stored<PersistentVolumeClaim>;
const volume = { spec: { hostPath: { path: '/volumes/pv' } } } as PersistentVolume;

function readers(changes: Partial<VolumeReaders> = {}): VolumeReaders {
  const absent = () => Promise.resolve(undefined);
  return {
    claim: absent,
    volume: absent,
    secret: absent,
    configMap: absent,
    field: () => undefined,
    token: () => Promise.resolve('a-token'),
    ...changes,
  };
}
const mount = (described: Omit<NodeVolume, 'name'>, read: VolumeReaders) =>
  mountVolume({ name: 'v', ...described }, folder, read);
const read = (name: string) => readFileSync(join(folder, 'v', name), 'utf8');

describe('a volume of a pod', () => {
  test('of a claim is where its PersistentVolume is', async () => {
    const found = await mount(
      { persistentVolumeClaim: { claimName: 'c' } },
      readers({ claim: () => Promise.resolve(boundClaim), volume: () => Promise.resolve(volume) }),
    );
    expect(found).toEqual({ source: '/volumes/pv', claim: boundClaim });
  });

  test('holds the files of a Secret, and after a change those alone', async () => {
    const secret = (data: Readonly<Record<string, string>>) =>
      readers({ secret: () => Promise.resolve(object('Secret', 's', data)) });
    await mount({ secret: { secretName: 's' } }, secret({ a: 'QQ==', b: 'Qg==' }));
    expect([read('a'), read('b')]).toEqual(['A', 'B']);
    await mount({ secret: { secretName: 's' } }, secret({ b: 'Qw==' }));
    expect(readdirSync(join(folder, 'v'))).toEqual(['b']);
    expect(read('b')).toBe('C');
  });

  test('holds the chosen files of a ConfigMap under their paths', async () => {
    const configMap = () => Promise.resolve(object('ConfigMap', 'm', { a: 'A', b: 'B' }));
    await mount({ configMap: { name: 'm', items: [{ key: 'b', path: 'x/y' }] } }, readers({ configMap }));
    expect(readdirSync(join(folder, 'v'))).toEqual(['x']);
    expect(read('x/y')).toBe('B');
  });

  test('holds token, trust and namespace for a ServiceAccount', async () => {
    const sources = [
      { serviceAccountToken: { path: 'token' } },
      { configMap: { name: 'ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ];
    const configMap = () => Promise.resolve(object('ConfigMap', 'ca', { 'ca.crt': 'PEM' }));
    await mount({ projected: { sources } }, readers({ configMap, field: () => 'ns' }));
    expect([read('token'), read('ca.crt'), read('namespace')]).toEqual(['a-token', 'PEM', 'ns']);
  });

  test('is tried again where the server refuses the token, as while its namespace goes', async () => {
    const detail = 'the namespace is being terminated';
    const refusal = new KubeError({ code: 'Forbidden', status: 403, detail, attempted: 'create a token' });
    const token = () => Promise.reject(refusal);
    const sources = [{ serviceAccountToken: { path: 'token' } }];
    await expect(mount({ projected: { sources } }, readers({ token }))).rejects.toMatchObject({
      code: 'FailedMount',
      message: expect.stringContaining(detail),
    });
  });

  test('keeps what was written to an emptyDir', async () => {
    const first = await mount({ emptyDir: {} }, readers());
    expect(await mount({ emptyDir: {} }, readers())).toEqual(first);
  });

  test.each<[string, Omit<NodeVolume, 'name'>, string]>([
    ['Secret', { secret: { secretName: 's' } }, 'secret "s" not found'],
    ['ConfigMap', { configMap: { name: 'm' } }, 'configmap "m" not found'],
    ['claim', { persistentVolumeClaim: { claimName: 'c' } }, 'persistentvolumeclaim "c" not found'],
  ])('cannot be mounted without its %s', async (_, described, why) => {
    await expect(mount(described, readers())).rejects.toMatchObject({
      code: 'FailedMount',
      message: `MountVolume.SetUp failed for volume "v" : ${why}`,
    });
  });

  test('cannot be mounted without the key that it names', async () => {
    const configMap = () => Promise.resolve(object('ConfigMap', 'm', {}));
    const items = [{ key: 'k', path: 'p' }];
    await expect(mount({ configMap: { name: 'm', items } }, readers({ configMap }))).rejects.toThrow(
      'references non-existent config key: k',
    );
  });

  test('is empty where what it names is optional and not there', async () => {
    await mount({ secret: { secretName: 's', optional: true } }, readers());
    expect(readdirSync(join(folder, 'v'))).toEqual([]);
  });
});
