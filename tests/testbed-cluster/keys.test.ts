import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { hub, programAddresses } from '../../hack/testbed/addresses.ts';
import { makeKeys, writeTokenKeys } from '../../hack/testbed/cluster/keys.ts';
import { loadKubeConfig } from '../../src/kube/auth.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { TestFolder } from '../sandbox/demo/temp.ts';

const clock = new SystemClock();

describe('the keys of a testbed', () => {
  test('are for their user alone', async () => {
    using folder = new TestFolder();
    await makeKeys(folder.path, clock.now());
    const names = readdirSync(join(folder.path, 'keys'));
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) expect(statSync(join(folder.path, 'keys', name)).mode & 0o077).toBe(0);
  });

  test('let one certificate serve at every address there is', async () => {
    using folder = new TestFolder();
    const keys = await makeKeys(folder.path, clock.now());
    const serving = new X509Certificate(readFileSync(keys.serving));
    for (const ip of [hub, '127.0.0.1', ...Object.values(programAddresses)])
      expect(serving.checkIP(ip)).toBe(ip);
    expect(serving.checkHost('localhost')).toBe('localhost');
    expect(serving.checkIP('10.77.200.1')).toBeUndefined();
    const authority = new X509Certificate(keys.caPem);
    expect(serving.checkIssued(authority)).toBe(true);
    expect(serving.verify(authority.publicKey)).toBe(true);
    expect(serving.checkPrivateKey(createPrivateKey(readFileSync(keys.servingKey)))).toBe(true);
    const asking = new X509Certificate(readFileSync(keys.frontProxy));
    // id-kp-clientAuth
    expect(asking.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  test('give every identity a token of its own, which its kubeconfig holds', async () => {
    using folder = new TestFolder();
    const keys = await makeKeys(folder.path, clock.now());
    const lines = readFileSync(keys.tokens, 'utf8').trim().split('\n');
    const users = new Map(lines.map((line) => [line.split(',')[0], line.split(',').slice(1).join(',')]));
    expect(users.size).toBe(lines.length);
    expect(users.get(keys.token('admin'))).toBe('testbed-admin,uid-admin,"system:masters"');
    expect(users.get(keys.token('gantry'))).toBe(
      'system:serviceaccount:konveyor-forklift:forklift-controller,uid-gantry,' +
        '"system:serviceaccounts,system:serviceaccounts:konveyor-forklift"',
    );
    const { auth, ca } = await loadKubeConfig({ path: keys.kubeconfig('gantry'), clock });
    expect(await auth.current()).toEqual({ headers: { authorization: `Bearer ${keys.token('gantry')}` } });
    expect(ca).toBe(keys.caPem);
  });

  test("hold CDI's signing key in the form that CDI reads", async () => {
    using folder = new TestFolder();
    await writeTokenKeys(folder.path);
    const text = readFileSync(folder.file('id_rsa'), 'utf8');
    expect(text).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    const publicText = readFileSync(folder.file('id_rsa.pub'), 'utf8');
    expect(createPublicKey(createPrivateKey(text)).equals(createPublicKey(publicText))).toBe(true);
  });
});
