import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadInClusterConfig, loadKubeConfig } from '../../src/kube/auth.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-auth-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});
const clock = new SimulatedClock({ start: 0 });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function kubeconfig(user: object, cluster: object = {}): Promise<string> {
  const path = join(folder, `${Math.floor(clock.monotonicMs())}-${(files += 1)}.json`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u', namespace: 'work' } },
      { name: 'other', context: { cluster: 'd', user: 'u' } },
    ],
    clusters: [
      {
        name: 'c',
        cluster: { server: 'https://one:6443', 'certificate-authority-data': base64('CA'), ...cluster },
      },
      { name: 'd', cluster: { server: 'https://two:6443', 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'u', user }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}
let files = 0;

describe('a kubeconfig', () => {
  test('gives address, trust, namespace and token of its current context', async () => {
    const access = await loadKubeConfig({ path: await kubeconfig({ token: 't' }), clock });
    expect(access).toMatchObject({
      server: 'https://one:6443',
      ca: 'CA',
      skipTlsVerify: false,
      namespace: 'work',
    });
    expect(await access.auth.current()).toEqual({ headers: { authorization: 'Bearer t' } });
  });

  test('gives another context when asked, and names those there are when it has none of the name', async () => {
    const path = await kubeconfig({ token: 't' });
    const access = await loadKubeConfig({ path, context: 'other', clock });
    expect(access).toMatchObject({ server: 'https://two:6443', skipTlsVerify: true, namespace: 'default' });
    await expect(loadKubeConfig({ path, context: 'third', clock })).rejects.toThrow(
      'has no context "third"; it has: main, other',
    );
  });

  test('client certificate, password and exec plugin are credentials, too', async () => {
    const certificate = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') };
    const byCertificate = await loadKubeConfig({ path: await kubeconfig(certificate), clock });
    expect(await byCertificate.auth.current()).toMatchObject({ cert: 'CERT', key: 'KEY' });
    const byPassword = await loadKubeConfig({
      path: await kubeconfig({ username: 'me', password: 'pw' }),
      clock,
    });
    expect(await byPassword.auth.current()).toEqual({
      headers: { authorization: `Basic ${base64('me:pw')}` },
    });
    const counter = join(folder, 'count');
    const script = `n=$(cat ${counter} 2>/dev/null || echo 0); n=$((n+1)); echo $n > ${counter};
      echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"exec-'$n'"}}'`;
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] };
    const byExec = await loadKubeConfig({ path: await kubeconfig({ exec }), clock });
    const bearer = async () => (await byExec.auth.current()).headers['authorization'];
    expect(await bearer()).toBe('Bearer exec-1');
    expect(await bearer()).toBe('Bearer exec-1');
    expect(byExec.auth.renew()).toBe(true);
    expect(await bearer()).toBe('Bearer exec-2');
  });

  test('that is missing, broken or incomplete is an error that says so', async () => {
    const broken = join(folder, 'broken');
    await writeFile(broken, 'clusters: [');
    for (const path of [broken, join(folder, 'missing')]) {
      await expect(loadKubeConfig({ path, clock })).rejects.toMatchObject({ code: 'KubeConfigInvalid' });
    }
    const noCa = await kubeconfig(
      {},
      { 'certificate-authority-data': undefined, 'certificate-authority': '/no/ca' },
    );
    await expect(loadKubeConfig({ path: noCa, clock })).rejects.toThrow('/no/ca cannot be read');
    const proxied = await kubeconfig({}, { 'proxy-url': 'http://proxy' });
    await expect(loadKubeConfig({ path: proxied, clock })).rejects.toThrow(
      'proxy-url, which is not supported',
    );
  });
});

describe('in a cluster', () => {
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  test('address, CA and namespace are those of the pod, and a rotated token is seen within a minute', async () => {
    await writeFile(join(folder, 'token'), 'first\n');
    await writeFile(join(folder, 'ca.crt'), 'CA\n');
    await writeFile(join(folder, 'namespace'), 'home');
    const access = await loadInClusterConfig({ env, clock, folder });
    expect(access).toMatchObject({ server: 'https://[fd00::1]:443', ca: 'CA', namespace: 'home' });
    await writeFile(join(folder, 'token'), 'second\n');
    const bearer = async () => (await access.auth.current()).headers['authorization'];
    expect(await bearer()).toBe('Bearer first');
    await clock.advance(60_000);
    expect(await bearer()).toBe('Bearer second');
  });

  test('elsewhere it is an error', async () => {
    await expect(loadInClusterConfig({ env: {}, clock })).rejects.toThrow('not in a cluster');
    await expect(loadInClusterConfig({ env, clock, folder: '/no/such' })).rejects.toThrow(
      '/no/such/token cannot be read',
    );
  });
});
