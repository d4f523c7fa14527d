import { generateKeyPair, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Authority } from '../../../src/sandbox/api/certificates.ts';
import { kubeconfig } from '../../../src/sandbox/api/kubeconfig.ts';
import { apiServerUrl, hub, programAddresses } from '../addresses.ts';
import { identityNames, tokenFile, type IdentityName } from './identities.ts';

/** All that proves who is who in a testbed. Made anew for each, and readable by its user alone. */
export interface Keys {
  readonly caPem: string;
  /** Paths. */
  readonly ca: string;
  readonly caKey: string;
  /** One certificate for everything that serves, at all addresses. */
  readonly serving: string;
  readonly servingKey: string;
  readonly frontProxy: string;
  readonly frontProxyKey: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  readonly tokens: string;
  kubeconfig(name: IdentityName): string;
  token(name: IdentityName): string;
}

/** The first address of the range of Services, under which pods would find the API server. */
const apiServiceAddress = '10.96.0.1';
export const serviceRange = '10.96.0.0/24';

const newKeyPair = promisify(generateKeyPair);

const inFolder = (folder: string, name: string): string => join(folder, 'keys', name);

/** Of the testbed in `folder`. */
export function kubeconfigPath(folder: string, name: IdentityName): string {
  return inFolder(folder, `${name}.kubeconfig`);
}

/** PEM. */
export function authorityPath(folder: string): string {
  return inFolder(folder, 'ca.crt');
}

/** For the testbed in `folder`. `now`: milliseconds since 1970. */
export async function makeKeys(folder: string, now: number): Promise<Keys> {
  const path = (name: string): string => inFolder(folder, name);
  await mkdir(path(''), { recursive: true, mode: 0o700 });
  const authority = await Authority.create('testbed-ca', now);
  const [serving, frontProxy, account] = await Promise.all([
    authority.issue({
      commonName: 'testbed',
      dns: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
      ips: [hub, '127.0.0.1', apiServiceAddress, ...Object.values(programAddresses)],
    }),
    authority.issue({ commonName: 'front-proxy', dns: [], ips: [] }),
    newKeyPair('ec', { namedCurve: 'prime256v1' }),
  ]);
  const tokens = Object.fromEntries(
    identityNames.map((name) => [name, randomBytes(32).toString('base64url')]),
  ) as Readonly<Record<IdentityName, string>>;
  const files: Readonly<Record<string, string>> = {
    'ca.crt': authority.certPem,
    'ca.key': authority.keyPem,
    'serving.crt': serving.certPem,
    'serving.key': serving.keyPem,
    'front-proxy.crt': frontProxy.certPem,
    'front-proxy.key': frontProxy.keyPem,
    'service-account.key': account.privateKey.export({ format: 'pem', type: 'sec1' }).toString(),
    'service-account.pub': account.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    'tokens.csv': tokenFile(tokens),
    ...Object.fromEntries(
      identityNames.map((name) => [
        `${name}.kubeconfig`,
        kubeconfig({ url: apiServerUrl, caPem: authority.certPem, token: tokens[name] }, 'testbed'),
      ]),
    ),
  };
  await Promise.all(
    Object.entries(files).map(([name, content]) => writeFile(path(name), content, { mode: 0o600 })),
  );
  return {
    caPem: authority.certPem,
    ca: authorityPath(folder),
    caKey: path('ca.key'),
    serving: path('serving.crt'),
    servingKey: path('serving.key'),
    frontProxy: path('front-proxy.crt'),
    frontProxyKey: path('front-proxy.key'),
    serviceAccountKey: path('service-account.key'),
    serviceAccountPublicKey: path('service-account.pub'),
    tokens: path('tokens.csv'),
    kubeconfig: (name) => kubeconfigPath(folder, name),
    token: (name) => tokens[name],
  };
}

/**
 * The key pair with which CDI signs its tokens for clones: RSA, in the old form (fact: testbed 7.2).
 */
export async function writeTokenKeys(folder: string): Promise<void> {
  const { privateKey, publicKey } = await newKeyPair('rsa', { modulusLength: 2048 });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await Promise.all([
    writeFile(join(folder, 'id_rsa'), privateKey.export({ format: 'pem', type: 'pkcs1' }), { mode: 0o600 }),
    writeFile(join(folder, 'id_rsa.pub'), publicKey.export({ format: 'pem', type: 'spki' })),
  ]);
}
