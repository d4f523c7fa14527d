import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../src/api/external/core.ts';
import type { KubeObject, Stored } from '../../../src/api/meta.ts';
import { isKubeError, isTransientKubeError } from '../../../src/kube/errors.ts';
import { isBound } from '../../../src/sandbox/storage/binding.ts';
import type { ReferenceReaders } from './gather-env.ts';
import type { DownwardFile, KeyToPath, NodeVolume, ProjectedSource } from './node-pod.ts';

export interface VolumeReaders extends ReferenceReaders {
  claim(name: string): Promise<Stored<PersistentVolumeClaim> | undefined>;
  volume(name: string): Promise<PersistentVolume | undefined>;
  /** A fresh token of the pod's ServiceAccount. */
  token(request: NonNullable<ProjectedSource['serviceAccountToken']>): Promise<string>;
}

/** Why a volume cannot be mounted, in a kubelet's words: the message of a FailedMount event. The mount is tried again. */
export class MountError extends Error {
  readonly code = 'FailedMount';

  constructor(volume: string, why: string) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${why}`);
    this.name = 'MountError';
  }
}

/** Where a volume of the pod is on this machine. */
export interface MountedVolume {
  readonly source: string;
  readonly claim?: Stored<PersistentVolumeClaim>;
}

type Files = Readonly<Record<string, Uint8Array>>;

/**
 * Makes one volume of the pod under `folder` and says where it is; again for a volume that is there already: then Secrets and ConfigMaps
 * are read anew. Throws MountError.
 */
export async function mountVolume(
  volume: NodeVolume,
  folder: string,
  read: VolumeReaders,
): Promise<MountedVolume> {
  const { name, persistentVolumeClaim, emptyDir, hostPath } = volume;
  if (persistentVolumeClaim !== undefined) return mountClaim(name, persistentVolumeClaim.claimName, read);
  if (hostPath !== undefined) return { source: hostPath.path };
  const source = join(folder, name);
  await mkdir(source, { recursive: true, mode: 0o777 });
  if (emptyDir !== undefined) return { source };
  await replaceFiles(source, await filesOf(volume, read));
  return { source };
}

async function mountClaim(name: string, claimName: string, read: VolumeReaders): Promise<MountedVolume> {
  const claim = await read.claim(claimName);
  if (claim === undefined) throw new MountError(name, `persistentvolumeclaim "${claimName}" not found`);
  if (!isBound(claim)) throw new MountError(name, `persistentvolumeclaim "${claimName}" is not bound`);
  const volume = await read.volume(claim.spec.volumeName ?? '');
  const source = volume?.spec.hostPath?.path;
  if (source === undefined)
    throw new MountError(name, `volume "${claim.spec.volumeName ?? ''}" has no path here`);
  return { source, claim };
}

async function filesOf(volume: NodeVolume, read: VolumeReaders): Promise<Files> {
  const { name, secret, configMap, projected, downwardAPI } = volume;
  if (projected !== undefined) {
    const parts: Files[] = [];
    for (const source of projected.sources ?? []) parts.push(await projectedFiles(name, source, read));
    return Object.assign({}, ...parts) as Files;
  }
  const { secretName, ...secretRest } = secret ?? {};
  return projectedFiles(
    name,
    {
      ...(secret && { secret: { ...secretRest, ...(secretName !== undefined && { name: secretName }) } }),
      ...(configMap && { configMap }),
      ...(downwardAPI && { downwardAPI }),
    },
    read,
  );
}

async function projectedFiles(
  volume: string,
  { secret, configMap, downwardAPI, serviceAccountToken }: ProjectedSource,
  read: VolumeReaders,
): Promise<Files> {
  const files: Record<string, Uint8Array> = {};
  if (serviceAccountToken !== undefined) {
    files[serviceAccountToken.path] = Buffer.from(await tokenFor(volume, serviceAccountToken, read));
  }
  if (secret !== undefined) {
    const { name = '', items, optional } = secret;
    const found = await read.secret(name);
    const data = mapValues(found?.data, (value) => Buffer.from(value, 'base64'));
    Object.assign(files, choose(volume, { what: 'secret', name, found, optional }, data, items));
  }
  if (configMap !== undefined) {
    const { name = '', items, optional } = configMap;
    const found = await read.configMap(name);
    const data = {
      ...mapValues(found?.data, (value) => Buffer.from(value)),
      ...mapValues(found?.binaryData, (value) => Buffer.from(value, 'base64')),
    };
    Object.assign(files, choose(volume, { what: 'configmap', name, found, optional }, data, items));
  }
  for (const item of downwardAPI?.items ?? []) files[item.path] = downwardFile(volume, item, read);
  return files;
}

/** Refused while its namespace goes, or before its ServiceAccount is there. */
async function tokenFor(
  volume: string,
  request: NonNullable<ProjectedSource['serviceAccountToken']>,
  read: VolumeReaders,
): Promise<string> {
  try {
    return await read.token(request);
  } catch (error) {
    if (!isKubeError(error) || isTransientKubeError(error)) throw error;
    throw new MountError(volume, `failed to fetch token: ${error.message}`);
  }
}

interface Origin {
  readonly what: string;
  readonly name: string;
  readonly found: KubeObject | undefined;
  readonly optional: boolean | undefined;
}

function choose(
  volume: string,
  { what, name, found, optional }: Origin,
  data: Files,
  items: readonly KeyToPath[] | undefined,
): Files {
  if (found === undefined) {
    if (optional === true) return {};
    throw new MountError(volume, `${what} "${name}" not found`);
  }
  if (items === undefined) return data;
  return Object.fromEntries(
    items.flatMap(({ key, path }) => {
      const content = data[key];
      if (content !== undefined) return [[path, content] as const];
      if (optional === true) return [];
      throw new MountError(
        volume,
        `references non-existent ${what === 'secret' ? 'secret' : 'config'} key: ${key}`,
      );
    }),
  );
}

function downwardFile(volume: string, { path, fieldRef }: DownwardFile, read: VolumeReaders): Uint8Array {
  // Of resources nothing is enforced here, and so nothing is told.
  if (fieldRef === undefined) return Buffer.alloc(0);
  const value = read.field(fieldRef.fieldPath);
  if (value === undefined) throw new MountError(volume, `no field ${fieldRef.fieldPath} for ${path}`);
  return Buffer.from(value);
}

function mapValues(
  values: Readonly<Record<string, string>> | undefined,
  map: (value: string) => Uint8Array,
): Files {
  return Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, map(value)]));
}

async function replaceFiles(folder: string, files: Files): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!(name in files)) await rm(join(folder, name), { recursive: true });
  }
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content, { mode: 0o600 });
  }
}
