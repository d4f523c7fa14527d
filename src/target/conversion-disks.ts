import type { VolumeMode } from '../api/external/core.ts';
import type { FrozenDisk, VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';

/** A disk as the converter sees it. */
export interface ConversionDisk {
  readonly disk: FrozenDisk;
  /** Position among the VM's disks, from 0: what `detectedBootDisk` counts. */
  readonly position: number;
  readonly mode: VolumeMode;
  /** Where the claim is: a device, or a folder with a disk.img in it. */
  readonly path: string;
}

/**
 * The disks that are converted, in the order of the VM. Forklift's image finds them by their names, "/dev/block<n>" and
 * "/mnt/disks/disk<n>", in the order of the alphabet, and calls the n-th "sd" and the n-th letter (fact: cmd/virt-v2v of 2.12): so numbers
 * have leading zeros where there are more than ten, or disk 10 would come before disk 2.
 *
 * @param modes of the claims as they are, by disk key.
 */
export function conversionDisks(
  spec: Pick<VirtualMachineImportSpec, 'disks'>,
  modes: ReadonlyMap<string, VolumeMode>,
): readonly ConversionDisk[] {
  const attached = spec.disks.filter(({ mode }) => mode !== 'skip');
  const copied = attached.filter(({ mode }) => mode === 'copy');
  const digits = String(copied.length - 1).length;
  return copied.map((disk, index) => {
    const mode = modes.get(disk.key) ?? disk.volumeMode ?? 'Filesystem';
    const number = String(index).padStart(digits, '0');
    const path = mode === 'Block' ? `/dev/block${number}` : `/mnt/disks/disk${number}`;
    return { disk, position: attached.indexOf(disk), mode, path };
  });
}

/** As the image itself lists them: file systems first (fact: pkg/virt-v2v/conversion of 2.12). What it tells of a disk by number counts so. */
export function imageOrder(disks: readonly ConversionDisk[]): readonly ConversionDisk[] {
  return [
    ...disks.filter(({ mode }) => mode === 'Filesystem'),
    ...disks.filter(({ mode }) => mode === 'Block'),
  ];
}
