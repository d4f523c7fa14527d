import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheFolder, type Environment } from '../build/cache.ts';
import { runCommand } from '../cell/run-command.ts';
import { GuestError } from './guest-error.ts';
import { modulesInOrder, wantedModules } from './kernel-modules.ts';

/** What guests are made of, and firmware to boot them by: taken out of Debian's packages, none of which is installed. */
export interface GuestParts {
  readonly folder: string;
  readonly kernel: string;
  readonly busybox: string;
  /** File names in `modules`, in the order of loading. */
  readonly moduleOrder: readonly string[];
  readonly modules: string;
  /** Programs that make FAT file systems; to be put before PATH. */
  readonly programs: string;
  readonly masterBootCode: string;
  readonly efiLoader: string;
  readonly efiFirmware: string;
  readonly efiVariables: string;
}

const packages = ['busybox-static', 'mtools', 'syslinux', 'syslinux-common', 'systemd-boot-efi', 'ovmf'];
/** Depends on the package of the newest kernel. */
const kernelPackage = 'linux-image-amd64';
/** mtools is one program of many names; syslinux calls it by these. */
const toolNames = ['mattrib', 'mcopy', 'mformat', 'mmd', 'mmove'];
const layout = 1;

/**
 * The parts, from the cache or from Debian's mirrors: about 80 MB are fetched then, for which there must be a network. Rejects with
 * GuestError `GuestParts`.
 */
export async function provideParts(env: Environment, signal: AbortSignal): Promise<GuestParts> {
  const cache = cacheFolder(env);
  const folder = join(cache, `guest-parts-${layout}`);
  if ((await stat(folder).catch(() => undefined)) === undefined) {
    await mkdir(cache, { recursive: true });
    const temporary = await mkdtemp(join(cache, 'tmp-guest-'));
    try {
      await gather(temporary, signal);
      // Whoever was quicker has the same.
      await rename(join(temporary, 'parts'), folder).catch(async (error: unknown) => {
        if ((await stat(folder).catch(() => undefined)) === undefined) throw error;
      });
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
  return partsIn(folder);
}

async function partsIn(folder: string): Promise<GuestParts> {
  const modules = join(folder, 'modules');
  return {
    folder,
    kernel: join(folder, 'vmlinuz'),
    busybox: join(folder, 'busybox'),
    modules,
    moduleOrder: (await readdir(modules)).sort(),
    programs: join(folder, 'bin'),
    masterBootCode: join(folder, 'mbr.bin'),
    efiLoader: join(folder, 'systemd-bootx64.efi'),
    efiFirmware: join(folder, 'OVMF_CODE_4M.fd'),
    efiVariables: join(folder, 'OVMF_VARS_4M.fd'),
  };
}

/** Fetches and unpacks the packages in `place` and leaves what is needed in place/parts. */
async function gather(place: string, signal: AbortSignal): Promise<void> {
  const [debs, root, parts] = ['debs', 'root', 'parts'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all(
    [debs, root, join(parts, 'bin'), join(parts, 'modules')].map((folder) =>
      mkdir(folder, { recursive: true }),
    ),
  );
  await fetchPackages(debs, signal);
  for (const name of await readdir(debs)) {
    await runCommand('dpkg-deb', ['-x', join(debs, name), root], {}, signal);
  }
  const boot = join(root, 'boot');
  const kernel = (await readdir(boot)).find((name) => name.startsWith('vmlinuz-'));
  if (kernel === undefined) throw new GuestError('GuestParts', `${kernelPackage} brought no kernel`);
  const version = kernel.slice('vmlinuz-'.length);
  const taken: readonly (readonly [string, string])[] = [
    [join(boot, kernel), 'vmlinuz'],
    [join(root, 'bin/busybox'), 'busybox'],
    [join(root, 'usr/bin/mtools'), 'bin/mtools'],
    [join(root, 'usr/bin/syslinux'), 'bin/syslinux'],
    [join(root, 'usr/lib/syslinux/mbr/mbr.bin'), 'mbr.bin'],
    [join(root, 'usr/lib/systemd/boot/efi/systemd-bootx64.efi'), 'systemd-bootx64.efi'],
    [join(root, 'usr/share/OVMF/OVMF_CODE_4M.fd'), 'OVMF_CODE_4M.fd'],
    [join(root, 'usr/share/OVMF/OVMF_VARS_4M.fd'), 'OVMF_VARS_4M.fd'],
  ];
  for (const [from, to] of taken) await copyFile(from, join(parts, to));
  for (const name of toolNames) await symlink('mtools', join(parts, 'bin', name));
  const modules = await modulesInOrder(join(root, 'lib/modules', version, 'kernel'), wantedModules);
  for (const [index, path] of modules.entries()) {
    const numbered = `${String(index).padStart(3, '0')}-${basename(path)}`;
    await copyFile(path, join(parts, 'modules', numbered));
  }
  await writeFile(join(parts, 'kernel-version'), `${version}\n`);
}

/** Into `folder`, as the user that we are: nothing of the machine is changed but, where they are absent, its lists of packages. */
async function fetchPackages(folder: string, signal: AbortSignal): Promise<void> {
  const download = async (): Promise<void> => {
    const record = await runCommand('apt-cache', ['show', '--no-all-versions', kernelPackage], {}, signal);
    const [, kernel] = /^Depends: (linux-image-[^ ,]+)/m.exec(record) ?? [];
    if (kernel === undefined) throw new GuestError('GuestParts', `${kernelPackage} names no kernel`);
    // It writes into the folder that it is run in.
    const script = 'cd "$1" && shift && exec apt-get download -q "$@"';
    await runCommand('sh', ['-c', script, 'sh', folder, kernel, ...packages], {}, signal);
  };
  try {
    await download();
  } catch (first) {
    signal.throwIfAborted();
    try {
      await runCommand('apt-get', ['update', '-q'], {}, signal);
      await download();
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      const message = `the guest that is booted is made of Debian's packages, which cannot be had: ${why}`;
      throw new GuestError('GuestParts', message, { cause: first });
    }
  }
}
