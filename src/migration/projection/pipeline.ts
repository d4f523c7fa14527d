import { bounded } from '../../api/conditions.ts';
import { shownAs, stepDescriptions, type PhaseName, type StepName } from '../../api/phases.ts';
import type { Step, StepError, Task } from '../../api/vm-status.ts';
import type {
  DiskStatus,
  StepStatus,
  VirtualMachineImport,
  VirtualMachineImportSpec,
} from '../../api/virtual-machine-import.ts';
import { itineraryFor, stepsOf, usualItinerary } from '../itineraries.ts';

const mib = 2 ** 20;
/** Reads the unit of totals that clients show; they are MiB, the word is Forklift's (forklift-api.md 1.8). */
const unit = { unit: 'MB' };
const diskSteps: ReadonlySet<string> = new Set<StepName>([
  'DiskTransfer',
  'DiskAllocation',
  'DiskTransferV2v',
]);
const mostReasons = 10;

/** The name under which Forklift's clients know a phase. */
export function shownPhase(phase: string): string {
  return shownAs[phase as PhaseName] ?? phase;
}

/** Steps of a VM that has no import yet, of which nothing is known but the way it will go. */
export function freshPipeline(way: Parameters<typeof usualItinerary>[0]): readonly Step[] {
  return stepsOf(usualItinerary(way)).map((name) => step(name, undefined, []));
}

/**
 * The pipeline of one import as clients read it: the steps of the frozen itinerary in order, times as recorded, one task a disk in steps
 * that copy (design: import.md 3.4).
 */
export function projectPipeline({ spec, status }: VirtualMachineImport): readonly Step[] {
  const itinerary = status?.records?.itinerary ?? itineraryFor(spec);
  return stepsOf(itinerary).map((name) => {
    const recorded = withEnd(
      status?.steps?.find((candidate) => candidate.name === name),
      status?.completed,
    );
    const tasks = tasksOf(name, spec, status);
    return step(name, recorded, tasks, status?.error?.phase);
  });
}

/** Once the import is over, a step that was begun goes no further. */
function withEnd(recorded: StepStatus | undefined, completed: string | undefined): StepStatus | undefined {
  if (recorded?.startedAt === undefined || completed === undefined) return recorded;
  return { ...recorded, completedAt: recorded.completedAt ?? completed };
}

function step(
  name: StepName,
  recorded: StepStatus | undefined,
  tasks: readonly Task[],
  failedIn = 'Started',
): Step {
  const isDone = recorded?.completedAt !== undefined;
  const texts = {
    ...(recorded?.error !== undefined && { error: stepError(failedIn, [recorded.error]) }),
    ...(recorded?.warning !== undefined && { warning: stepError(failedIn, [recorded.warning]) }),
  };
  return {
    name,
    description: stepDescriptions[name],
    phase: isDone ? 'Completed' : recorded?.startedAt === undefined ? 'Pending' : 'Running',
    progress: tasks.length === 0 ? { total: 1, completed: isDone ? 1 : 0 } : sumOf(tasks),
    ...(recorded?.startedAt !== undefined && { started: recorded.startedAt }),
    ...(recorded?.completedAt !== undefined && { completed: recorded.completedAt }),
    ...(tasks.length > 0 && { annotations: unit, tasks }),
    ...texts,
  };
}

export function stepError(phase: string, reasons: readonly string[]): StepError {
  const kept = [...new Set(reasons)].slice(0, mostReasons);
  return { phase: shownPhase(phase), reasons: kept.map((reason) => bounded(reason)) };
}

function sumOf(tasks: readonly Task[]): Task['progress'] {
  return {
    total: tasks.reduce((sum, { progress }) => sum + progress.total, 0),
    completed: tasks.reduce((sum, { progress }) => sum + progress.completed, 0),
  };
}

// ---- disks ----------------------------------------------------------------------------------------------------------------------

/**
 * One task a disk in steps that copy. The last round is copied in the step Cutover: there its progress is shown, while the step of the
 * rounds before stands at its end.
 */
function tasksOf(
  name: StepName,
  spec: VirtualMachineImportSpec,
  status: VirtualMachineImport['status'],
): readonly Task[] {
  const disks = status?.disks ?? [];
  const isLastRound = status?.records?.rounds?.at(-1)?.kind === 'final';
  if (name === 'Cutover') return isLastRound ? projectTasks(spec, disks) : [];
  if (!diskSteps.has(name)) return [];
  return projectTasks(
    spec,
    isLastRound ? disks.map((disk) => ({ ...disk, state: 'copied' as const })) : disks,
  );
}

function projectTasks(spec: VirtualMachineImportSpec, disks: readonly DiskStatus[]): readonly Task[] {
  const names = new Map(spec.model.disks.map(({ key, taskName }) => [key, taskName]));
  const known = new Map(disks.map((disk) => [disk.key, disk]));
  return spec.disks
    .filter(({ mode }) => mode === 'copy')
    .map((disk) => projectTask(names.get(disk.key) ?? disk.sourceId, disk.sizeBytes, known.get(disk.key)));
}

function projectTask(name: string, sizeBytes: number, disk: DiskStatus | undefined): Task {
  const total = Math.ceil(sizeBytes / mib);
  const isDone = disk?.state === 'done' || disk?.state === 'copied';
  const completed = isDone ? total : Math.round((total * (disk?.percent ?? 0)) / 100);
  const reason = isDone ? 'Transfer completed.' : disk?.message;
  return {
    name,
    phase: isDone ? 'Completed' : disk?.state === 'copying' ? 'Running' : 'Pending',
    progress: { total, completed },
    annotations: unit,
    ...(reason !== undefined && { reason: bounded(reason) }),
    ...(disk?.state === 'failed' && { error: stepError('CopyDisks', errorsOf(disk)) }),
  };
}

function errorsOf({ firstError, message }: DiskStatus): readonly string[] {
  const errors = [firstError, message].filter((text) => text !== undefined);
  return errors.length === 0 ? ['The disk could not be copied.'] : errors;
}
