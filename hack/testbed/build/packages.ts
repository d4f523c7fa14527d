import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Environment } from './cache.ts';

/** A Debian package without which the testbed cannot be built or run. */
export interface DebianPackage {
  readonly name: string;
  readonly purpose: string;
  /** Programs on the PATH, or files by their absolute path, that tell that it is there; however it came. */
  readonly gives: readonly string[];
}

export const debianPackages: readonly DebianPackage[] = [
  { name: 'gcc', purpose: 'compiles the nbdkit plugin', gives: ['gcc'] },
  { name: 'libc6-dev', purpose: 'headers for the nbdkit plugin', gives: ['/usr/include/stdio.h'] },
  {
    name: 'nbdkit-plugin-dev',
    purpose: "nbdkit's header for the plugin",
    gives: ['/usr/include/nbdkit-plugin.h'],
  },
  { name: 'nbdkit', purpose: "serves a source disk to CDI's importer", gives: ['nbdkit'] },
  { name: 'qemu-utils', purpose: "qemu-img, by which CDI's importer converts images", gives: ['qemu-img'] },
  { name: 'bubblewrap', purpose: 'gives each pod its own files', gives: ['bwrap'] },
  { name: 'iproute2', purpose: 'the network between the programs', gives: ['ip'] },
  {
    name: 'util-linux',
    purpose: 'the namespaces of a testbed, and the lock of the cache',
    gives: ['unshare', 'flock'],
  },
  { name: 'mount', purpose: 'block volumes', gives: ['losetup', 'mount'] },
  { name: 'e2fsprogs', purpose: 'file systems of the guest that is booted', gives: ['mke2fs', 'debugfs'] },
  { name: 'qemu-system-x86', purpose: 'boots a migrated guest', gives: ['qemu-system-x86_64'] },
];

/** Administrators' programs are not on everybody's PATH. */
const adminFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

/** Those of the table that the machine lacks. */
export function missingPackages(env: Environment): readonly DebianPackage[] {
  return lacking(debianPackages, (thing) => isThere(thing, env));
}

export function lacking(
  table: readonly DebianPackage[],
  isThere: (thing: string) => boolean,
): readonly DebianPackage[] {
  return table.filter(({ gives }) => !gives.every(isThere));
}

/** Program and arguments that install them; without questions and without what they merely recommend. */
export function installCommand(packages: readonly DebianPackage[]): readonly [string, ...string[]] {
  return ['apt-get', 'install', '--yes', '--no-install-recommends', ...packages.map(({ name }) => name)];
}

/** Tells what is missing, what for, and how to get it. */
export function missingText(packages: readonly DebianPackage[], isRoot: boolean): string {
  const width = Math.max(...packages.map(({ name }) => name.length));
  return [
    'the testbed lacks on this machine:',
    ...packages.map(({ name, purpose }) => `  ${name.padEnd(width)}  ${purpose}`),
    `on Debian: ${isRoot ? '' : 'sudo '}${installCommand(packages).join(' ')}`,
  ].join('\n');
}

export type InstallDecision = 'install' | 'tell';

/** Changes the machine only where it may (root), can (apt-get is there) and was asked to, by flag or by being a CI machine. */
export function decideInstall(given: {
  readonly asked: boolean;
  readonly ci: string | undefined;
  readonly isRoot: boolean;
  readonly hasAptGet: boolean;
}): InstallDecision {
  return (given.asked || given.ci === 'true') && given.isRoot && given.hasAptGet ? 'install' : 'tell';
}

export function isThere(thing: string, env: Environment): boolean {
  if (thing.startsWith('/')) return isAccessible(thing, constants.R_OK);
  const folders = [...(env['PATH'] ?? '').split(delimiter), ...adminFolders];
  return folders.some((folder) => folder !== '' && isAccessible(join(folder, thing), constants.X_OK));
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
