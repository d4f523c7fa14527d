import type { DataVolume, DataVolumePhase, DataVolumeStatus } from '../../api/external/cdi.ts';
import type { PersistentVolumeClaim } from '../../api/external/core.ts';
import { cdiImportPodAnnotation } from '../../api/labels.ts';
import { rfc3339 } from '../../runtime/clock.ts';
import type { Annotations } from './annotations.ts';
import {
  boundAnnotation,
  podPhaseAnnotation,
  podRestartsAnnotation,
  podSchedulableAnnotation,
  prePopulatedAnnotation,
  runningAnnotation,
} from './annotations.ts';
import { isStaged } from './checkpoints.ts';

type Condition = NonNullable<DataVolumeStatus['conditions']>[number];

export interface DataVolumeView {
  readonly dataVolume: DataVolume;
  readonly claim: PersistentVolumeClaim | undefined;
  /** The claim's class binds when a consumer comes. */
  readonly waitsForConsumer: boolean;
  /** Percent that the importer tells while its pod runs. */
  readonly percent?: number | undefined;
  /** What kept CDI from making the claim: it becomes reason and message of Bound and Ready. */
  readonly refusal?: { readonly phase: DataVolumePhase; readonly reason: string; readonly message: string };
  readonly nowMs: number;
}

/** An event on the DataVolume, written when the phase changes with it (fact: cdi 1.3). */
export interface PhaseEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** The status as CDI would write it next. Pure. Fact: cdi 1.3, 2.1, 2.4, 3.3, legacy path only (review.md F36). */
export function nextStatus(view: DataVolumeView): {
  readonly status: DataVolumeStatus;
  readonly event?: PhaseEvent;
} {
  const { dataVolume, claim, refusal } = view;
  const before = dataVolume.status ?? {};
  if (refusal !== undefined) {
    const { phase, reason, message } = refusal;
    const conditions = nextConditions(before, phase, undefined, { reason, message }, view.nowMs);
    return { status: { ...before, phase, conditions }, event: { type: 'Warning', reason, message } };
  }
  const isLeft = claim === undefined || claim.metadata.deletionTimestamp !== undefined;
  const { phase, event }: NextPhase = isLeft
    ? { phase: phaseWithoutClaim(dataVolume) }
    : phaseWithClaim(view, claim);
  const conditions = nextConditions(before, phase, claim, { reason: '', message: '' }, view.nowMs);
  const status: DataVolumeStatus = {
    ...before,
    phase,
    conditions,
    ...(isLeft ? {} : fromClaim(view, claim, phase)),
  };
  return { status, ...(event !== undefined && { event }) };
}

function phaseWithoutClaim(dataVolume: DataVolume): DataVolumePhase {
  const phase = dataVolume.status?.phase ?? '';
  const isPrePopulated = dataVolume.metadata.annotations?.[prePopulatedAnnotation] !== undefined;
  return phase === '' || isPrePopulated ? 'Pending' : phase;
}

function fromClaim(
  view: DataVolumeView,
  claim: PersistentVolumeClaim,
  phase: DataVolumePhase,
): Partial<DataVolumeStatus> {
  const before = view.dataVolume.status ?? {};
  const counted = Number(claim.metadata.annotations?.[podRestartsAnnotation] ?? 0);
  const restarts = Math.max(before.restartCount ?? 0, counted);
  // 0 tells nothing: a metric that was never raised is not reported, N/A stays (inferred).
  const isTold = view.percent !== undefined && view.percent > 0;
  const running = isTold ? `${(view.percent ?? 0).toFixed(2)}%` : (before.progress ?? 'N/A');
  return {
    claimName: claim.metadata.name,
    // A count of 0 is not written (seen in CDI 1.65).
    ...(restarts > 0 && { restartCount: restarts }),
    progress: phase === 'Succeeded' ? '100.0%' : running,
  };
}

type NextPhase = { readonly phase: DataVolumePhase; readonly event?: PhaseEvent };

function phaseWithClaim(view: DataVolumeView, claim: PersistentVolumeClaim): NextPhase {
  const before = view.dataVolume.status?.phase ?? '';
  const podPhase = claim.metadata.annotations?.[podPhaseAnnotation];
  if (podPhase === 'Succeeded') return phaseFromPod(claim, before, podPhase);
  switch (claim.status?.phase ?? 'Pending') {
    case 'Pending':
      // Shown with and without the request to bind at once (fact: cdi 2.4).
      return { phase: view.waitsForConsumer ? 'WaitForFirstConsumer' : 'Pending' };
    case 'Lost': {
      const message = `PVC ${claim.metadata.name} lost`;
      return { phase: 'Failed', event: { type: 'Warning', reason: 'ErrClaimLost', message } };
    }
    case 'Bound': {
      const wasWaiting = before === 'Pending' || before === 'WaitForFirstConsumer' || before === 'Unknown';
      const bound = wasWaiting ? 'PVCBound' : before;
      const hasPod = claim.metadata.annotations?.[cdiImportPodAnnotation] !== undefined;
      return hasPod ? phaseFromPod(claim, bound, podPhase) : { phase: bound };
    }
  }
}

