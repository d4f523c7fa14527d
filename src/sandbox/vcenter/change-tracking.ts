import type { FrozenDisk } from '../disk-history.ts';
import type { Extent } from '../disk-store.ts';
import { epochOf, readChangeId, writeChangeId } from './change-id.ts';
import { isInSnapshots, trackingOptions } from './disk-placement.ts';
import { changesUnknown, invalidArgument } from './vim-fault.ts';
import { isList, isVimObject } from './vim-value.ts';
import type { SimulatedVm, VmDisk } from './vm-store.ts';

/** fact: vs 4.3: an answer names about so many areas at most, and ends early. */
export const usualMaxAreas = 2000;

/** Which changes are asked for. */
export interface ChangeQuery {
  readonly changeId: string;
  /** Bytes. */
  readonly startOffset: number;
  /** Up to where: a snapshot's view and its own changeId; undefined: the disk as it is now. */
  readonly until: { readonly view: FrozenDisk; readonly changeId: string | undefined } | undefined;
  /** Of the disk at that point, for the faults. */
  readonly file: string;
}

export interface ChangeAnswer {
  readonly startOffset: number;
  /** The answer speaks of [startOffset, startOffset + length); the next question begins behind it (fact: vs 1.5). */
  readonly length: number;
  readonly areas: readonly Extent[];
}

/** The VM is stunned for a moment: what was asked for takes effect (fact: vs 1.5). True when something changed. */
export function stunTracking(vm: SimulatedVm): boolean {
  const { tracking } = vm;
  if (tracking.active === tracking.wanted) return false;
  tracking.active = tracking.wanted;
  if (tracking.active) for (const disk of vm.disks) loseTracking(disk);
  showTrackingOptions(vm);
  return true;
}

/** Asked for or called off; per-disk tracking follows with the next stun. */
export function wantTracking(vm: SimulatedVm, wanted: boolean): void {
  vm.tracking.wanted = wanted;
  vm.object.set('config.changeTrackingEnabled', wanted);
  showTrackingOptions(vm);
}

/** Tracking of this disk begins anew: changeIds from before are worth nothing (fact: vs 4.5). */
export function loseTracking(disk: VmDisk): void {
  disk.epochs += 1;
}

/** undefined: nothing is tracked there. */
export function changeIdAt(
  vm: SimulatedVm,
  { placed, disk, epochs }: VmDisk,
  view?: FrozenDisk,
): string | undefined {
  if (!vm.tracking.active || !isInSnapshots(placed.spec)) return undefined;
  const epoch = epochOf(vm.number, placed.key, epochs);
  return writeChangeId({ epoch, counter: view?.generation ?? disk.generation });
}

/**
 * QueryChangedDiskAreas. "*" means all that was ever written (fact: vs 4.2). A changeId of another epoch, or of a later state, cannot be
 * answered for (fact: vs 1.6, 4.5); which of the faults vSphere picks then is inferred. Throws VimFault.
 */
export function changedAreas(
  vm: SimulatedVm,
  disk: VmDisk,
  query: ChangeQuery,
  maxAreas: number,
): ChangeAnswer {
  const { startOffset, until, file } = query;
  const source = until?.view ?? disk.disk;
  // fact: testbed 7.3, in the importer's own words: an offset at the end of the disk is an error.
  if (startOffset < 0 || startOffset >= source.sizeBytes) throw invalidArgument('startOffset');
  const known = until === undefined ? changeIdAt(vm, disk) : until.changeId;
  if (known === undefined) throw changesUnknown(file, 'noTrack');
  const areas = query.changeId === '*' ? source.extents() : since(disk, query, known);
  return page(areas, startOffset, source.sizeBytes, maxAreas);
}

function since(disk: VmDisk, { changeId, until, file }: ChangeQuery, known: string): readonly Extent[] {
  const asked = readChangeId(changeId);
  if (asked === undefined) throw invalidArgument('changeId');
  const now = readChangeId(known);
  if (asked.epoch !== now?.epoch) throw changesUnknown(file, 'noEpoch');
  if (asked.counter > now.counter) throw changesUnknown(file, 'cannotGetChanges');
  return disk.disk.changedSince(asked.counter, until?.view.generation);
}

/** The part from `startOffset` on, cut after so many areas. Only the last answer may be empty: an importer takes that for the end (cdi 3.6). */
function page(
  areas: readonly Extent[],
  startOffset: number,
  sizeBytes: number,
  maxAreas: number,
): ChangeAnswer {
  const later = areas.flatMap(({ offset, length }) => {
    const from = Math.max(offset, startOffset);
    const to = Math.min(offset + length, sizeBytes);
    return to > from ? [{ offset: from, length: to - from }] : [];
  });
  const shown = later.slice(0, maxAreas);
  const next = later[maxAreas];
  return { startOffset, length: (next?.offset ?? sizeBytes) - startOffset, areas: shown };
}

function showTrackingOptions(vm: SimulatedVm): void {
  const before = vm.object.get('config.extraConfig');
  const options = isList(before) ? before.filter(isVimObject) : [];
  const others = options.filter(({ key }) => typeof key !== 'string' || !/(^|\.)ctkEnabled$/i.test(key));
  const tracks = { vm: vm.tracking.wanted, disks: vm.tracking.active };
  const placed = vm.disks.map((disk) => disk.placed);
  vm.object.set('config.extraConfig', [...trackingOptions(placed, tracks), ...others]);
}
