import type { ContainerState, Pod } from '../../api/external/core.ts';
import { rfc3339 } from '../../runtime/clock.ts';

const unschedulable = '0/1 nodes are available: 1 Insufficient devices.kubevirt.io/kvm.';

/** It runs no more, and never will. */
export function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Of a pod that has a node, whose container is in this state. */
export function status(
  pod: Pod,
  phase: NonNullable<NonNullable<Pod['status']>['phase']>,
  state: ContainerState,
  isReady: boolean,
  nowMs: number,
): Pod['status'] {
  const [container] = pod.spec.containers;
  const image = container?.image ?? '';
  const at = rfc3339(nowMs);
  return {
    phase,
    startTime: pod.status?.startTime ?? at,
    conditions: [
      { type: 'PodScheduled', status: 'True', lastTransitionTime: at },
      { type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: at },
    ],
    containerStatuses: [
      { name: container?.name ?? '', ready: isReady, restartCount: 0, image, imageID: '', state },
    ],
  };
}

/** As the scheduler says it. */
export function pending(nowMs: number): Pod['status'] {
  const scheduled = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message: unschedulable,
  };
  return { phase: 'Pending', conditions: [{ ...scheduled, lastTransitionTime: rfc3339(nowMs) }] };
}

/** By a node that is short of something, before its container was made: there is no status of a container (inferred). */
export function thrownOut(nowMs: number): Pod['status'] {
  return {
    phase: 'Failed',
    reason: 'Evicted',
    message: 'The node was low on resource: ephemeral-storage.',
    startTime: rfc3339(nowMs),
    conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: rfc3339(nowMs) }],
  };
}

/** Of a container that never ran nothing is told but that it waited. */
export function killed(pod: Pod, nowMs: number): Pod['status'] {
  const startedAt = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt;
  const waiting: ContainerState = { waiting: { reason: 'ContainerCreating' } };
  const terminated: ContainerState = {
    terminated: {
      exitCode: 137,
      reason: 'Error',
      ...(startedAt !== undefined && { startedAt }),
      finishedAt: rfc3339(nowMs),
    },
  };
  return status(pod, 'Failed', startedAt === undefined ? waiting : terminated, false, nowMs);
}
