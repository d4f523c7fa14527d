import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Every bus and NIC model that a VirtualMachine may ask for, and the file system of the root. */
export const wantedModules = [
  ...['virtio_pci', 'virtio_blk', 'virtio_scsi', 'ahci', 'sd_mod', 'usb_storage', 'xhci_pci'],
  ...['ext4', 'crc32c_generic', 'crc32c_intel'],
  ...['virtio_net', 'e1000', 'e1000e', 'igb', 'rtl8139', '8139cp', 'pcnet32', 'ne2k_pci'],
  ...['virtio_rng', 'virtio_input', 'usbhid', 'hid_generic'],
] as const;

/** Paths of the modules below `folder` and of all that they depend on, in an order in which they can be loaded. */
export async function modulesInOrder(folder: string, wanted: readonly string[]): Promise<readonly string[]> {
  const files = await readdir(folder, { recursive: true });
  const paths = new Map(
    files.filter((file) => file.endsWith('.ko')).map((file) => [moduleName(file), join(folder, file)]),
  );
  const ordered = new Set<string>();
  const add = async (name: string): Promise<void> => {
    const path = paths.get(name);
    // What the kernel has in itself is no file.
    if (path === undefined || ordered.has(path)) return;
    for (const needed of dependencies(await readFile(path))) await add(needed);
    ordered.add(path);
  };
  for (const name of wanted) await add(name.replaceAll('-', '_'));
  return [...ordered];
}

/** Dashes and underscores are the same in the names of modules. */
function moduleName(file: string): string {
  return basename(file, '.ko').replaceAll('-', '_');
}

/** A module has texts "name=value" in it, with a zero behind each. */
function dependencies(module: Buffer): readonly string[] {
  const [, names = ''] = /\0depends=([^\0]*)\0/.exec(module.toString('latin1')) ?? [];
  return names === '' ? [] : names.split(',').map((name) => name.replaceAll('-', '_'));
}
