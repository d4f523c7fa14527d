import type { DiskInput, VmInput } from '../vcenter/vm-spec.ts';
import type { DiskContent } from './disk-content.ts';

/** Of a VM's guest, as long as it runs. */
export const guestBytesPerSecond = 5_000_000;
/** Where a guest writes, on each of its disks: it must be more than one round's changes, and fit on the machine several times. */
export const guestAreaBytes = 64 * 1_048_576;

/** A VM that stands in the simulated vCenter when a demo begins, and what is on its disks, in their order. */
export interface ScenarioVm {
  readonly vm: VmInput & { readonly disks: readonly DiskInput[] };
  /** Undefined: the disk is an image of the user's. */
  readonly contents: readonly (DiskContent | undefined)[];
  /** Warm: its guest writes all the while. */
  readonly strategy: 'warm' | 'cold';
}

const mebibyte = 1_048_576;
const network = 'VM Network';

/** The four VMs that manifests/samples names. */
export function sampleVms(): readonly ScenarioVm[] {
  return [webServer(), windowsServer(), router(), archive()];
}

function webServer(): ScenarioVm {
  return {
    vm: {
      name: 'web-01',
      power: 'on',
      changeTracking: true,
      cpu: 2,
      memoryMiB: 2048,
      disks: [{ sizeBytes: 1024 * mebibyte }],
      nics: [{ network, addresses: [{ ip: '192.0.2.21', prefix: 24, origin: 'dhcp' }] }],
    },
    contents: [{ table: 'mbr', files: 'linux', dataBytes: 224 * mebibyte }],
    strategy: 'warm',
  };
}

function windowsServer(): ScenarioVm {
  return {
    vm: {
      name: 'Windows Server 2022',
      power: 'on',
      changeTracking: true,
      firmware: 'efi',
      secureBoot: true,
      tpm: true,
      cpu: 4,
      coresPerSocket: 2,
      memoryMiB: 4096,
      guest: {
        family: 'windows',
        id: 'windows2019srvNext_64Guest',
        fullName: 'Microsoft Windows Server 2022 (64-bit)',
        hostname: 'WIN-2022',
      },
      disks: [
        { sizeBytes: 256 * mebibyte, controller: 'lsisas' },
        { sizeBytes: 256 * mebibyte, controller: 'lsisas' },
      ],
      nics: [{ network, model: 'e1000e', addresses: [{ ip: '192.0.2.22', prefix: 24, origin: 'dhcp' }] }],
    },
    contents: [
      { table: 'gpt', files: 'windows', dataBytes: 72 * mebibyte },
      { table: 'gpt', files: 'windows', dataBytes: 48 * mebibyte },
    ],
    strategy: 'warm',
  };
}

function router(): ScenarioVm {
  const address = (ip: string) => [{ ip, prefix: 24, origin: 'manual' as const }];
  return {
    vm: {
      name: 'router',
      power: 'on',
      disks: [{ sizeBytes: 256 * mebibyte }],
      nics: [
        { network, addresses: address('192.0.2.1'), gateway: '192.0.2.254', dns: ['192.0.2.53'] },
        { network: 'DMZ', addresses: address('198.51.100.1') },
        { network: 'Storage Net', addresses: address('203.0.113.1') },
      ],
    },
    contents: [{ table: 'mbr', files: 'linux', dataBytes: 40 * mebibyte }],
    strategy: 'cold',
  };
}

function archive(): ScenarioVm {
  return {
    vm: { name: 'archive', power: 'off', disks: [{ sizeBytes: 128 * mebibyte }] },
    contents: [{ table: 'mbr', files: 'linux', dataBytes: 32 * mebibyte }],
    strategy: 'cold',
  };
}

/** Disk of a generated VM: enough for a partition table and some data, little enough for hundreds. */
const generatedBytes = mebibyte;

/** `number` small VMs, one disk each, every eighth powered off. */
export function generatedVms(number: number): readonly ScenarioVm[] {
  const digits = Math.max(3, String(number).length);
  return Array.from({ length: number }, (_, index) => ({
    vm: {
      name: `vm-${String(index + 1).padStart(digits, '0')}`,
      power: index % 8 === 7 ? 'off' : 'on',
      disks: [{ sizeBytes: generatedBytes }],
    },
    contents: [{ table: 'mbr', files: 'none', dataBytes: generatedBytes / 4 }],
    strategy: 'cold',
  }));
}

/** One running VM whose only disk is the user's image. Firmware by what the image has: a GPT is as a rule booted by UEFI. */
export function imageVm(image: {
  readonly sizeBytes: number;
  readonly hasGpt: boolean;
}): readonly ScenarioVm[] {
  const disks = [{ sizeBytes: image.sizeBytes }];
  const firmware = image.hasGpt ? 'efi' : 'bios';
  const vm = { name: 'my-disk', power: 'on', changeTracking: true, firmware, disks } as const;
  return [{ vm, contents: [undefined], strategy: 'warm' }];
}

/** Bytes of files that the scenario will need: what is written at the source, the same at the target, and room to make it. */
export function spaceNeeded(vms: readonly ScenarioVm[], imageBytes = 0): number {
  const data = vms.flatMap(({ contents }) => contents.map((content) => content?.dataBytes ?? 0));
  const largest = Math.max(0, ...data);
  const sum = data.reduce((total, bytes) => total + bytes, 0);
  const guests = vms.filter(({ strategy }) => strategy === 'warm').flatMap(({ contents }) => contents).length;
  // What a guest writes is in the source, in what a snapshot keeps of it, and in the target.
  const written = 3 * guests * guestAreaBytes;
  // File systems have some bytes of their own; what has no data still has a table and a log.
  return Math.ceil(2.1 * sum + 2 * largest + imageBytes + written + 16 * mebibyte);
}

/** Bytes a second that a copy is allowed at speed 1: a slow line, so that there is something to see; less slow for large disks. */
export function copyRate(vms: readonly ScenarioVm[], imageBytes = 0): number {
  const ofVms = vms.flatMap(({ contents }) => contents.map((content) => content?.dataBytes ?? 0));
  return Math.max(8 * mebibyte, Math.max(imageBytes, ...ofVms) / 40);
}
