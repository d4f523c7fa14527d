import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKubeConfig } from '../../src/kube/auth.ts';
import { parsePlainKubeConfig, plainCredentials } from '../../src/kube/plain-kubeconfig.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plain-kubeconfig-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** In YAML as kubectl writes it, with the lines of a cluster and of a user as given. */
function yamlConfig(
  user: readonly string[],
  cluster: readonly string[] = ['server: https://one:6443/'],
): string {
  const block = (lines: readonly string[]): string => lines.map((line) => `    ${line}\n`).join('');
  return `apiVersion: v1
kind: Config
current-context: main
contexts:
- name: main
  context:
    cluster: c
    user: u
    namespace: work
clusters:
- name: c
  cluster:
${block(cluster)}users:
- name: u
  user:
${block(user)}`;
}

async function credentials(user: readonly string[]) {
  const config = await parsePlainKubeConfig(yamlConfig(user), join(folder, 'config'));
  return config && plainCredentials(config);
}

describe('a kubeconfig that needs only reading', () => {
  test('gives address and trust as they are written', async () => {
    const cluster = [
      'server: https://one:6443/',
      `certificate-authority-data: ${base64('CA')}`,
      'tls-server-name: api.example',
      'insecure-skip-tls-verify: true',
    ];
    expect(await parsePlainKubeConfig(yamlConfig(['token: t'], cluster), '/x/config')).toMatchObject({
      server: 'https://one:6443',
      ca: { text: 'CA' },
      serverName: 'api.example',
      skipTlsVerify: true,
      namespace: 'work',
    });
  });

  test('finds the files that it names beside itself', async () => {
    await writeFile(join(folder, 'me.crt'), 'CERT');
    await writeFile(join(folder, 'me.key'), 'KEY');
    await writeFile(join(folder, 'token'), 'fresh\n');
    expect(
      await credentials(['client-certificate: me.crt', `client-key: ${join(folder, 'me.key')}`]),
    ).toEqual({
      headers: {},
      cert: 'CERT',
      key: 'KEY',
    });
    expect(await credentials(['token: stale', 'tokenFile: ./token'])).toEqual({
      headers: { authorization: 'Bearer fresh' },
    });
  });

  test('proves its user by token, certificate or password', async () => {
    expect(await credentials(['token: t'])).toEqual({ headers: { authorization: 'Bearer t' } });
    expect(
      await credentials([`client-certificate-data: ${base64('C')}`, `client-key-data: ${base64('K')}`]),
    ).toEqual({ headers: {}, cert: 'C', key: 'K' });
    expect(await credentials(['username: me', 'password: pw'])).toEqual({
      headers: { authorization: `Basic ${base64('me:pw')}` },
    });
    expect(await credentials(['token: ""'])).toEqual({ headers: {} });
  });

  test.each([
    ['an exec plugin', ['exec: {command: login}']],
    ['an auth provider', ['auth-provider: {name: oidc}']],
    ['impersonation', ['token: t', 'as: somebody']],
    ['a token that YAML takes for a number', ['token: 12345']],
  ])('is not one with %s', async (_what, user) => {
    expect(await parsePlainKubeConfig(yamlConfig(user), '/x/config')).toBeUndefined();
  });

  test.each([
    ['behind a proxy', yamlConfig(['token: t'], ['server: https://one', 'proxy-url: http://proxy'])],
    ['without an address', yamlConfig(['token: t'], ['tls-server-name: x'])],
    ['whose user is missing', yamlConfig(['token: t']).replace('- name: u', '- name: other')],
    ['that is no YAML', 'clusters: ['],
    ['that is empty', ''],
  ])('is not one %s', async (_what, text) => {
    expect(await parsePlainKubeConfig(text, '/x/config')).toBeUndefined();
  });

  test('is read again after a refusal, so that a new login is seen, and keeps what it had when it is gone', async () => {
    const path = join(folder, 'login');
    await writeFile(path, yamlConfig(['token: first']));
    const clock = new SimulatedClock({ start: 0 });
    const { auth } = await loadKubeConfig({ env: { KUBECONFIG: path }, clock });
    const bearer = async () => (await auth.current()).headers['authorization'];
    expect(await bearer()).toBe('Bearer first');
    await writeFile(path, yamlConfig(['token: second']));
    expect(await bearer()).toBe('Bearer first');
    auth.renew();
    expect(await bearer()).toBe('Bearer second');
    await rm(path);
    auth.renew();
    expect(await bearer()).toBe('Bearer second');
  });
});
