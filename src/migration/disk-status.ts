import type { DiskStatus, FrozenDisk, Round } from '../api/virtual-machine-import.ts';
import { countRestarts, type Restarts } from './importer-restarts.ts';
import type { VolumeFact } from './facts.ts';
import { rfc3339Millis } from './time.ts';

/** Weight of the newest measurement in the rate that is shown. */
const newest = 0.3;
/** A rate measured over less than this is noise: CDI tells its progress each two seconds (fact: cdi 3.2). */
const shortestMeasureMs = 1000;
const longestText = 1024;

/** Which copy of a disk is under way. */
export interface Stage {
  readonly round: Pick<Round, 'n' | 'kind' | 'disks'>;
  readonly diskKey: string;
}

/**
 * What is reported of a disk, from what the cluster shows now and what was reported before. Bytes are those of the whole disk by CDI's
 * percentage; they never go back within one copy, though an importer that starts again counts from 0.
 *
 * @param reading milliseconds since 1970; what the cluster says about the disk, old enough to be no flicker; whether nobody can reach the
 * source, so that what fails now is not the importer's fault; warm: the round that is copied.
 */
export function diskStatus(
  volume: VolumeFact,
  disk: FrozenDisk,
  reported: DiskStatus | undefined,
  {
    now,
    text,
    isExcused = false,
    stage,
  }: { readonly now: number; readonly text?: string; readonly isExcused?: boolean; readonly stage?: Stage },
): DiskStatus {
  const previous = atStage(reported, stage);
  const restarts = countRestarts(previous, volume.pod);
  const failed = Math.max(0, restarts.total - totalBefore(previous));
  const excused = (previous?.excused ?? 0) + (isExcused ? failed : 0);
  const excusedPod = isExcused && failed > 0 ? volume.pod?.uid : previous?.excusedPod;
  const state = stateOf(volume, stage);
  const uid = volume.dataVolume?.uid ?? previous?.dataVolumeUID;
  const before = previous !== undefined && previous.dataVolumeUID === uid ? previous : undefined;
  const isFirst = reported !== undefined && reported.round !== previous?.round;
  const stale = stage === undefined ? undefined : staleFigure(volume, state, before, isFirst);
  const percent = percentOf(volume, state, before, stale);
  const totalBytes = stage?.round.disks[disk.key]?.sizeBytes ?? disk.sizeBytes;
  const doneBytes = Math.max(before?.doneBytes ?? 0, Math.floor((totalBytes * (percent ?? 0)) / 100));
  const message = text ?? (restarts.total > 0 ? volume.pod?.terminationMessage : undefined);
  return {
    key: disk.key,
    claim: disk.claimName,
    ...(uid !== undefined && { dataVolumeUID: uid }),
    ...filledClaim(volume, state, before),
    round: stage?.round.n ?? previous?.round ?? 1,
    state,
    ...(percent !== undefined && { percent }),
    doneBytes,
    totalBytes,
    ...(stale !== undefined && percent === undefined && { staleProgress: stale }),
    ...movement(doneBytes, state, restarts, before, now),
    ...restartFields(restarts),
    ...(excused > 0 && { excused }),
    ...(excusedPod !== undefined && { excusedPod }),
    ...(previous?.recopies !== undefined && { recopies: previous.recopies }),
    ...(previous?.isLarger === true && { isLarger: true }),
    ...(previous?.dirty !== undefined && { dirty: previous.dirty }),
    ...firstErrorOf(previous, restarts.total - excused, volume),
    ...(message !== undefined &&
      state !== 'done' &&
      state !== 'copied' && { message: message.slice(0, longestText) }),
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

/** The first report of another round: its copy begins at nothing, and what failed before does not count against it. */
function atStage(reported: DiskStatus | undefined, stage: Stage | undefined): DiskStatus | undefined {
  if (reported === undefined || stage === undefined || reported.round === stage.round.n) return reported;
  const {
    percent: _percent,
    staleProgress: _stale,
    movedAt: _movedAt,
    rateBytesPerSecond: _rate,
    firstError: _first,
    message: _said,
    ...kept
  } = reported;
  return {
    ...kept,
    round: stage.round.n,
    state: 'waiting',
    doneBytes: 0,
    excused: totalBefore(reported),
  };
}

/**
 * The figure that is not of this round. CDI asks an importer how far it is only while its pod runs, and until the one of this round has
 * answered it shows the last answer of the round before (fact: cdi 1.3, 3.2). That answer may be any, and one of a delta may never come
 * (fact: cdi 0.6): so what stands there at the first look, and as long as no importer of this round is at work, is of the past, and only
 * what differs from it is of now.
 */
function staleFigure(
  { dataVolume }: VolumeFact,
  state: DiskStatus['state'],
  before: DiskStatus | undefined,
  isFirst: boolean,
): number | undefined {
  const isPast = isFirst || (state === 'waiting' && before?.percent === undefined);
  return isPast ? dataVolume?.percent : before?.staleProgress;
}

/** Between two stages a DataVolume is Paused, before and after each for longer than it is true: only the mark counts (fact: cdi 0.1). */
function stateOf({ dataVolume, claim, diskKey }: VolumeFact, stage: Stage | undefined): DiskStatus['state'] {
  const current = stage?.round.disks[diskKey]?.current;
  const isMarked = current !== undefined && claim?.copied?.includes(current) === true;
  if (isMarked && stage?.round.kind !== 'final') return 'copied';
  switch (dataVolume?.phase) {
    case 'Succeeded':
      return 'done';
    case 'Failed':
    case 'Unknown':
      return 'failed';
    case 'ImportInProgress':
      return 'copying';
    case 'Paused':
      return stage === undefined || isMarked ? 'copying' : 'waiting';
    default:
      return 'waiting';
  }
}

/** Undefined while CDI says N/A and nothing was known before. */
function percentOf(
  volume: VolumeFact,
  state: DiskStatus['state'],
  before: DiskStatus | undefined,
  stale: number | undefined,
): number | undefined {
  if (state === 'done' || state === 'copied') return 100;
  const percent = volume.dataVolume?.percent;
  const isStale = before?.percent === undefined && percent === stale;
  if (percent === undefined || isStale) return before?.percent;
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
