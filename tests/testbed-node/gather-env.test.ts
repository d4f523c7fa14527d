import { describe, expect, test } from '@jest/globals';
import { expand, gatherEnv } from '../../hack/testbed/node/gather-env.ts';
import type { NodeContainer } from '../../hack/testbed/node/node-pod.ts';
import { container } from './pods.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const readers = {
  secret: (name: string) =>
    Promise.resolve(
      name === 'vc'
        ? {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name },
            data: { accessKeyId: base64('user'), secretKey: base64('pass') },
          }
        : undefined,
    ),
  configMap: (name: string) =>
    Promise.resolve(
      name === 'settings'
        ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { level: '3' } }
        : undefined,
    ),
  field: (path: string) => (path === 'metadata.name' ? 'p' : undefined),
};
const gather = (fields: Partial<NodeContainer>) => gatherEnv(container(fields), 'ns', readers);

describe('the environment of a container', () => {
  test('comes from Secrets, ConfigMaps, fields and plain values, the later ones first in rank', async () => {
    const env = await gather({
      envFrom: [{ prefix: 'S_', secretRef: { name: 'vc' } }, { configMapRef: { name: 'settings' } }],
      env: [
        { name: 'USER', valueFrom: { secretKeyRef: { name: 'vc', key: 'accessKeyId' } } },
        { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } },
        { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'level', value: '$(LEVEL)/$(POD)/$(NOBODY)/$$(POD)' },
        { name: 'EMPTY' },
      ],
    });
    expect(env).toEqual({
      S_accessKeyId: 'user',
      S_secretKey: 'pass',
      USER: 'user',
      LEVEL: '3',
      POD: 'p',
      level: '3/p/$(NOBODY)/$(POD)',
      EMPTY: '',
    });
  });

  test.each<[string, Partial<NodeContainer>, string]>([
    [
      'a Secret',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }] },
      'secret "none" not found',
    ],
    [
      'a key of a Secret',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'vc', key: 'k' } } }] },
      "couldn't find key k in Secret ns/vc",
    ],
    [
      'a ConfigMap',
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] },
      'configmap "none" not found',
    ],
    ['a whole Secret', { envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
  ])('cannot be made without %s', async (_, fields, message) => {
    await expect(gather(fields)).rejects.toMatchObject({ code: 'CreateContainerConfigError', message });
  });

  test('does without what is optional', async () => {
    const optional = true;
    const env = await gather({
      envFrom: [{ secretRef: { name: 'none', optional } }, { configMapRef: { name: 'none', optional } }],
      env: [
        { name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'k', optional } } },
        { name: 'B', valueFrom: { configMapKeyRef: { name: 'settings', key: 'k', optional } } },
      ],
    });
    expect(env).toEqual({});
  });
});

test('text without references is left as it is', () => {
  expect(expand('5$ (not a name) $( $X', {})).toBe('5$ (not a name) $( $X');
});
