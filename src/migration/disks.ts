import type { DiskStatus, FrozenDisk } from '../api/virtual-machine-import.ts';
import { clusterDeadline } from './deadline.ts';
import { diskStatus, type Stage } from './disk-status.ts';
import { terminal } from './failures.ts';
import { foreignVolume } from './foreign-volume.ts';
import { countRestarts } from './importer-restarts.ts';
import type { VolumeFact } from './facts.ts';
import type { Action, Context, Fail } from './phase.ts';
import { asNew, cureOf, givenUp, isCopiedWhole, isGivenUp, renewalOf, type Cure } from './recopy.ts';
import { earliest } from './time.ts';

/** One disk on its way, judged. */
export interface DiskReading {
  readonly status: DiskStatus;
  readonly failure?: Fail;
  readonly action?: Action;
  /** When it would be late, milliseconds since 1970. */
  readonly deadline?: number;
  /** No byte for a long time. */
  readonly isStalled: boolean;
  /** Its volume is given up, and a new one takes its place; `due` from when the old one is on its way out. */
  readonly renewal?: 'begun' | 'due';
  readonly cure?: Exclude<Cure, 'none'>;
}

type VolumeCondition = NonNullable<VolumeFact['dataVolume']>['conditions'][number];

/** Reasons that CDI gives for a claim that it cannot fill, by how long they may stand before the disk has failed. */
const obstacles: readonly {
  readonly reason: string;
  readonly deadline: 'claimNotValidSeconds' | 'volumeBoundSeconds';
  readonly code: string;
  readonly hint: string;
}[] = [
  {
    reason: 'ErrClaimNotValid',
    deadline: 'claimNotValidSeconds',
    code: 'ClaimNotValid',
    hint: 'Give access and volume mode in the storage map, or a storage profile to the class, and start the plan again.',
  },
  {
    reason: 'AwaitingVDDK',
    deadline: 'claimNotValidSeconds',
    code: 'VddkImageMissing',
    hint: 'Set vddkInitImage in the settings of the Provider and start the plan again.',
  },
  {
    reason: 'ErrExceededQuota',
    deadline: 'volumeBoundSeconds',
    code: 'QuotaExceeded',
    hint: 'Raise the quota or make room, and start the plan again.',
  },
];

/**
 * Reads one disk in the order that decides (fact: cdi 7): done, failed for good, importer lost, importer failing too often, obstacle,
 * late. One reading of a condition is never a failure: in healthy runs they flicker (fact: cdi 1.3).
 */
export function readDisk(
  volume: VolumeFact,
  disk: FrozenDisk,
  reported: DiskStatus | undefined,
  context: Context,
  isSourceAway = false,
  round?: Stage['round'],
): DiskReading {
  const renewing = renewed(volume, reported);
  if (renewing !== undefined) return renewing;
  const previous = isGivenUp(reported) ? asNew(reported) : reported;
  const text = shownText(volume, context);
  const status = diskStatus(volume, disk, previous, {
    now: context.now,
    isExcused: isSourceAway,
    ...(text !== undefined && { text }),
    ...(round !== undefined && { stage: { round, diskKey: disk.key } }),
  });
  if (status.state === 'done' || status.state === 'copied') return { status, isStalled: false };
  const failure =
    gone(volume, previous, context) ?? foreignVolume(volume, context) ?? failedForGood(volume, status);
  if (failure !== undefined) return failed(status, failure);
  const cure = isCopiedWhole(round, disk.key) ? cureOf(volume, status, context.settings) : undefined;
  if (cure === 'none') return failed(status, tooSmall(volume));
  if (cure !== undefined)
    return { ...renewalBegun(volume, givenUp(status, volume, cure)), renewal: 'begun', cure };
  const tooOften = restartedTooOften(volume, status, context);
  if (tooOften !== undefined) return failed(status, tooOften);
  const action = replacesPod(volume, status, isSourceAway);
  if (action !== undefined) return { status, action, isStalled: false };
  return isSourceAway ? { status, isStalled: false } : onTime(volume, status, context);
}

