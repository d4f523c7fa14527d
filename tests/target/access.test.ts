import { describe, expect, test } from '@jest/globals';
import { accessNames, buildAccess } from '../../src/target/access.ts';
import { sampleInput } from './sample-import.ts';
import { sampleSubject } from './freeze-sample.ts';

const overHttp = sampleSubject({ source: { ...sampleInput().source, path: 'imageio' } });

describe('what importers read', () => {
  test('the Secret holds the values in base64, under the labels by which it is cleaned up', () => {
    const { secret, configMap } = buildAccess(sampleSubject(), {
      secret: { accessKeyId: 'user', secretKey: 'pä$$' },
      trust: {},
    });
    expect(secret.data).toEqual({
      accessKeyId: Buffer.from('user').toString('base64'),
      secretKey: Buffer.from('pä$$', 'utf8').toString('base64'),
    });
    expect(secret.metadata).toMatchObject({
      namespace: 'target',
      labels: { 'gantry.dev/import': 'import-uid' },
    });
    expect(secret.immutable).toBeUndefined();
    expect(configMap).toBeUndefined();
  });

  test('certificates stand as one bundle under both keys that readers look for', () => {
    const { configMap } = buildAccess(overHttp, {
      secret: {},
      trust: { engine: 'PEM-A\n', imageio: 'PEM-B', again: 'PEM-A' },
    });
    expect(configMap?.data).toEqual({ 'ca.pem': 'PEM-A\nPEM-B\n', 'tls.crt': 'PEM-A\nPEM-B\n' });
  });

  test('a ConfigMap that has a name exists, even without a certificate', () => {
    const { configMap } = buildAccess(overHttp, { secret: {}, trust: {} });
    expect(configMap?.metadata.name).toBe(accessNames(overHttp).configMap);
    expect(configMap?.data).toEqual({});
  });

  test('names depend on the import alone and differ from one import to the next', () => {
    const other = { ...overHttp, metadata: { ...overHttp.metadata, uid: 'another-uid' } };
    expect(accessNames(overHttp)).toEqual(accessNames({ ...overHttp }));
    expect(accessNames(other).secret).not.toBe(accessNames(overHttp).secret);
    expect(accessNames(other).configMap).not.toBe(accessNames(overHttp).configMap);
  });
});
