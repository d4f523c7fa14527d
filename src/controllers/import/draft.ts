import { bounded, mergeConditions, type ConditionDraft } from '../../api/conditions.ts';
import type { Outcome, PhaseName, StepName } from '../../api/phases.ts';
import type {
  Attempt,
  ImportError,
  Records,
  Slot,
  StepStatus,
  VirtualMachineImportStatus,
} from '../../api/virtual-machine-import.ts';
import { applyLedger } from '../../migration/ledger.ts';
import { isIdentitySlot, isSnapshotSlot } from '../../migration/slot-requests.ts';
import type { Change } from '../../migration/phase.ts';
import { rfc3339 } from '../../runtime/clock.ts';

/** The status of an import as the runner means to write it. Pure steps from one status to the next; `now` is milliseconds since 1970. */
export type Status = VirtualMachineImportStatus;

/** Records, ledger, disks and freed slots of a decision. Its conditions and texts are report, see `reported`. */
export function changed(status: Status, change: Change, now: number): Status {
  const free = new Set(change.free ?? []);
  return {
    ...status,
    ...((change.records !== undefined || change.forget !== undefined) && {
      records: { ...without(status.records ?? {}, change.forget ?? []), ...change.records },
    }),
    ...(change.ledger !== undefined && {
      ledger: applyLedger(status.ledger ?? [], change.ledger, rfc3339(now)),
    }),
    ...(change.disks !== undefined && { disks: change.disks }),
    ...(free.size > 0 && { slots: (status.slots ?? []).filter((slot) => !free.has(slot.resource)) }),
  };
}

function without(records: Records, names: readonly (keyof Records)[]): Records {
  return Object.fromEntries(
    Object.entries(records).filter(([name]) => !(names as readonly string[]).includes(name)),
  );
}

/** Into a phase: closes the step that is left, opens the one that is entered, and forgets what was said of waiting. */
export function entered(
  status: Status,
  phase: PhaseName,
  step: StepName,
  now: number,
  warning?: string,
): Status {
  const at = rfc3339(now);
  const left = uptoStep(status.steps ?? [], step).map((entry) => {
    if (entry.name === step && entry.name !== status.step) return reopened(entry);
    if (entry.name !== status.step || (entry.name === step && warning === undefined)) return entry;
    return {
      ...entry,
      ...(entry.name !== step && entry.completedAt === undefined && { completedAt: at }),
      ...(warning !== undefined && { warning }),
    };
  });
  const isNew = !left.some((entry) => entry.name === step);
  const { message: _message, waitingFor: _waitingFor, wanting: _wanting, ...rest } = status;
  // Rounds come to a phase again and again: its clock begins anew.
  const { [phase]: _attempt, ...attempts } = status.attempts ?? {};
  return {
    ...rest,
    ...(status.attempts !== undefined && { attempts }),
    phase,
    phaseSince: at,
    step,
    steps: isNew ? [...left, { name: step, startedAt: at }] : left,
  };
}

/** Back in a step that was left before (a cutover that was given up), those after it have not been. */
function uptoStep(steps: readonly StepStatus[], step: StepName): readonly StepStatus[] {
  const at = steps.findIndex(({ name }) => name === step);
  return at < 0 ? steps : steps.slice(0, at + 1);
}

function reopened({ completedAt: _completedAt, ...entry }: StepStatus): StepStatus {
  return entry;
}

/** What operators read: the message, and the conditions that hold now. */
export function reported(
  status: Status,
  report: {
    readonly message?: string;
    readonly waitingFor?: string;
    readonly conditions: readonly ConditionDraft[];
  },
  now: number,
): Status {
  const { message: _message, waitingFor: _waitingFor, ...rest } = status;
  const conditions = mergeConditions(status.conditions ?? [], report.conditions, rfc3339(now));
  return {
    ...rest,
    ...(report.message !== undefined && { message: bounded(report.message, 256) }),
    ...(report.waitingFor !== undefined && { waitingFor: bounded(report.waitingFor, 128) }),
    conditions,
  };
}

