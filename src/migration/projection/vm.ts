import type { Condition } from '../../api/conditions.ts';
import { outcomes, type Outcome } from '../../api/phases.ts';
import type { PlanVm } from '../../api/plan-vm.ts';
import type {
  Records,
  VirtualMachineImport,
  VirtualMachineImportStatus,
} from '../../api/virtual-machine-import.ts';
import type { VmStatus, WarmStatus } from '../../api/vm-status.ts';
import { countRestarts } from '../importer-restarts.ts';
import { isWarm } from '../rounds.ts';
import { vmwareGuestId } from './guest-id.ts';
import { freshPipeline, projectPipeline, shownPhase, stepError } from './pipeline.ts';

/**
 * What Forklift's clients read of one VM, from its import (design: import.md 3.4). Pure and total: nothing is shown that is not in the
 * import, and nothing is counted here.
 */
export function projectVm(object: VirtualMachineImport, planVm: PlanVm): VmStatus {
  const { spec, status } = object;
  const records = status?.records ?? {};
  const conditions = projectConditions(status);
  const error = projectError(status);
  return {
    ...asFrozen(planVm),
    id: spec.vm.id,
    name: spec.vm.name,
    phase: phaseOf(status),
    pipeline: projectPipeline(object),
    ...(status?.started !== undefined && { started: status.started }),
    ...(status?.completed !== undefined && { completed: status.completed }),
    ...(error !== undefined && { error }),
    ...(isWarm(spec) && { warm: warmStatus(status) }),
    ...(records.power !== undefined && { restorePowerState: restorePowerState(records.power.before) }),
    ...conversionFound(records),
    ...(records.targetName !== undefined &&
      records.targetName !== spec.vm.name && { newName: records.targetName }),
    ...(areDisksTrue(status) && { disksCopied: true }),
    ...(conditions.length > 0 && { conditions }),
  };
}

/** Under Forklift's names; a system that the inspector did not recognise is none. */
function conversionFound({
  conversion,
}: Records): Pick<VmStatus, 'firmware' | 'operatingSystem' | 'detectedBootDisk'> {
  if (conversion?.answeredAt === undefined) return {};
  const { firmware, bootDisk } = conversion;
  const operatingSystem = vmwareGuestId(conversion);
  return {
    ...(firmware !== undefined && { firmware }),
    ...(operatingSystem !== undefined && { operatingSystem }),
    ...(bootDisk !== undefined && { detectedBootDisk: bootDisk }),
  };
}

/**
 * Rounds as Forklift's clients know them. `successes` are rounds copied, `failures` restarts of importers that counted (fact: plan 3); the
 * last rounds are listed, the others counted.
 */
function warmStatus(status: VirtualMachineImportStatus | undefined): WarmStatus {
  const { rounds = [], roundsTotal = 0, nextRoundAt } = status?.records ?? {};
  const open = rounds.filter(({ copiedAt }) => copiedAt === undefined).length;
  return {
    successes: roundsTotal - open,
    failures: (status?.disks ?? []).reduce((sum, disk) => sum + countRestarts(disk, undefined).total, 0),
    consecutiveFailures: 0,
    ...(nextRoundAt !== undefined && { nextPrecopyAt: nextRoundAt }),
    precopies: rounds.map(({ startedAt, copiedAt, snapshotId }) => ({
      start: startedAt,
      ...(copiedAt !== undefined && { end: copiedAt }),
      ...(snapshotId !== undefined && { snapshot: snapshotId }),
    })),
  };
}

/** A VM whose turn has not come: no import of this run speaks of it yet. */
export function freshVm(planVm: PlanVm, way = { isWarm: false, converts: false }): VmStatus {
  return { ...asFrozen(planVm), phase: 'Started', pipeline: freshPipeline(way) };
}

/** A VM that ends without an import: it could not be frozen, or was cancelled before. `now` is RFC 3339. */
export function endedVm(
  entry: VmStatus,
  outcome: Exclude<Outcome, 'Succeeded'>,
  why: { readonly reason?: string; readonly message: string },
  now: string,
): VmStatus {
  const condition: Condition = {
    type: outcome,
    status: 'True',
    category: 'Advisory',
    durable: true,
    ...(why.reason !== undefined && { reason: why.reason }),
    message: why.message,
    lastTransitionTime: now,
  };
  return {
    ...entry,
    phase: 'Completed',
    started: entry.started ?? now,
    completed: now,
    ...(outcome === 'Failed' && { error: stepError('Started', [why.message]) }),
    conditions: [condition],
  };
}

/** Never computed again: the object that it came from may be gone (review.md F12). */
export function isSealed(entry: VmStatus): boolean {
  return entry.completed !== undefined;
}

export function hasSucceeded(entry: VmStatus): boolean {
  return isSealed(entry) && hasCondition(entry, 'Succeeded');
}

export function hasCondition({ conditions }: VmStatus, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
}

/** The plan's entry without what is empty: an entry of 500 costs what it says (review.md F48). */
function asFrozen(planVm: PlanVm): PlanVm {
  const { hooks, luks, ...rest } = planVm;
  return {
    ...rest,
    ...(hooks !== undefined && hooks.length > 0 && { hooks }),
    ...(luks !== undefined && Object.keys(luks).length > 0 && { luks }),
  };
}

function phaseOf(status: VirtualMachineImportStatus | undefined): string {
  if (status?.completed !== undefined) return 'Completed';
  if (status?.started === undefined) return 'Started';
  return shownPhase(status.phase ?? 'Started');
}

function projectError(status: VirtualMachineImportStatus | undefined): VmStatus['error'] {
  if (status?.error === undefined) return undefined;
  const { phase, message, hint, firstError } = status.error;
  const reasons = [firstError, message, hint].filter((text) => text !== undefined);
  return stepError(phase, reasons);
}

function restorePowerState(before: NonNullable<Records['power']>['before']): string {
  return before === 'On' || before === 'Off' ? before : 'Unknown';
}

/** Complete, and the source has not run since: only then something may be built from them (review.md F18). */
function areDisksTrue(status: VirtualMachineImportStatus | undefined): boolean {
  const { copyCompleteAt, power } = status?.records ?? {};
  if (copyCompleteAt === undefined || power?.restoredAt !== undefined) return false;
  return (status?.disks ?? []).every((disk) => disk.dirty !== true);
}

/** No Critical condition may show while a plan executes: its console would say "cannot start" (review.md F59). */
function projectConditions(status: VirtualMachineImportStatus | undefined): readonly Condition[] {
  const reason = status?.records?.ending?.reason;
  return (status?.conditions ?? []).map((condition) => {
    const isEnd = (outcomes as readonly string[]).includes(condition.type);
    const withReason =
      isEnd && reason !== undefined && condition.reason === undefined ? { ...condition, reason } : condition;
    const isHard = condition.category === 'Critical' || condition.category === 'Error';
    return isHard ? { ...withReason, category: 'Warn' } : withReason;
  });
}
