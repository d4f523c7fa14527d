import type { DiskStatus, FrozenDisk } from '../api/virtual-machine-import.ts';
import { countRestarts, type Restarts } from './importer-restarts.ts';
import type { VolumeFact } from './facts.ts';
import { rfc3339Millis } from './time.ts';

/** Weight of the newest measurement in the rate that is shown. */
const newest = 0.3;
/** A rate measured over less than this is noise: CDI tells its progress each two seconds (fact: cdi 3.2). */
const shortestMeasureMs = 1000;
const longestText = 1024;

/**
 * What is reported of a disk, from what the cluster shows now and what was reported before. Bytes are those of the whole disk by CDI's
 * percentage; they never go back within one DataVolume, though an importer that starts again counts from 0.
 *
 * @param now milliseconds since 1970.
 * @param text what the cluster says about it, old enough to be no flicker.
 * @param isExcused nobody can reach the source: what fails now is not the importer's fault.
 */
export function diskStatus(
  volume: VolumeFact,
  disk: FrozenDisk,
  previous: DiskStatus | undefined,
  now: number,
  text?: string,
  isExcused = false,
): DiskStatus {
  const restarts = countRestarts(previous, volume.pod);
  const failed = Math.max(0, restarts.total - totalBefore(previous));
  const excused = (previous?.excused ?? 0) + (isExcused ? failed : 0);
  const excusedPod = isExcused && failed > 0 ? volume.pod?.uid : previous?.excusedPod;
  const state = stateOf(volume);
  const uid = volume.dataVolume?.uid ?? previous?.dataVolumeUID;
  const before = previous !== undefined && previous.dataVolumeUID === uid ? previous : undefined;
  const percent = percentOf(volume, state, before);
  const doneBytes = Math.max(before?.doneBytes ?? 0, Math.floor((disk.sizeBytes * (percent ?? 0)) / 100));
  const message = text ?? (restarts.total > 0 ? volume.pod?.terminationMessage : undefined);
  return {
    key: disk.key,
    claim: disk.claimName,
    ...(uid !== undefined && { dataVolumeUID: uid }),
    ...filledClaim(volume, state, before),
    round: previous?.round ?? 1,
    state,
    ...(percent !== undefined && { percent }),
    doneBytes,
    totalBytes: disk.sizeBytes,
    ...movement(doneBytes, state, restarts, before, now),
    ...restartFields(restarts),
    ...(excused > 0 && { excused }),
    ...(excusedPod !== undefined && { excusedPod }),
    ...(previous?.recopies !== undefined && { recopies: previous.recopies }),
    ...(previous?.dirty !== undefined && { dirty: previous.dirty }),
    ...firstErrorOf(previous, restarts.total - excused, volume),
    ...(message !== undefined && state !== 'done' && { message: message.slice(0, longestText) }),
  };
}

/**
 * Which claim it is that was filled: the uid tells it from an empty one that CDI makes in its place when somebody deletes it. Written when
 * the disk is done; until then a claim may come and go.
 */
function filledClaim(
  { claim }: VolumeFact,
  state: DiskStatus['state'],
  before: DiskStatus | undefined,
): Pick<DiskStatus, 'claimUID'> {
  if (state !== 'done') return {};
  const claimUID = (before?.state === 'done' ? before.claimUID : undefined) ?? claim?.uid;
  return claimUID === undefined ? {} : { claimUID };
}

function stateOf({ dataVolume }: VolumeFact): DiskStatus['state'] {
  switch (dataVolume?.phase) {
    case 'Succeeded':
      return 'done';
    case 'Failed':
    case 'Unknown':
      return 'failed';
    case 'ImportInProgress':
    case 'Paused':
      return 'copying';
    default:
      return 'waiting';
  }
}

/** Undefined while CDI says N/A and nothing was known before. */
function percentOf(
  volume: VolumeFact,
  state: DiskStatus['state'],
  before: DiskStatus | undefined,
): number | undefined {
  if (state === 'done') return 100;
  const percent = volume.dataVolume?.percent;
  if (percent === undefined) return before?.percent;
  return Math.max(before?.percent ?? 0, percent);
}

/** The moment of the last movement, and a smoothed rate over the time between two of them. */
function movement(
  doneBytes: number,
  state: DiskStatus['state'],
  restarts: Restarts,
  before: DiskStatus | undefined,
  now: number,
): Pick<DiskStatus, 'movedAt' | 'rateBytesPerSecond'> {
  if (state === 'waiting' && before?.movedAt === undefined) return {};
  const movedAt = before?.movedAt;
  const restarted = restarts.total > totalBefore(before);
  const grown = doneBytes - (before?.doneBytes ?? 0);
  if (movedAt === undefined || restarted) return { movedAt: rfc3339Millis(now) };
  const rate = before?.rateBytesPerSecond;
  if (grown === 0)
    return { movedAt, ...(rate !== undefined && state !== 'done' && { rateBytesPerSecond: rate }) };
  const elapsedMs = now - Date.parse(movedAt);
  const measured = (grown * 1000) / Math.max(elapsedMs, shortestMeasureMs);
  const smoothed = rate === undefined ? measured : rate * (1 - newest) + measured * newest;
  return {
    movedAt: rfc3339Millis(now),
    ...(state !== 'done' && { rateBytesPerSecond: Math.round(smoothed) }),
  };
}

function totalBefore(before: DiskStatus | undefined): number {
  const counts = Object.values(before?.restarts ?? {});
  return counts.reduce((sum, count) => sum + count, before?.restartsBefore ?? 0);
}

function restartFields({ restarts, restartsBefore }: Restarts): Partial<DiskStatus> {
  return {
    ...(Object.keys(restarts).length > 0 && { restarts }),
    ...(restartsBefore > 0 && { restartsBefore }),
  };
}

/** The first error is what began it; the last is often only its echo. */
function firstErrorOf(
  previous: DiskStatus | undefined,
  failures: number,
  volume: VolumeFact,
): Partial<DiskStatus> {
  const first = previous?.firstError ?? (failures > 0 ? volume.pod?.terminationMessage : undefined);
  return first === undefined ? {} : { firstError: first.slice(0, longestText) };
}
