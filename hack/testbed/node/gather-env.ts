import type { ConfigMap, Secret } from '../../../src/api/external/core.ts';
import type { EnvFrom, NodeContainer, NodeEnvVar } from './node-pod.ts';

/** Reads what a pod refers to, in its namespace; undefined: there is none. */
export interface ReferenceReaders {
  secret(name: string): Promise<Secret | undefined>;
  configMap(name: string): Promise<ConfigMap | undefined>;
  /** Of the pod itself. */
  field(path: string): string | undefined;
}

/** Why a container cannot be made, in a kubelet's words: the message of CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  readonly code = 'CreateContainerConfigError';

  constructor(message: string) {
    super(message);
    this.name = 'ContainerConfigError';
  }
}

/**
 * The environment of a container, with the values of Secrets: never to be logged. Throws ContainerConfigError for what is missing and not
 * optional. Fact: Kubernetes 1.36, makeEnvironmentVariables (order, texts).
 */
export async function gatherEnv(
  container: NodeContainer,
  namespace: string,
  read: ReferenceReaders,
): Promise<Readonly<Record<string, string>>> {
  const values: Record<string, string> = {};
  for (const from of container.envFrom ?? []) Object.assign(values, await readAll(from, read));
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? '', values)
        : await readOne(variable, namespace, read);
    if (value !== undefined) values[variable.name] = value;
  }
  return values;
}

/** `$(NAME)` is what NAME is so far, `$$(NAME)` stays as `$(NAME)`; of unknown names the text stays. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(\$|\(([^)]*)\))/g, (whole, kind: string, name: string | undefined) => {
    if (kind === '$') return '$';
    return values[name ?? ''] ?? whole;
  });
}

async function readAll(
  { prefix = '', secretRef, configMapRef }: EnvFrom,
  read: ReferenceReaders,
): Promise<Readonly<Record<string, string>>> {
  const found: [string, string][] = [];
  if (secretRef !== undefined) {
    const { name = '', optional } = secretRef;
    const secret = await read.secret(name);
    if (secret === undefined && optional !== true) throw missing('secret', name);
    for (const [key, value] of Object.entries(secret?.data ?? {})) found.push([key, decoded(value)]);
  }
  if (configMapRef !== undefined) {
    const { name = '', optional } = configMapRef;
    const map = await read.configMap(name);
    if (map === undefined && optional !== true) throw missing('configmap', name);
    found.push(...Object.entries(map?.data ?? {}));
  }
  return Object.fromEntries(found.map(([key, value]) => [`${prefix}${key}`, value]));
}

async function readOne(
  { name, valueFrom = {} }: NodeEnvVar,
  namespace: string,
  read: ReferenceReaders,
): Promise<string | undefined> {
  const { secretKeyRef, configMapKeyRef, fieldRef } = valueFrom;
  if (fieldRef !== undefined) {
    const value = read.field(fieldRef.fieldPath);
    if (value === undefined) throw new ContainerConfigError(`${name}: no field ${fieldRef.fieldPath}`);
    return value;
  }
  const ref = secretKeyRef ?? configMapKeyRef;
  // Of resources nothing is enforced here, and so nothing is told.
  if (ref === undefined) return '';
  const what = secretKeyRef === undefined ? 'ConfigMap' : 'Secret';
  const source = ref.name ?? '';
  const data = what === 'Secret' ? await secretData(read, source) : await mapData(read, source);
  if (data === undefined) {
    if (ref.optional === true) return undefined;
    throw missing(what.toLowerCase(), source);
  }
  const value = data[ref.key];
  if (value === undefined && ref.optional !== true) {
    throw new ContainerConfigError(`couldn't find key ${ref.key} in ${what} ${namespace}/${source}`);
  }
  return value;
}

type Data = Readonly<Record<string, string>>;

async function mapData(read: ReferenceReaders, name: string): Promise<Data | undefined> {
  const map = await read.configMap(name);
  return map === undefined ? undefined : (map.data ?? {});
}

async function secretData(read: ReferenceReaders, name: string): Promise<Data | undefined> {
  const secret = await read.secret(name);
  if (secret === undefined) return undefined;
  return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, decoded(value)]));
}

function missing(what: string, name: string): ContainerConfigError {
  return new ContainerConfigError(`${what} "${name}" not found`);
}

function decoded(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8');
}
