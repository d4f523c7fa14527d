import type { VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';
import type { ConversionDisk } from './conversion-disks.ts';

/**
 * The source VM as a libvirt domain on the copied disks, which images up to Forklift 2.10 read at /mnt/v2v/input.xml; later ones look at
 * the disks alone, or ask vCenter (fact: pkg/virt-v2v/config of 2.10.6 and 2.11.7). As much of it as virt-v2v looks at: name, memory, CPUs,
 * firmware, disks on SCSI as a VMware guest has them, NICs.
 */
export function buildLibvirtDomain(
  { model }: Pick<VirtualMachineImportSpec, 'model'>,
  name: string,
  disks: readonly ConversionDisk[],
): string {
  const { cpu, memoryBytes, firmware, nics } = model;
  const count = cpu.sockets * cpu.coresPerSocket * cpu.threadsPerCore;
  const topology = { sockets: cpu.sockets, cores: cpu.coresPerSocket, threads: cpu.threadsPerCore };
  const secureBoot = firmware.secureBoot ? 'yes' : 'no';
  return element('domain', { type: 'kvm' }, [
    element('name', {}, [text(name)]),
    element('memory', { unit: 'KiB' }, [text(String(Math.ceil(memoryBytes / 1024)))]),
    element('vcpu', {}, [text(String(count))]),
    element('cpu', {}, [element('topology', topology)]),
    element('os', firmware.kind === 'efi' ? { firmware: 'efi' } : {}, [
      element('type', { arch: 'x86_64' }, [text('hvm')]),
      ...(firmware.kind === 'efi'
        ? [element('firmware', {}, [element('feature', { enabled: secureBoot, name: 'secure-boot' })])]
        : []),
    ]),
    element('devices', {}, [
      ...disks.map(diskElement),
      ...nics.map(({ mac }) =>
        element('interface', { type: 'user' }, [
          ...(mac === undefined ? [] : [element('mac', { address: mac })]),
          element('model', { type: 'e1000' }),
        ]),
      ),
    ]),
  ]);
}

function diskElement({ disk, mode, path }: ConversionDisk, index: number): string {
  const isBlock = mode === 'Block';
  return element('disk', { type: isBlock ? 'block' : 'file', device: 'disk' }, [
    element('driver', { name: 'qemu', type: 'raw' }),
    element('source', isBlock ? { dev: path } : { file: `${path}/disk.img` }),
    element('target', { dev: `sd${letters(index)}`, bus: 'scsi' }),
    ...(disk.bootOrder === undefined ? [] : [element('boot', { order: disk.bootOrder })]),
  ]);
}

/** a to z, then aa, as Linux names disks. */
function letters(index: number): string {
  const before = index < 26 ? '' : letters(Math.floor(index / 26) - 1);
  return `${before}${String.fromCharCode('a'.charCodeAt(0) + (index % 26))}`;
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly string[] = [],
): string {
  const said = Object.entries(attributes).map(([key, value]) => ` ${key}="${text(String(value))}"`);
  return children.length === 0
    ? `<${name}${said.join('')}/>`
    : `<${name}${said.join('')}>${children.join('')}</${name}>`;
}

/** Characters that no XML may hold, escaped or not, are left out. */
function text(value: string): string {
  return value
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