/** A volume that was given up before, as long as it is not another one. */
function renewed(volume: VolumeFact, previous: DiskStatus | undefined): DiskReading | undefined {
  if (!isGivenUp(previous)) return undefined;
  switch (renewalOf(volume, previous)) {
    case 'there':
      return renewalBegun(volume, previous);
    case 'leaving':
      return { status: previous, isStalled: false, renewal: 'due' };
    case 'renewed':
      return undefined;
  }
}

function renewalBegun({ dataVolume, claimName: name }: VolumeFact, status: DiskStatus): DiskReading {
  if (dataVolume === undefined) return { status, isStalled: false };
  const action: Action = { do: 'deleteDataVolume', name, uid: dataVolume.uid, orphanClaim: false };
  return { status, action, isStalled: false };
}

/**
 * Nobody replaces a pod that failed as a whole until it is deleted (fact: cdi 3.3). One that waits longer and longer because the source
 * was away is replaced when it is back: a copy begins anew in either case.
 */
function replacesPod({ pod }: VolumeFact, status: DiskStatus, isSourceAway: boolean): Action | undefined {
  if (pod === undefined) return undefined;
  const waitsInVain = !isSourceAway && pod.uid === status.excusedPod && pod.waitingReason !== undefined;
  if (pod.phase !== 'Failed' && !waitsInVain) return undefined;
  return { do: 'deletePod', name: pod.name, uid: pod.uid };
}

function failed(status: DiskStatus, failure: Fail): DiskReading {
  return { status: { ...status, state: 'failed' }, failure, isStalled: false };
}

function gone(volume: VolumeFact, previous: DiskStatus | undefined, context: Context): Fail | undefined {
  const { dataVolume } = volume;
  const wasThere = previous?.dataVolumeUID !== undefined;
  const isGone = dataVolume === undefined ? wasThere : dataVolume.deleting;
  const isAnother = dataVolume !== undefined && wasThere && previous.dataVolumeUID !== dataVolume.uid;
  if (!isGone && !isAnother) return undefined;
  return terminal(
    'DataVolumeDeleted',
    `DataVolume ${context.spec.target.namespace}/${volume.claimName} was deleted by somebody while it was filled.`,
    'Start the plan again; the disk is then copied anew.',
  );
}

function failedForGood({ dataVolume, claimName, pod }: VolumeFact, status: DiskStatus): Fail | undefined {
  if (status.state !== 'failed') return undefined;
  const said = dataVolume?.conditions.find(({ type }) => type === 'Running')?.message ?? '';
  const text = said === '' ? (pod?.terminationMessage ?? '') : said;
  return terminal(
    'DiskFailed',
    `DataVolume ${claimName} is ${dataVolume?.phase ?? 'lost'}${text === '' ? '.' : `: ${text}`}`,
    'See the events of the DataVolume and its claim, and start the plan again.',
  );
}

function tooSmall({ claimName, pod }: VolumeFact): Fail {
  return terminal(
    'VolumeTooSmall',
    `Disk ${claimName} does not fit on its volume, which was made larger once already: ${pod?.terminationMessage ?? ''}`,
    'Map its datastore to a storage class whose volumes leave more room (or to block volumes), or raise the filesystemOverhead of CDI, and start the plan again.',
  );
}

function restartedTooOften(volume: VolumeFact, status: DiskStatus, { settings }: Context): Fail | undefined {
  const total = countRestarts(status, undefined).total - (status.excused ?? 0);
  if (total <= settings.importerRestarts) return undefined;
  const last = volume.pod?.terminationMessage ?? status.message;
  const first = status.firstError ?? last;
  const texts =
    first === undefined
      ? 'It left no message.'
      : last === undefined || last === first
        ? `It said: ${first}`
        : `First it said: ${first} Last it said: ${last}`;
  return terminal(
    'ImporterFailed',
    `The importer of disk ${volume.claimName} failed ${total} times. ${texts}`,
    'See the log of the importer pod, correct what it complains of, and start the plan again.',
  );
}

// ---- deadlines ------------------------------------------------------------------------------------------------------------------

