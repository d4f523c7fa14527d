import type { DiskStatus, Round } from '../api/virtual-machine-import.ts';
import type { Audit, DiskCheckpoint } from '../model/source-data.ts';
import type { Context } from './phase.ts';
import { roundUnderWay } from './rounds.ts';

/**
 * A disk of which no delta would do: what is on its volume is no state of the source, or nobody knows what the source has written since.
 * The next round copies it whole, and a cutover waits for that round: otherwise the whole copy would fall into the downtime.
 */
function isStale({ dirty }: DiskStatus): boolean {
  return dirty === true;
}

/** A round must be copied before any cutover. */
export function isRoundOwed({ status }: Pick<Context, 'status'>): boolean {
  return (status.disks ?? []).some(isStale);
}

/** Keys of the disks that the next round copies whole. */
export function staleKeys({ status }: Pick<Context, 'status'>): readonly string[] {
  return (status.disks ?? []).filter(isStale).map(({ key }) => key);
}

/** Claims of the disks that the next round copies whole, or the one under way does. */
export function recopiedClaims(context: Pick<Context, 'records' | 'status'>): readonly string[] {
  const disks = roundUnderWay(context)?.disks ?? {};
  return (context.status.disks ?? [])
    .filter((disk) => isStale(disk) || disks[disk.key]?.recopy === true)
    .map(({ claim }) => claim);
}

/**
 * Keys of the disks that a cutover would have to copy whole: by what the source tells before its power-off they are no longer what the
 * last round has copied. Each only so often as a disk may be copied whole; after that the cutover comes all the same.
 */
export function lostSince(
  audit: Audit,
  { records, status, settings }: Pick<Context, 'records' | 'status' | 'settings'>,
): readonly string[] {
  const last = records.rounds?.at(-1);
  return (status.disks ?? [])
    .filter(({ recopies = 0 }) => recopies < settings.diskRecopies)
    .filter(({ key }) => isAnother(last?.disks[key], audit.disks?.get(key)))
    .map(({ key }) => key);
}

/** What is not told is no difference. */
function isAnother(
  before: Round['disks'][string] | undefined,
  now: Pick<DiskCheckpoint, 'sizeBytes' | 'epoch' | 'place'> | undefined,
): boolean {
  if (before === undefined || now === undefined) return false;
  const { sizeBytes, epoch = before.epoch, place = before.place } = now;
  return sizeBytes !== before.sizeBytes || epoch !== before.epoch || place !== before.place;
}
