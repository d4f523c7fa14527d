import type { ChainNode } from './snapshot-chain.ts';
import type { Snapshot } from './snapshots.ts';
import { vim } from './vim-schema.ts';
import { isVimObject, MoRef, type VimObject, type VimValue } from './vim-value.ts';

/** VirtualMachine.snapshot: the tree as trees in a list; undefined without a snapshot (fact: vs 2.4). */
export function snapshotInfo(
  vm: MoRef,
  snapshots: readonly Snapshot[],
  current: ChainNode | undefined,
  parentOf: (snapshot: Snapshot) => ChainNode | undefined,
): VimObject | undefined {
  if (snapshots.length === 0) return undefined;
  const below = (parent: ChainNode | undefined): readonly VimObject[] =>
    snapshots
      .filter((snapshot) => parentOf(snapshot) === parent)
      .map((snapshot) => treeNode(vm, snapshot, below(snapshot)));
  return vim('VirtualMachineSnapshotInfo', {
    ...(current !== undefined && { currentSnapshot: new MoRef('VirtualMachineSnapshot', current.id) }),
    rootSnapshotList: below(undefined),
  });
}

function treeNode(vm: MoRef, snapshot: Snapshot, childSnapshotList: readonly VimObject[]): VimObject {
  return vim('VirtualMachineSnapshotTree', {
    snapshot: snapshot.object.ref,
    vm,
    name: snapshot.name,
    description: snapshot.description,
    id: Number(snapshot.id.replace('snapshot-', '')) - 50,
    createTime: snapshot.createdAt,
    state: snapshot.power,
    quiesced: snapshot.quiesced,
    childSnapshotList,
    replaySupported: false,
  });
}

interface DiskState {
  readonly file: string;
  /** Files that it stands on, the next one first. */
  readonly below: readonly string[];
  readonly changeId: string | undefined;
}

/** A disk's backing with the file that it is in now; what it stands on shows as `parent` of `parent` (fact: vs 4.3). */
export function backingWith(backing: VimObject, { file, below, changeId }: DiskState): VimObject {
  const { parent: _parent, changeId: _changeId, $type, ...own } = backing;
  const parent = below.reduceRight<VimObject | undefined>(
    (lower, fileName) => ({ ...own, $type, fileName, ...(lower !== undefined && { parent: lower }) }),
    undefined,
  );
  return {
    ...own,
    $type,
    fileName: file,
    ...(changeId !== undefined && { changeId }),
    ...(parent !== undefined && { parent }),
  };
}

/** VirtualMachineSnapshot.config: the VM's as it was, its disks in the files that hold them now (fact: vs 4.4b). */
export function frozenConfig(snapshot: Snapshot, below: (key: number) => readonly string[]): VimObject {
  const hardware = snapshot.config['hardware'];
  if (!isVimObject(hardware)) return snapshot.config;
  const devices = hardware['device'];
  const device = (Array.isArray(devices) ? (devices as readonly VimValue[]) : []).map((each) => {
    if (!isVimObject(each) || typeof each['key'] !== 'number') return each;
    const link = snapshot.links.get(each['key']);
    const backing = each['backing'];
    if (link === undefined || !isVimObject(backing)) return each;
    const state = { file: link.file, below: below(each['key']), changeId: link.changeId };
    return { ...each, backing: backingWith(backing, state) };
  });
  return { ...snapshot.config, hardware: { ...hardware, device } };
}
