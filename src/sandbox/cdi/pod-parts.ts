import type { ConfigMap, PersistentVolumeClaim, Pod, Secret } from '../../api/external/core.ts';
import type { Stored } from '../../api/meta.ts';
import { isBound } from '../storage/binding.ts';
import { certVolumeName } from './importer-pod.ts';

/** All that a container needs before it can start. */
export interface PodParts {
  readonly env: Readonly<Record<string, string>>;
  readonly claims: ReadonlyMap<string, Stored<PersistentVolumeClaim>>;
  readonly certs: string | undefined;
}

/** What keeps the container waiting, in the kubelet's words (inferred, but for the fact that it waits for ever: cdi 6). */
export interface MissingPart {
  readonly reason: 'ContainerCreating' | 'CreateContainerConfigError';
  readonly message?: string;
  readonly event?: { readonly reason: string; readonly message: string };
}

export interface PartReaders {
  claim(name: string): Promise<Stored<PersistentVolumeClaim> | undefined>;
  secret(name: string): Promise<Stored<Secret> | undefined>;
  configMap(name: string): Promise<Stored<ConfigMap> | undefined>;
}

/** Volumes first, as the kubelet mounts them, then the environment. */
export async function gatherParts(
  pod: Pod,
  read: PartReaders,
): Promise<PodParts | { readonly missing: MissingPart }> {
  const claims = new Map<string, Stored<PersistentVolumeClaim>>();
  let certs: string | undefined;
  for (const volume of pod.spec.volumes ?? []) {
    const claimName = volume.persistentVolumeClaim?.claimName;
    if (claimName !== undefined) {
      const claim = await read.claim(claimName);
      if (claim === undefined || !isBound(claim)) {
        return { missing: { reason: 'ContainerCreating' } };
      }
      claims.set(volume.name, claim);
    }
    const mapName = volume.configMap?.name;
    if (mapName !== undefined) {
      const map = await read.configMap(mapName);
      if (map === undefined) return { missing: notMounted(volume.name, mapName) };
      if (volume.name === certVolumeName) certs = allFiles(map);
    }
  }
  const env = await readEnv(pod, read);
  return 'missing' in env ? env : { env: env.values, claims, certs };
}

function notMounted(volume: string, configMap: string): MissingPart {
  const message = `MountVolume.SetUp failed for volume "${volume}" : configmap "${configMap}" not found`;
  return { reason: 'ContainerCreating', event: { reason: 'FailedMount', message } };
}

async function readEnv(
  pod: Pod,
  read: PartReaders,
): Promise<{ readonly values: Readonly<Record<string, string>> } | { readonly missing: MissingPart }> {
  const values: Record<string, string> = {};
  const configError = (message: string) => ({
    missing: { reason: 'CreateContainerConfigError', message } as const,
  });
  for (const { name, value, valueFrom } of pod.spec.containers[0]?.env ?? []) {
    const ref = valueFrom?.secretKeyRef;
    if (ref === undefined) {
      values[name] = value ?? '';
      continue;
    }
    const secretName = ref.name ?? '';
    const secret = await read.secret(secretName);
    if (secret === undefined) return configError(`secret "${secretName}" not found`);
    const encoded = secret.data?.[ref.key];
    if (encoded === undefined) {
      const where = `${pod.metadata.namespace ?? ''}/${secretName}`;
      return configError(`couldn't find key ${ref.key} in Secret ${where}`);
    }
    values[name] = Buffer.from(encoded, 'base64').toString('utf8');
  }
  return { values };
}

/** Every file of the folder is trusted, whatever its name (fact: cdi 1.1). */
function allFiles(map: ConfigMap): string {
  return Object.entries(map.data ?? {})
    .filter(([name]) => !name.startsWith('.'))
    .map(([, text]) => text)
    .join('\n');
}