/** Pod phase Failed leaves ImportScheduled behind, and nothing replaces the pod (fact: cdi 3.3). */
function phaseFromPod(
  claim: PersistentVolumeClaim,
  before: DataVolumePhase,
  podPhase: string | undefined,
): NextPhase {
  const { name } = claim.metadata;
  const normal = (reason: string, message: string): PhaseEvent => ({ type: 'Normal', reason, message });
  switch (podPhase) {
    case 'Pending':
      return {
        phase: 'ImportScheduled',
        event: normal('ImportScheduled', `Import into ${name} scheduled`),
      };
    case 'Running':
      return {
        phase: 'ImportInProgress',
        event: normal('ImportInProgress', `Import into ${name} in progress`),
      };
    case 'Failed': {
      const message = `Failed to import into PVC ${name}`;
      return { phase: 'ImportScheduled', event: { type: 'Warning', reason: 'ImportFailed', message } };
    }
    case 'Succeeded':
      // Between any two stages, and once more before the end (fact: cdi 0.1, 2.1).
      if (isStaged(claim.metadata.annotations ?? {})) {
        const message = `Multistage import into PVC ${name} is paused`;
        return { phase: 'Paused', event: normal('ImportPaused', message) };
      }
      return {
        phase: 'Succeeded',
        event: normal('ImportSucceeded', `Successfully imported into PVC ${name}`),
      };
    default:
      // Wanted, not yet there; a DataVolume that is done stays done.
      return { phase: before === 'Succeeded' ? before : 'ImportScheduled' };
  }
}

/** Bound, Ready and Running, in this order of making (fact: cdi 1.3). */
function nextConditions(
  before: DataVolumeStatus,
  phase: DataVolumePhase,
  claim: PersistentVolumeClaim | undefined,
  why: { readonly reason: string; readonly message: string },
  nowMs: number,
): readonly Condition[] {
  const annotations = claim?.metadata.annotations ?? {};
  const ready = phase === 'Succeeded' ? 'True' : phase === 'Unknown' ? 'Unknown' : 'False';
  const running = runningCondition(annotations);
  const isTransferring = running.status === 'True';
  const wanted: readonly Omit<Condition, 'lastTransitionTime' | 'lastHeartbeatTime'>[] = [
    { type: 'Bound', ...boundCondition(claim, why) },
    {
      type: 'Ready',
      status: isTransferring ? 'False' : ready,
      reason: isTransferring ? 'TransferRunning' : why.reason,
      message: isTransferring ? '' : why.message,
    },
    { type: 'Running', ...running },
  ];
  const now = rfc3339(nowMs);
  return wanted.map((condition) => {
    const old = before.conditions?.find(({ type }) => type === condition.type);
    if (old === undefined || old.status !== condition.status) {
      return { ...condition, lastTransitionTime: now, lastHeartbeatTime: now };
    }
    const isSame = old.reason === condition.reason && old.message === condition.message;
    return isSame ? old : { ...old, ...condition, lastHeartbeatTime: now };
  });
}

interface Finding {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** May be False for a moment on a bound claim, while its annotation still tells of the wait (fact: cdi 1.3, flicker). */
function boundCondition(
  claim: PersistentVolumeClaim | undefined,
  why: { readonly reason: string; readonly message: string },
): Finding {
  if (claim === undefined) {
    return { status: 'False', reason: why.reason || 'NotFound', message: why.message || 'No PVC found' };
  }
  const { annotations = {}, name } = claim.metadata;
  const isHeldBack = annotations[boundAnnotation] !== undefined && annotations[boundAnnotation] !== 'true';
  const message = annotations[`${boundAnnotation}.message`] ?? '';
  const reason = annotations[`${boundAnnotation}.reason`] ?? '';
  switch (claim.status?.phase ?? 'Pending') {
    case 'Bound':
      return isHeldBack
        ? { status: 'False', reason, message }
        : { status: 'True', reason: 'Bound', message: `PVC ${name} Bound` };
    case 'Pending':
      return isHeldBack
        ? { status: 'False', reason, message: `target PVC ${name} Pending and ${message}` }
        : { status: 'False', reason: 'Pending', message: `PVC ${name} Pending` };
    case 'Lost':
      return { status: 'False', reason: 'ClaimLost', message: 'Claim Lost' };
  }
}

function runningCondition(annotations: Annotations): Finding {
  if (annotations[podSchedulableAnnotation] === 'false') {
    return { status: 'False', reason: 'Unschedulable', message: 'Importer pod cannot be scheduled' };
  }
  return {
    status: annotations[runningAnnotation] === 'true' ? 'True' : 'False',
    reason: annotations[`${runningAnnotation}.reason`] ?? '',
    message: annotations[`${runningAnnotation}.message`] ?? '',
  };
}