/** The end is decided: nothing of the itinerary runs any more, what was made is taken back. */
export function ending(
  status: Status,
  outcome: Exclude<Outcome, 'Succeeded'>,
  reason: string | undefined,
  error: ImportError | undefined,
  now: number,
): Status {
  const at = rfc3339(now);
  const phase = status.phase ?? 'Started';
  return {
    ...status,
    records: {
      ...status.records,
      ending: { outcome, at, phase, ...(reason !== undefined && { reason }) },
    },
    ...(error !== undefined && { error, steps: withStepError(status, error.message) }),
  };
}

function withStepError(status: Status, message: string): readonly StepStatus[] {
  return (status.steps ?? []).map((entry) =>
    entry.name === status.step ? { ...entry, error: message } : entry,
  );
}

/** The import is over for whoever watches it; what the ledger still holds is worked on in the background. */
export function completed(status: Status, outcome: Outcome, now: number): Status {
  const at = rfc3339(now);
  const steps = (status.steps ?? []).map((entry) =>
    outcome === 'Succeeded' && entry.completedAt === undefined ? { ...entry, completedAt: at } : entry,
  );
  return { ...status, outcome, completed: status.completed ?? at, steps, slots: keptSlots(status) };
}

/** While power or a snapshot of the source is still owed, nobody else may take that VM; its lock and a merge are all that an ended import keeps. */
function keptSlots({ slots = [], ledger = [] }: Status): readonly Slot[] {
  const owed = new Set(ledger.flatMap(({ kind, doneAt }) => (doneAt === undefined ? [kind] : [])));
  const keepsSnapshot = owed.has('Snapshot');
  const keepsVm = keepsSnapshot || owed.has('SourcePower');
  return slots.filter(
    ({ resource }) => (keepsVm && isIdentitySlot(resource)) || (keepsSnapshot && isSnapshotSlot(resource)),
  );
}

export function withSlots(status: Status, granted: readonly Omit<Slot, 'grantedAt'>[], now: number): Status {
  const held = new Set((status.slots ?? []).map((slot) => slot.resource));
  const added = granted
    .filter((slot) => !held.has(slot.resource))
    .map((slot) => ({ resource: slot.resource, cost: slot.cost, grantedAt: rfc3339(now) }));
  const { wanting: _wanting, ...rest } = status;
  return { ...rest, slots: [...(status.slots ?? []), ...added] };
}

/** One more failed try of a phase. */
export function attempted(
  status: Status,
  key: string,
  lastError: string,
  nextAt: number,
  now: number,
): Status {
  const before = status.attempts?.[key];
  const attempt: Attempt = {
    count: (before?.count ?? 0) + 1,
    firstAt: before?.firstAt ?? rfc3339(now),
    nextAt: rfc3339(nextAt),
    lastError: bounded(lastError, 1024),
    ...(before?.stoppedMs !== undefined && { stoppedMs: before.stoppedMs }),
  };
  return { ...status, attempts: { ...status.attempts, [key]: attempt } };
}

/** The try went well: its count starts anew; time that the phase's clock stood still (milliseconds) is kept. */
export function recovered(status: Status, key: string, stoppedMs = 0): Status {
  const before = status.attempts?.[key];
  if (before === undefined && stoppedMs === 0) return status;
  const { [key]: _attempt, ...others } = status.attempts ?? {};
  const stopped = (before?.stoppedMs ?? 0) + Math.round(stoppedMs);
  if (stopped === 0) return { ...status, attempts: others };
  const kept: Attempt = {
    count: 0,
    firstAt: before?.firstAt ?? new Date(0).toISOString(),
    stoppedMs: stopped,
  };
  return { ...status, attempts: { ...others, [key]: kept } };
}

/** The figures of the printer columns, from those of the disks: percent of all bytes, bytes per second of what is being copied. */
export function summarised(status: Status): Status {
  const { forecast: _forecast, percent: _percent, ...rest } = status;
  const disks = status.disks ?? [];
  const total = disks.reduce((sum, disk) => sum + disk.totalBytes, 0);
  const done = disks.reduce((sum, disk) => sum + disk.doneBytes, 0);
  const rate = disks
    .filter((disk) => disk.state === 'copying')
    .reduce((sum, disk) => sum + (disk.rateBytesPerSecond ?? 0), 0);
  return {
    ...rest,
    ...(total > 0 && { percent: Math.floor((100 * done) / total) }),
    ...(rate > 0 && { forecast: { rateBytesPerSecond: Math.round(rate) } }),
  };
}
