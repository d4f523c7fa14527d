import type { DiskStatus } from '../api/virtual-machine-import.ts';
import { clusterDeadline } from './deadline.ts';
import { terminal } from './failures.ts';
import type { VolumeFact } from './facts.ts';
import { haveFailedAnew } from './importer-restarts.ts';
import { slotPriorities, type Action, type Context, type Decision, type Fail } from './phase.ts';
import { copiedAnew } from './recopy.ts';
import { isWarm } from './rounds.ts';
import { copySlot, hostTurn, missingSlots } from './slot-requests.ts';

/** A pod cache may be behind the DataVolume that tells of its success; an importer that fails over a done disk has been told apart by then. */
const failingSeconds = 30;

type Writer = VolumeFact & { readonly pod: NonNullable<VolumeFact['pod']> };

/**
 * Whoever uses the claims next waits until the last importer has let go of them: it ended well, or it is not there. undefined: so it is.
 *
 * One that runs on or fails although its disk was done is another one. CDI starts it when it sees the end of the first one's pod before the
 * mark of its success on the claim, as after a failover of the API server (seen in CDI 1.65), and it writes the disk from the beginning. Does
 * it end well, the disk is whole again. Else nobody knows what is on it: it is copied anew where that is still possible.
 */
export function importersEnding(volumes: readonly VolumeFact[], context: Context): Decision | undefined {
  const overConverted = importedOverConverted(volumes, context);
  if (overConverted !== undefined) return overConverted;
  const writers = writersOf(volumes);
  if (writers.length === 0) return undefined;
  const { settings } = context;
  const isFailing = writers.some(({ pod }) => pod.phase === 'Failed') || haveFailedAnew(writers, context);
  const until = clusterDeadline(context, isFailing ? failingSeconds : settings.releaseSeconds);
  if (context.now < until) {
    const names = writers.map(({ pod }) => pod.name).join(', ');
    return { kind: 'wait', reason: 'ImporterEnd', for: `the last importer to end (${names})`, until };
  }
  return overwritten(writers, context);
}

/** Volumes that an importer may be writing to. */
export function writersOf(volumes: readonly VolumeFact[]): readonly Writer[] {
  return imported(volumes).filter(({ pod }) => pod.phase !== 'Succeeded');
}

function imported(volumes: readonly VolumeFact[]): readonly Writer[] {
  return volumes.filter((volume): volume is Writer => volume.pod !== undefined);
}

/**
 * An importer that came after the converter, even one that has ended well: it has put the source's disk where the converted one was. That
 * disk cannot be converted again by itself, since a converter takes all disks of a VM.
 */
export function importedOverConverted(
  volumes: readonly VolumeFact[],
  { records: { conversion } }: Pick<Context, 'records'>,
): Fail | undefined {
  const { importerPods, completedAt } = conversion ?? {};
  if (importerPods === undefined || completedAt === undefined) return undefined;
  const later = imported(volumes).filter(({ pod }) => !importerPods.includes(pod.uid));
  if (later.length === 0) return undefined;
  return overwrittenFailure(
    later,
    ' after the guest was converted: what is on it now is not what the converter has made.',
  );
}

export function deleteImporter({ pod }: VolumeFact): readonly Action[] {
  return pod === undefined ? [] : [{ do: 'deletePod', name: pod.name, uid: pod.uid }];
}

export function diskOverwritten(writers: readonly Writer[]): Fail {
  const said = writers.find(({ pod }) => pod.terminationMessage !== undefined)?.pod.terminationMessage;
  return overwrittenFailure(
    writers,
    `, which was done, and has not ended well: nobody knows what is on it now.${said === undefined ? '' : ` It said: ${said}`}`,
  );
}

function overwrittenFailure(writers: readonly Writer[], how: string): Fail {
  const claims = writers.map(({ claimName }) => claimName).join(', ');
  return terminal(
    'DiskOverwritten',
    `An importer was started once more over disk ${claims}${how}`,
    'See whether CDI works well, and start the plan again.',
  );
}

/** Back to the copy, for those disks alone. A cutover has no way back to its copies, and what is converted is not copied over. */
function overwritten(writers: readonly Writer[], context: Context): Decision {
  const { spec, settings, status } = context;
  const writing = new Map(writers.map((writer) => [writer.diskKey, writer]));
  const disks = status.disks ?? [];
  const isSpent = disks.some(
    ({ key, recopies = 0 }) => writing.has(key) && recopies >= settings.diskRecopies,
  );
  if (isSpent || isWarm(spec) || status.records?.conversion !== undefined) return diskOverwritten(writers);
  const slot = copySlot(spec, settings);
  const missing = slot === undefined ? [] : missingSlots([slot], context);
  if (missing.length > 0)
    return {
      kind: 'acquire',
      slots: missing,
      priority: slotPriorities.finalRetry,
      for: hostTurn,
    };
  const anew = (disk: DiskStatus): DiskStatus => {
    const writer = writing.get(disk.key);
    return writer === undefined ? disk : copiedAnew(disk, writer);
  };
  return {
    kind: 'advance',
    to: 'CopyDisks',
    disks: disks.map(anew),
    events: writers.map(({ claimName }) => ({
      type: 'Warning',
      reason: 'DiskRecopied',
      message: `An importer was started once more over claim ${claimName}, which was done: the disk is copied anew, into a new claim.`,
    })),
  };
}
