import type { Extent } from '../disk-store.ts';
import { rfc3339, type Clock } from '../../runtime/clock.ts';
import type { SnapshotChain } from './snapshot-chain.ts';
import type { Snapshot } from './snapshots.ts';
import { vim } from './vim-schema.ts';
import type { VimObject } from './vim-value.ts';
import type { SimulatedVm, VmDisk } from './vm-store.ts';

/** A disk's files as they stand on each other, base first. */
interface Chain {
  readonly key: number;
  readonly links: readonly { readonly file: string; readonly bytes: number }[];
}

/**
 * VirtualMachine.layoutEx: which files there are and how much they hold, so that a client can tell what a snapshot costs (fact: vs 4.5 asks to
 * watch their sizes). The numbers of the files are made up.
 */
export function layoutOf(vm: SimulatedVm, chain: SnapshotChain<Snapshot>, clock: Clock): VimObject {
  const file: VimObject[] = [];
  const keys = new Map<string, readonly number[]>();
  const add = (name: string, type: string, size: number): number => {
    file.push(
      vim('VirtualMachineFileLayoutExFileInfo', { key: file.length, name, type, size, accessible: true }),
    );
    return file.length - 1;
  };
  const chains = vm.disks.map((disk) => chainOfDisk(disk, chain));
  for (const { file: name, bytes } of chains.flatMap(({ links }) => links)) {
    const extent = name.replace(/\.vmdk$/, /-\d{6}\.vmdk$/.test(name) ? '-delta.vmdk' : '-flat.vmdk');
    keys.set(name, [add(name, 'diskDescriptor', 1024), add(extent, 'diskExtent', bytes)]);
  }
  const layout = ({ key, links }: Chain): VimObject =>
    vim('VirtualMachineFileLayoutExDiskLayout', {
      key,
      chain: links.map((link) =>
        vim('VirtualMachineFileLayoutExDiskUnit', { fileKey: keys.get(link.file) ?? [] }),
      ),
    });
  const snapshot = chain.visible.map((each) =>
    vim('VirtualMachineFileLayoutExSnapshotLayout', {
      key: each.object.ref,
      dataKey: add(`${vm.object.text('config.name')}-${each.id}.vmsn`, 'snapshotData', 4096),
      memoryKey: -1,
      disk: chains.flatMap((disk) => {
        const at = disk.links.findIndex((link) => link.file === each.links.get(disk.key)?.file);
        return at < 0 ? [] : [layout({ ...disk, links: disk.links.slice(0, at + 1) })];
      }),
    }),
  );
  return vim('VirtualMachineFileLayoutEx', {
    file,
    disk: chains.map(layout),
    snapshot,
    timestamp: rfc3339(clock.now()),
  });
}

function chainOfDisk({ placed, disk }: VmDisk, chain: SnapshotChain<Snapshot>): Chain {
  const { key, fileName } = placed;
  const nodes: Snapshot[] = [];
  for (let at = chain.current; at !== undefined; at = chain.parentOf(at))
    if (at.links.has(key)) nodes.unshift(at);
  let before: number | undefined;
  const links = nodes.map((node) => {
    const link = node.links.get(key);
    const generation = link?.view.generation ?? 0;
    const areas = before === undefined ? (link?.view.extents() ?? []) : disk.changedSince(before, generation);
    before = generation;
    return { file: link?.file ?? fileName, bytes: sum(areas) };
  });
  const areas = before === undefined ? disk.extents() : disk.changedSince(before);
  return { key, links: [...links, { file: chain.liveFile(key) ?? fileName, bytes: sum(areas) }] };
}

function sum(areas: readonly Extent[]): number {
  return areas.reduce((total, { length }) => total + length, 0);
}
