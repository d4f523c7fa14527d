import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Credentials } from './credentials.ts';

/** One context of a kubeconfig. Files are absolute. */
export interface PlainKubeConfig {
  readonly server: string;
  readonly ca: Content | undefined;
  readonly serverName: string | undefined;
  readonly skipTlsVerify: boolean;
  readonly namespace: string | undefined;
  readonly user: {
    readonly token: Content | undefined;
    readonly cert: Content | undefined;
    readonly key: Content | undefined;
    readonly basic: { readonly username: string; readonly password: string } | undefined;
  };
}

/** Written into the kubeconfig, or in a file of its own that may change while we run. */
export type Content = { readonly text: string } | { readonly file: string };

const plainClusterKeys: ReadonlySet<string> = new Set([
  'server',
  'certificate-authority',
  'certificate-authority-data',
  'insecure-skip-tls-verify',
  'tls-server-name',
]);
const plainUserKeys: ReadonlySet<string> = new Set([
  'token',
  'tokenFile',
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
  'username',
  'password',
]);

/**
 * The context of that name (undefined: the current one), where it needs no more than reading: token, client certificate, password, inline
 * or in files. Undefined for everything else (exec plugins, auth providers, proxies, impersonation), and for what is broken or incomplete:
 * that is left to whoever knows all of a kubeconfig and says what is wrong with it. `file` is where `text` came from.
 */
export async function parsePlainKubeConfig(
  text: string,
  file: string,
  context?: string,
): Promise<PlainKubeConfig | undefined> {
  const config = await parsed(text);
  const chosen = fieldsOf(config, 'contexts', context ?? stringAt(config, 'current-context'), 'context');
  const cluster = fieldsOf(config, 'clusters', stringAt(chosen, 'cluster'), 'cluster');
  const userName = stringAt(chosen, 'user');
  const user = userName === undefined ? {} : fieldsOf(config, 'users', userName, 'user');
  const server = stringAt(cluster, 'server');
  if (server === undefined || user === undefined) return undefined;
  if (!hasOnly(cluster, plainClusterKeys) || !hasOnly(user, plainUserKeys)) return undefined;
  const content = (of: Fields | undefined, fileKey: string, dataKey: string): Content | undefined => {
    const data = stringAt(of, dataKey);
    if (data !== undefined) return { text: Buffer.from(data, 'base64').toString('utf8') };
    return fileAt(of, fileKey);
  };
  const fileAt = (of: Fields | undefined, key: string): Content | undefined => {
    const name = stringAt(of, key);
    return name === undefined ? undefined : { file: resolve(dirname(file), name) };
  };
  const token = stringAt(user, 'token');
  const username = stringAt(user, 'username');
  return {
    server: server.replace(/\/$/, ''),
    ca: content(cluster, 'certificate-authority', 'certificate-authority-data'),
    serverName: stringAt(cluster, 'tls-server-name'),
    skipTlsVerify: cluster?.['insecure-skip-tls-verify'] === true,
    namespace: stringAt(chosen, 'namespace'),
    user: {
      // As kubectl has it: a file, which somebody keeps fresh, goes before what was written down once.
      token: fileAt(user, 'tokenFile') ?? (token === undefined ? undefined : { text: token }),
      cert: content(user, 'client-certificate', 'client-certificate-data'),
      key: content(user, 'client-key', 'client-key-data'),
      basic: username === undefined ? undefined : { username, password: stringAt(user, 'password') ?? '' },
    },
  };
}

/** Reads the files that the user's entry names. Rejects as reading does. */
export async function plainCredentials({ user }: PlainKubeConfig): Promise<Credentials> {
  const token = (await textOf(user.token))?.trim();
  const cert = await textOf(user.cert);
  const key = await textOf(user.key);
  const authorization =
    user.basic !== undefined
      ? `Basic ${Buffer.from(`${user.basic.username}:${user.basic.password}`).toString('base64')}`
      : token === undefined
        ? undefined
        : `Bearer ${token}`;
  return {
    headers: authorization === undefined ? {} : { authorization },
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

export async function textOf(content: Content | undefined): Promise<string | undefined> {
  if (content === undefined) return undefined;
  return 'text' in content ? content.text : readFile(content.file, 'utf8');
}

type Fields = Readonly<Record<string, unknown>>;

/** JSON is YAML, and needs no library. */
async function parsed(text: string): Promise<Fields | undefined> {
  try {
    return asFields(JSON.parse(text));
  } catch {
    const { parse } = await import('yaml');
    try {
      return asFields(parse(text));
    } catch {
      return undefined;
    }
  }
}

/** The entry of that name in one of the lists, each of which keeps its fields one level deeper. */
function fieldsOf(
  config: Fields | undefined,
  list: string,
  name: string | undefined,
  key: string,
): Fields | undefined {
  const entries = config?.[list];
  if (name === undefined || !Array.isArray(entries)) return undefined;
  const entry = entries.map(asFields).find((one) => one?.['name'] === name);
  return entry === undefined ? undefined : asFields(entry[key] ?? {});
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function stringAt(fields: Fields | undefined, key: string): string | undefined {
  const value = fields?.[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Empty fields count for nothing; a known one that is not what it should be (a token that YAML takes for a number) is not plain. */
function hasOnly(fields: Fields | undefined, known: ReadonlySet<string>): boolean {
  return Object.entries(fields ?? {}).every(([key, value]) => {
    if (value === undefined || value === null || value === '' || key === 'extensions') return true;
    const type = key === 'insecure-skip-tls-verify' ? 'boolean' : 'string';
    return known.has(key) && typeof value === type;
  });
}
