import type { Extent } from '../disk-store.ts';
import type { VddkDisk, VddkRequest } from '../world.ts';
import type { Account } from './account.ts';
import { trustsCertificate } from './certificate.ts';
import { changedAreas, type ChangeAnswer } from './change-tracking.ts';
import { openNfcDisk, type NfcDisk, type NfcParts } from './nfc.ts';
import type { Snapshot } from './snapshots.ts';
import { invalidLogin, noPermission, VimFault } from './vim-fault.ts';
import type { SimulatedVm, VmDisk, VmStore } from './vm-store.ts';

export interface VddkParts extends NfcParts {
  readonly account: Account;
  readonly vms: VmStore;
  readonly maxChangedAreas: number;
  answersAt(url: string): boolean;
}

/**
 * An importer's way to a disk: it logs in, looks for VM, disk and snapshot, then nbdkit opens the file (fact: vs 4.3, cdi 3.6). The order
 * of the checks is the importer's, so that the first thing wrong is the one that is told, in its own words.
 */
export function openVddkDisk(request: VddkRequest, parts: VddkParts): VddkDisk {
  const host = hostOf(request.url);
  connect(request, host, parts);
  const vm = findVm(request.uuid, parts.vms);
  const disk = findDisk(request.backingFile, vm, parts);
  const snapshot = request.snapshot === undefined ? undefined : findSnapshot(request.snapshot, vm, parts);
  const file = snapshot === undefined ? request.backingFile : fileIn(snapshot, disk);
  const open = openByNbdkit({ ...request, file }, vm, parts);
  const changesOf = changesReader(request, parts);
  return {
    sizeBytes: open.sizeBytes,
    host: open.host,
    read: (offset, length) => {
      if (!parts.answersAt(request.url)) {
        throw new Error(
          `Unable to copy block at offset ${offset}: nbd_pread: cannot send after transport endpoint shutdown`,
        );
      }
      return open.read(offset, length);
    },
    extents: () => open.extents(),
    changedAreas: (previous) => {
      if (snapshot === undefined) throw new Error('previous checkpoint set without current');
      return changesOf(vm, disk, snapshot, previous);
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** The importer's first words for whatever goes wrong before data flows (fact: cdi 3.3). */
function refused(why: string, cause?: unknown): Error {
  return new Error(`Unable to connect to vddk data source: ${why}`, { cause });
}

function connect(request: VddkRequest, host: string, parts: VddkParts): void {
  const post = `Post "https://${host}/sdk":`;
  if (!parts.answersAt(request.url)) throw refused(noAnswerFrom(request.url));
  const { certificatePem } = parts.certificate();
  if (request.caPem !== undefined && !trustsCertificate(request.caPem, certificatePem)) {
    throw refused(`${post} tls: failed to verify certificate: x509: certificate signed by unknown authority`);
  }
  if (!parts.account.accepts(request.user, request.password, `importer ${request.user}`)) {
    throw refused(`ServerFaultCode: ${invalidLogin().message}`);
  }
}

/** fact: testbed 7.3: CDI 1.65 looks for the BIOS uuid, and takes the first VM that has it. */
function findVm(uuid: string, vms: VmStore): SimulatedVm {
  const wanted = uuid.toLowerCase();
  const found = vms.all.find(({ object }) => object.text('config.uuid').toLowerCase() === wanted);
  if (found !== undefined) return found;
  throw refused('unable to locate VM in any datacenter');
}

/** fact: vs 4.3: by backing file in the live devices, else in the snapshots, else among what the oldest of them stands on. */
function findDisk(backingFile: string, vm: SimulatedVm, { snapshots }: VddkParts): VmDisk {
  const chain = snapshots.chainOf(vm);
  const root = chain.visible.find((node) => chain.visibleAbove(node.parent) === undefined);
  const found = vm.disks.find(({ placed: { key } }) => {
    const files = [
      chain.liveFile(key),
      ...chain.visible.map((node) => node.links.get(key)?.file),
      ...chain.below(root?.parent, key),
    ];
    return files.includes(backingFile);
  });
  if (found !== undefined) return found;
  throw refused(`disk '${backingFile}' is not present in VM hardware config or snapshot list`);
}

/** fact: testbed 6, cdi 2.3: by moref, name or path in the tree; a VM without snapshots has words of its own. */
function findSnapshot(id: string, vm: SimulatedVm, { snapshots }: VddkParts): Snapshot {
  const there = snapshots.of(vm);
  if (there.length === 0) throw refused('no snapshots for this VM');
  const found = there.find((snapshot) => snapshot.id === id);
  if (found === undefined) throw refused(`snapshot "${id}" not found`);
  return found;
}

/** fact: cdi 2.3: the disk in the snapshot is known by its object id. */
function fileIn(snapshot: Snapshot, { placed }: VmDisk): string {
  const link = snapshot.links.get(placed.key);
  if (link !== undefined) return link.file;
  throw refused(`Could not find disk image with ID ${placed.key} in snapshot ${snapshot.id}`);
}

/**
 * nbdkit opens the disk when the importer connects to it. What it refuses stands in the pod's log; the importer only sees that the handshake
 * failed. The reason is in `cause` and in the trace.
 */
function openByNbdkit(
  { thumbprint, snapshot, file }: Pick<VddkRequest, 'thumbprint' | 'snapshot'> & { readonly file: string },
  vm: SimulatedVm,
  parts: VddkParts,
): NfcDisk {
  try {
    return openNfcDisk({ thumbprint, file, ...(snapshot !== undefined && { snapshot }) }, vm, parts);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    parts.trace.add({ who: 'nbdkit', what: 'refused', on: vm.object.text('name'), detail });
    const handshake = 'handshake with /tmp/nbd.sock: the server refuses option 7 (reply 0x80000006)';
    throw refused(`nbd_connect_uri: ${handshake}`, cause);
  }
}

type ChangesOf = (vm: SimulatedVm, disk: VmDisk, current: Snapshot, previous: string) => readonly Extent[];

/** How the importer tells a changeId from a snapshot (fact: cdi 2.3, testbed 6). */
const changeIdPattern = /([0-9a-fA-F]{2}\s?)*-([0-9a-fA-F]{2}\s?)*\/([0-9a-fA-F]*)/;

function changesReader(request: VddkRequest, parts: VddkParts): ChangesOf {
  const ask = (
    vm: SimulatedVm,
    disk: VmDisk,
    current: Snapshot,
    changeId: string,
    at: number,
  ): ChangeAnswer => {
    const link = current.links.get(disk.placed.key);
    if (!parts.answersAt(request.url)) {
      throw new Error(noAnswerFrom(request.url));
    }
    const privilege = 'VirtualMachine.Provisioning.DiskRandomRead';
    if (!parts.privileges.allows(privilege, vm.object)) throw noPermission(vm.object.ref, privilege);
    const query = { changeId, startOffset: at, until: link, file: link?.file ?? disk.placed.fileName };
    return changedAreas(vm, disk, query, parts.maxChangedAreas);
  };
  return (vm, disk, current, previous) => {
    const isChangeId = changeIdPattern.test(previous);
    const changeId = isChangeId ? previous : changeIdOf(previous, vm, disk, parts);
    const areas: Extent[] = [];
    for (let offset = 0; offset < disk.disk.sizeBytes;) {
      const answer = attempt(isChangeId, () => ask(vm, disk, current, changeId, offset));
      areas.push(...answer.areas);
      if (answer.areas.length === 0) break;
      offset = answer.startOffset + answer.length;
      if (!isChangeId && offset < disk.disk.sizeBytes) {
        // fact: cdi 2.3: asked for again from offset 0, for ever. Nobody can wait for that.
        throw new Error('the importer would ask for the first page of changes again and again');
      }
    }
    return areas;
  };
}

function changeIdOf(previous: string, vm: SimulatedVm, disk: VmDisk, { snapshots }: VddkParts): string {
  const snapshot = snapshots.of(vm).find(({ id }) => id === previous);
  if (snapshot === undefined) {
    const why =
      snapshots.of(vm).length === 0 ? 'no snapshots for this VM' : `snapshot "${previous}" not found`;
    throw new Error(`Could not find previous snapshot ${previous}: ${why}`);
  }
  const { key } = disk.placed;
  const changeId = snapshot.links.get(key)?.changeId;
  if (changeId === undefined)
    throw new Error(`Unable to query changed areas: CBT is not enabled on disk ${key}`);
  return changeId;
}

function attempt(isChangeId: boolean, ask: () => ChangeAnswer): ChangeAnswer {
  try {
    return ask();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const why = error instanceof VimFault ? `ServerFaultCode: ${text}` : text;
    throw new Error(`${isChangeId ? 'Failed' : 'Unable'} to query changed areas: ${why}`, { cause: error });
  }
}

function noAnswerFrom(url: string): string {
  const { host, hostname, port } = new URL(url);
  return `Post "https://${host}/sdk": dial tcp ${hostname}:${port === '' ? '443' : port}: connect: connection refused`;
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    throw refused(`parse "${url}": invalid URI for request`);
  }
}
