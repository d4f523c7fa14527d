import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VolumeMode } from '../../../src/api/external/core.ts';
import type { TestbedVolume } from '../control/testbed.ts';
import { runCommand } from '../cell/run-command.ts';

/** `tmpfs` is full at exactly its size, in memory as far as it is written; `folder` has the room of the disk under it. */
export type Backing = 'tmpfs' | 'folder';

export interface VolumeSpec {
  /** Of the PersistentVolume. */
  readonly name: string;
  readonly mode: VolumeMode;
  readonly sizeBytes: number;
  /** Of a file system; a block volume is always a sparse file with a loop device. */
  readonly backing: Backing;
}

/** The kernel's unit of a block device's size. */
const sectorBytes = 512;

/** What is behind the volumes of a testbed: folders, mounts and loop devices under one folder. */
export class VolumeStore implements AsyncDisposable {
  readonly #folder: string;
  /** Of block volumes: the loop device lives as long as it is held open, so none outlives this process. */
  readonly #devices = new Map<string, FileHandle>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where pods find the volume: a folder to bind, or a link to the device. */
  path({ name, mode }: Pick<VolumeSpec, 'name' | 'mode'>): string {
    return join(this.#folder, name, mode === 'Block' ? 'device' : 'data');
  }

  /** Makes it, or, after a restart, what of it is gone. */
  async open(spec: VolumeSpec): Promise<void> {
    await mkdir(join(this.#folder, spec.name), { recursive: true });
    if (spec.mode === 'Block') await this.#openBlock(spec);
    else await this.#openFilesystem(spec);
  }

  /** What tests see; all that was written to a device so far is in the file then. */
  async look({ name, mode, sizeBytes }: Omit<VolumeSpec, 'backing'>): Promise<TestbedVolume> {
    await this.#devices.get(name)?.sync();
    const path = mode === 'Block' ? this.#file(name) : this.path({ name, mode });
    return { mode, path, capacityBytes: sizeBytes };
  }

  async remove({ name, mode }: Pick<VolumeSpec, 'name' | 'mode'>): Promise<void> {
    await this.#devices.get(name)?.close();
    this.#devices.delete(name);
    const path = this.path({ name, mode });
    if (await isMounted(path)) await runCommand('umount', ['--lazy', path]);
    await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#devices.values()].map((device) => device.close()));
    this.#devices.clear();
  }

  async #openFilesystem(spec: VolumeSpec): Promise<void> {
    const path = this.path(spec);
    await mkdir(path, { recursive: true, mode: 0o777 });
    if (spec.backing === 'folder' || (await isMounted(path))) return;
    const size = `size=${spec.sizeBytes},mode=0777`;
    await runCommand('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', path]);
  }

  async #openBlock(spec: VolumeSpec): Promise<void> {
    if (this.#devices.has(spec.name)) return;
    const file = this.#file(spec.name);
    await writeFile(file, '', { flag: 'a' });
    await truncate(file, Math.ceil(spec.sizeBytes / sectorBytes) * sectorBytes);
    const device = (await runCommand('losetup', ['--find', '--show', file])).trim();
    this.#devices.set(spec.name, await open(device, 'r+'));
    // Held open, it is only marked to vanish with its last holder.
    await runCommand('losetup', ['--detach', device]);
    const link = this.path(spec);
    await rm(link, { force: true });
    await symlink(device, link);
  }

  #file(name: string): string {
    return join(this.#folder, name, 'disk');
  }
}

async function isMounted(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  return mounts.split('\n').some((line) => line.split(' ')[1] === path);
}
