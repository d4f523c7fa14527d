import type { Disk } from '../disk-store.ts';
import type { Faults, Trace, VddkDisk, VddkRequest } from '../world.ts';
import type { Account } from './account.ts';
import { trustsCertificate, type ServerCertificate } from './certificate.ts';
import type { Privileges } from './privileges.ts';
import { fileOf, type Snapshots } from './snapshots.ts';
import { invalidLogin } from './vim-fault.ts';
import type { SimulatedVm, VmStore } from './vm-store.ts';

export interface VddkParts {
  readonly account: Account;
  readonly privileges: Privileges;
  readonly vms: VmStore;
  readonly snapshots: Snapshots;
  readonly faults: Faults;
  readonly trace: Trace;
  certificate(): ServerCertificate;
  answersAt(url: string): boolean;
  /** Name of the ESXi host that the VM is on. */
  hostOf(vm: SimulatedVm): string;
}

/**
 * An importer's way to a disk: it logs in, looks for VM, disk and snapshot, then nbdkit opens the file (fact: vs 4.3, cdi 3.6). The order
 * of the checks is the importer's, so that the first thing wrong is the one that is told. Texts before nbdkit are the importer's own; what
 * nbdkit answers is inferred.
 */
export function openVddkDisk(request: VddkRequest, parts: VddkParts): VddkDisk {
  const host = hostOf(request.url);
  connect(request, host, parts);
  const vm = findVm(request.uuid, parts.vms);
  const target = findDisk(request, vm, parts);
  openByNbdkit(request, vm, target, parts);
  parts.trace.add({ who: 'importer', what: 'open disk', on: vm.object.text('name'), detail: target.file });
  const readable = (): void => {
    if (!parts.answersAt(request.url)) {
      throw new Error('Unable to process data: nbd_pread: read: command failed: Input/output error');
    }
  };
  return {
    sizeBytes: target.disk.sizeBytes,
    host: parts.hostOf(vm),
    read: (offset, length) => {
      readable();
      return target.disk.read(offset, length);
    },
    extents: () => target.disk.extents(),
    changedAreas: (previous) => {
      throw new Error(`Failed to query changed areas: ServerFaultCode: nothing is tracked since ${previous}`);
    },
    [Symbol.dispose]: () => undefined,
  };
}

interface Target {
  readonly disk: Disk;
  readonly file: string;
  /** The VM writes to it while it runs. */
  readonly live: boolean;
}

/** The importer's first words for whatever goes wrong before data flows (fact: cdi 3.3). */
function refused(why: string): Error {
  return new Error(`Unable to connect to vddk data source: ${why}`);
}

function connect(request: VddkRequest, host: string, parts: VddkParts): void {
  const post = `Post "https://${host}/sdk":`;
  if (!parts.answersAt(request.url)) throw refused(`${post} dial tcp: connect: connection refused`);
  const { certificatePem } = parts.certificate();
  if (request.caPem !== undefined && !trustsCertificate(request.caPem, certificatePem)) {
    throw refused(`${post} tls: failed to verify certificate: x509: certificate signed by unknown authority`);
  }
  if (!parts.account.accepts(request.user, request.password, `importer ${request.user}`)) {
    throw refused(`ServerFaultCode: ${invalidLogin().message}`);
  }
}

/** fact: cdi 3.6: as instance uuid in all datacenters first, then as BIOS uuid (the order since CDI 1.66). */
function findVm(uuid: string, vms: VmStore): SimulatedVm {
  const wanted = uuid.toLowerCase();
  for (const path of ['config.instanceUuid', 'config.uuid']) {
    const found = vms.all.find(({ object }) => object.text(path).toLowerCase() === wanted);
    if (found !== undefined) return found;
  }
  throw refused('unable to locate VM in any datacenter');
}

/** fact: vs 4.3: by backing file in the live devices, else in the snapshots; `snapshot` then leads to the file that it froze. */
function findDisk(request: VddkRequest, vm: SimulatedVm, parts: VddkParts): Target {
  const snapshots = parts.snapshots.of(vm);
  const live = vm.disks.find(({ placed }) => fileOf(vm, placed.key) === request.backingFile);
  const old = snapshots.flatMap(({ frozen }) => frozen).find(({ file }) => file === request.backingFile);
  const key = live?.placed.key ?? old?.key;
  if (key === undefined) {
    throw refused(`disk '${request.backingFile}' is not present in VM hardware config or snapshot list`);
  }
  if (request.snapshot !== undefined) {
    const snapshot = snapshots.find(({ id }) => id === request.snapshot);
    if (snapshot === undefined) throw refused(`snapshot "${request.snapshot}" not found`);
    const frozen = snapshot.frozen.find((each) => each.key === key);
    if (frozen === undefined) throw refused(`Could not find disk image in snapshot ${snapshot.id}`);
    return { disk: frozen.disk, file: frozen.file, live: false };
  }
  if (live !== undefined) return { disk: live.disk, file: request.backingFile, live: true };
  if (old !== undefined) return { disk: old.disk, file: old.file, live: false };
  throw refused(`disk '${request.backingFile}' is not present in VM hardware config or snapshot list`);
}

/** nbdkit opens the disk when the importer connects to it: what it refuses, the importer sees as a failed connection. */
function openByNbdkit(request: VddkRequest, vm: SimulatedVm, target: Target, parts: VddkParts): void {
  const { thumbprint } = parts.certificate();
  if (request.thumbprint.toUpperCase() !== thumbprint) {
    throw nbdkit('VixDiskLib_ConnectEx: The host certificate chain is not trusted: thumbprints do not match');
  }
  const privilege = 'VirtualMachine.Provisioning.DiskRandomRead';
  const name = vm.object.text('name');
  if (!parts.privileges.allows(privilege, vm.object) || parts.faults.strikes('vcenter-denied', name)) {
    throw nbdkit(`VixDiskLib_Open: ${target.file}: Permission to perform this operation was denied`);
  }
  // fact: vs 7: the live top disk of a running VM is locked; a base file under a snapshot can be read.
  if (target.live && vm.object.get('runtime.powerState') !== 'poweredOff') {
    throw nbdkit(
      `VixDiskLib_Open: ${target.file}: Failed to lock the file: You do not have access rights to this file`,
    );
  }
}

function nbdkit(why: string): Error {
  return refused(`nbd_connect_uri: handshake failed: nbdkit: vddk[1]: error: ${why}`);
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    throw refused(`parse "${url}": invalid URI for request`);
  }
}
