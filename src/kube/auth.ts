import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { RequestOptions } from 'node:https';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../runtime/clock.ts';
import type { Auth, Credentials } from './credentials.ts';
import { ReadAuth } from './credentials.ts';
import { parsePlainKubeConfig, plainCredentials, textOf, type PlainKubeConfig } from './plain-kubeconfig.ts';
import { errorText } from './to-transport-error.ts';

/** All that a transport needs to know of a cluster. */
export interface ClusterAccess {
  readonly server: string;
  /** PEM. */
  readonly ca?: string;
  readonly serverName?: string;
  readonly skipTlsVerify: boolean;
  /** Where the user works by default; "default" where nothing says otherwise. */
  readonly namespace: string;
  readonly auth: Auth;
}

/** A kubeconfig, or what a pod is given in its stead, that cannot be used. */
export class KubeConfigError extends Error {
  readonly code = 'KubeConfigInvalid';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KubeConfigError';
  }
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The cluster that this process runs in as a pod: address from the environment, token (read again every minute, since it rotates) and
 * CA from the service account's folder. Throws KubeConfigError outside of a cluster.
 */
export async function loadInClusterConfig(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** For tests; default is where a kubelet mounts it. */
  readonly folder?: string;
}): Promise<ClusterAccess> {
  const { env, clock, folder = serviceAccountFolder } = options;
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || host === '' || port === undefined) {
    throw new KubeConfigError(
      'not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
    );
  }
  const read = async (name: string): Promise<string> => {
    try {
      return (await readFile(join(folder, name), 'utf8')).trim();
    } catch (error) {
      throw new KubeConfigError(`not in a cluster: ${join(folder, name)} cannot be read`, { cause: error });
    }
  };
  const auth = new ReadAuth(async () => bearer(await read('token')), clock);
  await auth.current();
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: await read('ca.crt'),
    skipTlsVerify: false,
    namespace: await read('namespace').catch(() => 'default'),
    auth,
  };
}

/**
 * A cluster as kubectl finds it: the file at `path`, else those of $KUBECONFIG, else ~/.kube/config. `context` overrides the current
 * one. Token, client certificate, basic and exec credentials; the latter run again after a refusal and when they say that they expired.
 * Throws KubeConfigError that names what is missing.
 */
export async function loadKubeConfig(options: {
  readonly path?: string;
  readonly context?: string;
  /** For $KUBECONFIG; left out: as if it were not set. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}): Promise<ClusterAccess> {
  const file = onlyFile(options.path, options.env ?? {});
  const plain = file === undefined ? undefined : await readPlain(file, options.context);
  if (file !== undefined && plain !== undefined)
    return plainAccess(file, plain, options.context, options.clock);
  // Costs a quarter of a second and 50 MB: only for who needs plugins, or an exact word on what is wrong (research: typescript 1.1).
  const { KubeConfig } = await import('@kubernetes/client-node');
  const load = (): KubeConfig => readConfig(new KubeConfig(), options.path, options.context);
  let config = load();
  const cluster = currentCluster(config);
  const readCredentials = async (isRenewal: boolean): Promise<Credentials> => {
    // The library keeps exec credentials for as long as they claim to be good: only a new object asks again.
    if (isRenewal) config = load();
    return credentialsOf(config);
  };
  const ca = await authority(authorityOf(cluster));
  return {
    server: cluster.server,
    ...(ca !== undefined && { ca }),
    ...(cluster.tlsServerName !== undefined && { serverName: cluster.tlsServerName }),
    skipTlsVerify: cluster.skipTLSVerify,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    auth: new ReadAuth(readCredentials, options.clock),
  };
}

/** The one file that counts; undefined when several are to be merged. */
function onlyFile(
  path: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (path !== undefined) return path;
  const files = (env['KUBECONFIG'] ?? '').split(delimiter).filter((name) => name !== '');
  return files.length > 1 ? undefined : (files[0] ?? join(homedir(), '.kube', 'config'));
}

async function readPlain(file: string, context: string | undefined): Promise<PlainKubeConfig | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parsePlainKubeConfig(text, file, context);
}

async function plainAccess(
  file: string,
  config: PlainKubeConfig,
  context: string | undefined,
  clock: Clock,
): Promise<ClusterAccess> {
  const ca = await authority(config.ca);
  // From the file again: whoever logs in anew writes the new token there.
  const read = async (): Promise<Credentials> => {
    const now = await readPlain(file, context);
    if (now === undefined) throw new KubeConfigError(`kubeconfig ${file} no longer holds plain credentials`);
    return plainCredentials(now);
  };
  return {
    server: config.server,
    ...(ca !== undefined && { ca }),
    ...(config.serverName !== undefined && { serverName: config.serverName }),
    skipTlsVerify: config.skipTlsVerify,
    namespace: config.namespace ?? 'default',
    auth: new ReadAuth(read, clock),
  };
}

function readConfig(config: KubeConfig, path: string | undefined, context: string | undefined): KubeConfig {
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (error) {
    const isMissing = (error as { code?: unknown }).code === 'ENOENT';
    const why = isMissing ? 'there is no such file' : errorText(error);
    throw new KubeConfigError(
      `kubeconfig ${path ?? ''}: ${why}; give a good one with --kubeconfig or KUBECONFIG`,
      {
        cause: error,
      },
    );
  }
  if (context === undefined) return config;
  if (config.getContextObject(context) === null) {
    const known = config.getContexts().map((one) => one.name);
    throw new KubeConfigError(
      `kubeconfig has no context "${context}"; it has: ${known.join(', ') || 'none'}`,
    );
  }
  config.setCurrentContext(context);
  return config;
}

function currentCluster(config: KubeConfig): Cluster {
  const cluster = config.getCurrentCluster();
  const context = config.getCurrentContext();
  // What the library falls back to when it found no file at all.
  const isGuess = context === 'loaded-context' && cluster?.server === 'http://localhost:8080';
  if (cluster === null || isGuess) {
    const what = isGuess ? 'no kubeconfig found' : `kubeconfig: the context "${context}" names no cluster`;
    throw new KubeConfigError(`${what}; give one with --kubeconfig or KUBECONFIG`);
  }
  if (cluster.proxyUrl !== undefined) {
    throw new KubeConfigError(
      `kubeconfig: cluster "${cluster.name}" is behind proxy-url, which is not supported`,
    );
  }
  return cluster;
}

async function authority(ca: PlainKubeConfig['ca']): Promise<string | undefined> {
  try {
    return await textOf(ca);
  } catch (error) {
    const file = ca !== undefined && 'file' in ca ? ca.file : '';
    throw new KubeConfigError(`kubeconfig: the certificate authority ${file} cannot be read`, {
      cause: error,
    });
  }
}

function authorityOf({ caData, caFile }: Cluster): PlainKubeConfig['ca'] {
  if (caData !== undefined) return { text: Buffer.from(caData, 'base64').toString('utf8') };
  return caFile === undefined ? undefined : { file: caFile };
}

async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value);
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return {
    headers,
    ...(options.cert !== undefined && { cert: pem(options.cert) }),
    ...(options.key !== undefined && { key: pem(options.key) }),
  };
}

function pem(value: NonNullable<RequestOptions['cert'] | RequestOptions['key']>): string {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  throw new KubeConfigError('kubeconfig: a client certificate of several parts is not supported');
}

function bearer(token: string): Credentials {
  return { headers: { authorization: `Bearer ${token}` } };
}