function onTime(volume: VolumeFact, status: DiskStatus, context: Context): DiskReading {
  const { now, settings } = context;
  const due = obstacle(volume, context) ?? lateStart(volume, status, context);
  if (due !== undefined && now >= due.at) return failed(status, due.failure);
  const stalledAt =
    status.state === 'copying' && status.movedAt !== undefined
      ? Date.parse(status.movedAt) + settings.stalledSeconds * 1000
      : undefined;
  const isStalled = stalledAt !== undefined && now >= stalledAt;
  const deadline = earliest(due?.at ?? (isStalled ? undefined : stalledAt), complaintAt(volume, context));
  return { status, isStalled, ...(deadline !== undefined && { deadline }) };
}

interface Due {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly failure: Fail;
}

function obstacle(volume: VolumeFact, context: Context): Due | undefined {
  const { spec, settings } = context;
  for (const { reason, deadline, code, hint } of obstacles) {
    const condition = volume.dataVolume?.conditions.find((candidate) => candidate.reason === reason);
    if (condition === undefined) continue;
    const storageClass = spec.disks.find((disk) => disk.key === volume.diskKey)?.class ?? '';
    const inClass = storageClass === '' ? '' : ` in storage class ${storageClass}`;
    const message = `Disk ${volume.claimName} cannot be filled${inClass} (${reason}): ${condition.message}`;
    const at = clusterDeadline(context, settings[deadline], condition.sinceMs);
    return { at, failure: terminal(code, message, hint) };
  }
  return undefined;
}

/** Neither bound nor imported in time. What runs has no deadline: CDI never gives up, and a slow copy is no failure. */
function lateStart(volume: VolumeFact, status: DiskStatus, context: Context): Due | undefined {
  if (status.state !== 'waiting') return undefined;
  const { settings, phaseSince, records } = context;
  const why = shownText(volume, context) ?? volume.pod?.waitingReason;
  const because = why === undefined ? '.' : `: ${why}`;
  if (volume.claim?.phase !== 'Bound') {
    return {
      at: clusterDeadline(context, settings.volumeBoundSeconds),
      failure: terminal(
        'VolumeNotBound',
        `Claim ${volume.claimName} is not bound after ${minutes(settings.volumeBoundSeconds)} min${because}`,
        'See the events of the claim and the provisioner of its storage class, and start the plan again.',
      ),
    };
  }
  const accessMs = records.access === undefined ? 0 : Date.parse(records.access.since);
  const since = Math.max(phaseSince, boundSince(volume) ?? 0, volume.pod?.createdMs ?? 0, accessMs);
  return {
    at: clusterDeadline(context, settings.importerStartSeconds, since),
    failure: terminal(
      'ImporterNotStarted',
      `The importer of disk ${volume.claimName} does not run after ${minutes(settings.importerStartSeconds)} min${because}`,
      'See the events of the importer pod, and start the plan again.',
    ),
  };
}

function boundSince({ dataVolume }: VolumeFact): number | undefined {
  return dataVolume?.conditions.find(({ type, status }) => type === 'Bound' && status === 'True')?.sinceMs;
}

function minutes(seconds: number): number {
  return Math.round(seconds / 60);
}

/** What the cluster complains of, once it is old enough to be meant. */
function shownText({ dataVolume }: VolumeFact, { now, settings }: Context): string | undefined {
  const told = (dataVolume?.conditions ?? []).filter(
    (condition) => isComplaint(condition) && now - condition.sinceMs >= settings.flickerSeconds * 1000,
  );
  const condition = told[0];
  if (condition === undefined) return undefined;
  return condition.message === '' ? condition.reason : condition.message;
}

/** When a complaint that may still be a flicker is old enough to be shown; nobody else would wake the import for it. */
function complaintAt({ dataVolume }: VolumeFact, { now, settings }: Context): number | undefined {
  const ripe = (dataVolume?.conditions ?? [])
    .filter(isComplaint)
    .map((condition) => condition.sinceMs + settings.flickerSeconds * 1000)
    .filter((at) => at > now);
  return earliest(...ripe);
}

function isComplaint({ type, status, reason, message }: VolumeCondition): boolean {
  return (type === 'Bound' || type === 'Running') && status !== 'True' && (reason !== '' || message !== '');
}
