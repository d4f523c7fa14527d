import type { ConditionDraft } from '../../api/conditions.ts';
import type { DiskStatus, Round } from '../../api/virtual-machine-import.ts';
import { readDisk, type DiskReading } from '../disks.ts';
import { terminal } from '../failures.ts';
import type { Facts, SourceAccess, VolumeFact } from '../facts.ts';
import { phase, type Context, type Decision, type EventNote, type Fail } from '../phase.ts';
import { renewalPhase } from '../recopy.ts';
import { roundUnderWay, withRound } from '../rounds.ts';
import { amountOf } from '../sizes.ts';
import { keepAccess } from '../importer-access.ts';
import { copySlot } from '../slot-requests.ts';
import { isRoundOwed } from '../stale-disks.ts';
import { earliest, rfc3339 } from '../time.ts';
import { endWithout, withoutSnapshot } from './rounds/lost-snapshot.ts';

/** CDI copies; this watches, counts the importers' failures, and says how far it is. Warm: one round. */
export const copyDisks = phase({
  name: 'CopyDisks',
  step: 'DiskTransfer',
  needs: ['volumes', 'sourceAccess', 'snapshotLost'],
  decide: (facts, context) => watchCopies(facts, context),
});

/** The final round, while the source is out of service. */
export const finalize = phase({
  name: 'Finalize',
  step: 'Cutover',
  needs: ['volumes', 'sourceAccess', 'snapshotLost'],
  decide: (facts, context) => watchCopies(facts, context),
});

function watchCopies(
  { volumes, sourceAccess, snapshotLost }: Facts<'volumes' | 'sourceAccess' | 'snapshotLost'>,
  context: Context,
): Decision {
  const isAway = sourceAccess.state === 'shut';
  const round = roundUnderWay(context);
  if (round !== undefined && isRoundOwed(context)) return endWithout(round, context);
  const readings = readDisks(volumes, isAway, round, context);
  const disks = readings.map(({ status }) => status);
  const early = endedEarly(disks, round);
  if (early !== undefined) return { ...early, disks };
  if (disks.every(({ state }) => state === 'done' || state === 'copied'))
    return complete(disks, round, context);
  // Before anything is judged: what an importer could not do without access is not its failure.
  const access = keepAccess(sourceAccess, volumes, context);
  if (access !== undefined) return access;
  if (round !== undefined && snapshotLost) return withoutSnapshot(round, disks, context);
  const failure = readings.find((reading) => reading.failure !== undefined)?.failure;
  if (failure !== undefined) return { ...failure, disks };
  const actions = readings.flatMap(({ action }) => (action === undefined ? [] : [action]));
  if (actions.length > 0) return { kind: 'act', disks, actions, events: renewalEvents(readings) };
  // There all is looked at live, what is on its way out is waited for, and nothing is made over a claim that exists.
  if (readings.some(({ renewal }) => renewal === 'due'))
    return { kind: 'advance', to: renewalPhase(round), disks };
  return isAway ? waitForSource(sourceAccess, disks) : waitForBytes(readings, disks);
}

function renewalEvents(readings: readonly DiskReading[]): readonly EventNote[] {
  return readings
    .filter(({ renewal }) => renewal === 'begun')
    .map(({ cure, status: { claim } }) => ({
      type: 'Warning',
      reason: 'DiskRecopied',
      message:
        cure === 'larger'
          ? `The file system on claim ${claim} leaves too little room for the disk: it is copied anew, into a larger claim.`
          : `What an importer that failed has left on claim ${claim} stands in the way of the next one: the disk is copied anew, into a new claim.`,
    }));
}

function readDisks(
  volumes: readonly VolumeFact[],
  isSourceAway: boolean,
  round: Round | undefined,
  context: Context,
): readonly DiskReading[] {
  const previous = new Map((context.status.disks ?? []).map((disk) => [disk.key, disk]));
  return context.spec.disks
    .filter((disk) => disk.mode === 'copy')
    .map((disk) => {
      const none: VolumeFact = { diskKey: disk.key, claimName: disk.claimName };
      const volume = volumes.find(({ diskKey }) => diskKey === disk.key) ?? none;
      return readDisk(volume, disk, previous.get(disk.key), context, isSourceAway, round);
    });
}

/** A DataVolume that CDI has closed takes no further stage. */
function endedEarly(disks: readonly DiskStatus[], round: Round | undefined): Fail | undefined {
  if (round === undefined || round.kind === 'final') return undefined;
  const ended = disks.filter(({ state }) => state === 'done').map(({ claim }) => claim);
  if (ended.length === 0) return undefined;
  return terminal(
    'ForeignEdit',
    `DataVolume ${ended.join(', ')} has ended before the cutover: somebody has set its final checkpoint.`,
    'Start the plan again, and leave its DataVolumes alone.',
  );
}

function complete(disks: readonly DiskStatus[], round: Round | undefined, context: Context): Decision {
  const slot = copySlot(context.spec, context.settings);
  const now = rfc3339(context.now);
  const isLast = round === undefined || round.kind === 'final';
  return {
    kind: 'advance',
    disks,
    records: {
      ...(isLast && { copyCompleteAt: context.records.copyCompleteAt ?? now }),
      ...(round !== undefined && withRound(context, { ...round, copiedAt: now })),
    },
    ...(slot !== undefined && { free: [slot.resource] }),
  };
}

function waitForBytes(readings: readonly DiskReading[], disks: readonly DiskStatus[]): Decision {
  const done = disks.reduce((sum, disk) => sum + disk.doneBytes, 0);
  const total = disks.reduce((sum, disk) => sum + disk.totalBytes, 0);
  const complaint = done === 0 ? disks.find(({ message }) => message !== undefined)?.message : undefined;
  const said = complaint === undefined ? '' : ` (${complaint})`;
  const until = earliest(...readings.map(({ deadline }) => deadline));
  const stalled = readings.filter(({ isStalled }) => isStalled).map(({ status }) => status.claim);
  return {
    kind: 'wait',
    reason: 'DiskTransfer',
    for: `the disks to be copied: ${amountOf(done, total)} copied${said}`,
    disks,
    ...(until !== undefined && { until }),
    ...(stalled.length > 0 && { conditions: [stalledCondition(stalled)] }),
  };
}

/** What is open goes on; what fails meanwhile does not count. */
function waitForSource(
  { code, message }: Extract<SourceAccess, { state: 'shut' }>,
  disks: readonly DiskStatus[],
): Decision {
  return {
    kind: 'wait',
    reason: 'SourceUnavailable',
    for: `the source (${message})`,
    disks,
    conditions: [{ type: 'SourceUnavailable', category: 'Warn', reason: code, message }],
  };
}

function stalledCondition(claims: readonly string[]): ConditionDraft {
  return {
    type: 'Stalled',
    category: 'Warn',
    message: `No progress for a long time; see the importer pods of ${claims.join(', ')}.`,
    items: claims,
  };
}
