import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandImage, ProgramImage } from './images.ts';

const importerPath = '/image/cdi-importer';

/** `importer`: path of the real program. The real image's entry point has the same flag (fact: cdi 3.1). */
export function importerImage(importer: string): CommandImage {
  return { entrypoint: [importerPath, '-alsologtostderr'], files: { [importerPath]: importer } };
}

/** Whatever the pod says as command and arguments, with the machine's own programs. */
export const shellImage: CommandImage = { entrypoint: [], args: ['/bin/sh'] };

/**
 * Does the work of a VDDK image: puts its library into the folder at /opt that it shares with the importer. The importer prefers a plugin
 * under /opt/testing to VMware's, and wants the folder of the library to exist (fact: cdi 3.6).
 */
export function vddkImage(plugin: string): ProgramImage {
  return {
    program: async ({ mounts }) => {
      const opt = mounts.find(({ path }) => path === '/opt');
      if (opt === undefined) return { exitCode: 1, message: 'nothing is mounted at /opt' };
      await mkdir(join(opt.source, 'vmware-vix-disklib-distrib'), { recursive: true });
      await mkdir(join(opt.source, 'testing'), { recursive: true });
      await copyFile(plugin, join(opt.source, 'testing', 'libvddk-test-plugin.so'));
      return { exitCode: 0, message: '' };
    },
  };
}
