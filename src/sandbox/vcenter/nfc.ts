import type { Extent } from '../disk-store.ts';
import type { Faults, Trace } from '../world.ts';
import type { ServerCertificate } from './certificate.ts';
import type { Privileges } from './privileges.ts';
import type { Snapshots } from './snapshots.ts';
import type { SimulatedVm } from './vm-store.ts';

export interface NfcParts {
  readonly privileges: Privileges;
  readonly snapshots: Snapshots;
  readonly faults: Faults;
  readonly trace: Trace;
  certificate(): ServerCertificate;
  isUp(): boolean;
  /** So many bytes of a disk are being handed out. */
  onRead(length: number): void;
  /** Name of the ESXi host that the VM is on. */
  hostOf(vm: SimulatedVm): string;
}

/** What VDDK is asked to open, once it has logged in. */
export interface NfcRequest {
  readonly thumbprint: string;
  /** Snapshot moref; absent: the VM as it is. */
  readonly snapshot?: string;
  /** "[datastore] dir/file.vmdk" */
  readonly file: string;
}

/** A disk as VDDK gives it. `read` throws when the way to it is cut. */
export interface NfcDisk {
  readonly file: string;
  readonly host: string;
  readonly sizeBytes: number;
  read(offset: number, length: number): Uint8Array;
  extents(): readonly Extent[];
}

/** Opens a disk by its file. Throws Error in VDDK's words, as far as they are known (inferred). */
export function openNfcDisk(request: NfcRequest, vm: SimulatedVm, parts: NfcParts): NfcDisk {
  const { thumbprint } = parts.certificate();
  if (request.thumbprint.toUpperCase() !== thumbprint) {
    throw new Error(
      'VixDiskLib_ConnectEx: The host certificate chain is not trusted: thumbprints do not match',
    );
  }
  const { file } = request;
  const privilege = 'VirtualMachine.Provisioning.DiskRandomRead';
  const name = vm.object.text('name');
  if (!parts.privileges.allows(privilege, vm.object) || parts.faults.strikes('vcenter-denied', name)) {
    throw new Error(`VixDiskLib_Open: ${file}: Permission to perform this operation was denied`);
  }
  const disk = find(request, vm, parts.snapshots);
  parts.trace.add({ who: 'importer', what: 'open disk', on: name, detail: file });
  return {
    file,
    host: parts.hostOf(vm),
    sizeBytes: disk.sizeBytes,
    read: (offset, length) => {
      if (!parts.isUp()) throw new Error('VixDiskLib_Read: Network error');
      parts.onRead(length);
      return disk.read(offset, length);
    },
    extents: () => disk.extents(),
  };
}

type Bytes = Pick<NfcDisk, 'sizeBytes' | 'read' | 'extents'>;

/** fact: vs 7: the live top disk of a running VM is locked; a base file under a snapshot can be read. */
function find({ file, snapshot }: NfcRequest, vm: SimulatedVm, snapshots: Snapshots): Bytes {
  const chain = snapshots.chainOf(vm);
  const nodes = snapshot === undefined ? chain.all : snapshots.of(vm).filter(({ id }) => id === snapshot);
  if (snapshot !== undefined && nodes.length === 0) {
    throw new Error(`VixDiskLib_Open: ${file}: The object or item referred to could not be found`);
  }
  const frozen = nodes.flatMap(({ links }) => [...links.values()]).find((link) => link.file === file);
  if (frozen !== undefined) return frozen.view;
  const live = vm.disks.find(({ placed }) => chain.liveFile(placed.key) === file);
  if (snapshot !== undefined || live === undefined) {
    throw new Error(`VixDiskLib_Open: ${file}: The system cannot find the file specified`);
  }
  if (vm.object.get('runtime.powerState') !== 'poweredOff') {
    throw new Error(
      `VixDiskLib_Open: ${file}: Failed to lock the file: You do not have access rights to this file`,
    );
  }
  return live.disk;
}
