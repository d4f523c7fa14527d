import { SourceError } from '../../../model/fault.ts';
import type { DiskCheckpoint } from '../../../model/source-data.ts';
import type { DiskModel, Json } from '../../../model/vm.ts';
import { present, clipped } from '../model/bounds.ts';
import { baseFileOf, diskDevices, diskKeyOf, fileOf, sizeOf } from '../model/disks.ts';
import { asText, member } from '../soap/values.ts';

/**
 * Where each disk stands in a snapshot, from the devices of the snapshot's own configuration: CDI is told the snapshot and reads what has
 * changed since the change id of the round before (fact: vs 4.2). A disk that the snapshot does not hold is left out. Throws SourceError
 * for a disk without a change id: its changes are not tracked.
 */
export function checkpointsOf(
  snapshotId: string,
  devices: Json | undefined,
  disks: readonly DiskModel[],
): ReadonlyMap<string, DiskCheckpoint> {
  const wanted = new Set(disks.map(({ key }) => key));
  const found = new Map<string, DiskCheckpoint>();
  for (const device of diskDevices(devices)) {
    const key = diskKeyOf(device);
    if (key === undefined || !wanted.has(key)) continue;
    const backing = member(device, 'backing');
    const changeId = asText(member(backing, 'changeId'));
    if (changeId === undefined) throw untracked(key);
    found.set(key, {
      current: snapshotId,
      nextPrevious: changeId,
      ...standingOf(device),
      ...present('sourceId', fileOf(backing)),
    });
  }
  return found;
}

/** What is the same of a disk in every snapshot, and of the VM itself, for as long as changes can be told from one to the next. */
export function standingOf(device: Json): Pick<DiskCheckpoint, 'sizeBytes' | 'epoch' | 'place'> {
  const backing = member(device, 'backing');
  const changeId = asText(member(backing, 'changeId'));
  return {
    sizeBytes: sizeOf(device),
    ...present('epoch', changeId?.split('/')[0]),
    // Snapshots come and go above it; only a move of the disk gives it another name (fact: vs 4.4b, 4.5).
    ...present('place', clipped(baseFileOf(backing), 512)),
  };
}

function untracked(key: string): SourceError {
  return new SourceError({
    code: 'ChangeTrackingOff',
    kind: 'unsupported',
    message: `Disk ${key} has no change id in its snapshot: its changes are not tracked. Switch changed block tracking on for the VM, power-cycle it or make and remove a snapshot, and start the plan again.`,
  });
}
