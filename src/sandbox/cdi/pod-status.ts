import type { ContainerState, ContainerStatus, Pod, StandardCondition } from '../../api/external/core.ts';
import { rfc3339 } from '../../runtime/clock.ts';

/** What of a container outlives its restarts. */
export interface ContainerHistory {
  readonly restartCount: number;
  readonly lastState?: ContainerState;
}

type PodStatus = Pod['status'];

const firstBackoffMs = 10_000;
const longestBackoffMs = 300_000;

/**
 * Milliseconds until a crashed container runs again: the first crash finds no back-off, then 10 s, 20 s, 40 s up to 5 min. Fact: the
 * kubelet's doBackOff, Kubernetes 1.36, as the testbed's pod runner has it.
 */
export function backoffMs(restartCount: number): number {
  if (restartCount === 0) return 0;
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(restartCount - 1, 10));
}

/** Scheduled, its container not yet made. */
export function creating(
  pod: Pod,
  history: ContainerHistory,
  missing: { readonly reason: string; readonly message?: string },
  nowMs: number,
): PodStatus {
  const { reason, message } = missing;
  const waiting = { waiting: { reason, ...(message !== undefined && { message }) } };
  return {
    phase: 'Pending',
    startTime: pod.status?.startTime ?? rfc3339(nowMs),
    conditions: conditions(pod, nowMs, false),
    containerStatuses: [container(pod, history, waiting, false)],
  };
}

export function running(pod: Pod, history: ContainerHistory, nowMs: number): PodStatus {
  return {
    phase: 'Running',
    startTime: pod.status?.startTime ?? rfc3339(nowMs),
    conditions: conditions(pod, nowMs, true),
    containerStatuses: [container(pod, history, { running: { startedAt: rfc3339(nowMs) } }, true)],
  };
}

/** After a non-zero exit the phase stays Running: restartPolicy is OnFailure (fact: cdi 0.5, 3.1). */
export function ended(
  pod: Pod,
  history: ContainerHistory,
  startedMs: number,
  exit: { readonly exitCode: number; readonly message: string },
  nowMs: number,
): PodStatus {
  const isDone = exit.exitCode === 0;
  const terminated = {
    exitCode: exit.exitCode,
    reason: isDone ? 'Completed' : 'Error',
    message: exit.message,
    startedAt: rfc3339(startedMs),
    finishedAt: rfc3339(nowMs),
  };
  return {
    phase: isDone ? 'Succeeded' : 'Running',
    conditions: conditions(pod, nowMs, false),
    containerStatuses: [container(pod, history, { terminated }, false)],
  };
}

export function crashLooping(pod: Pod, history: ContainerHistory, waitMs: number): PodStatus {
  const { namespace = '', name, uid = '' } = pod.metadata;
  const which = `${pod.spec.containers[0]?.name ?? ''} pod=${name}_${namespace}(${uid})`;
  const message = `back-off ${waitMs / 1000}s restarting failed container=${which}`;
  const waiting = { reason: 'CrashLoopBackOff', message };
  return { phase: 'Running', containerStatuses: [container(pod, history, { waiting }, false)] };
}

/** The node's farewell: the pod failed as a whole, and stays so (fact: cdi 3.3). Inferred: reason and exit code. */
export function evicted(
  pod: Pod,
  history: ContainerHistory,
  startedMs: number,
  message: string,
  nowMs: number,
): PodStatus {
  const terminated = {
    exitCode: 137,
    reason: 'Error',
    startedAt: rfc3339(startedMs),
    finishedAt: rfc3339(nowMs),
  };
  return {
    phase: 'Failed',
    reason: 'Evicted',
    message,
    conditions: conditions(pod, nowMs, false),
    containerStatuses: [container(pod, history, { terminated }, false)],
  };
}

const cutOff =
  'Unable to process data: Unable to transfer source data to target file: Unable to copy block at offset 0: ' +
  'nbd_pread: transport endpoint is not connected';

/**
 * An importer stops copying at its SIGTERM, says so, and mostly does not end before its SIGKILL (fact: CDI 1.65, where two threads then wait
 * for one message: pkg/importer/vddk-datasource_amd64.go, Stop and watchNbdLog).
 */
export function killed(pod: Pod, nowMs: number): PodStatus {
  const before = pod.status?.containerStatuses?.[0];
  const startedAt = before?.state?.running?.startedAt;
  const terminated = {
    exitCode: 137,
    reason: 'Error',
    message: cutOff,
    ...(startedAt !== undefined && { startedAt }),
    finishedAt: rfc3339(nowMs),
  };
  const history = { restartCount: before?.restartCount ?? 0 };
  return {
    phase: 'Failed',
    conditions: conditions(pod, nowMs, false),
    containerStatuses: [container(pod, history, { terminated }, false)],
  };
}

function container(
  pod: Pod,
  { restartCount, lastState }: ContainerHistory,
  state: ContainerState,
  ready: boolean,
): ContainerStatus {
  const [first] = pod.spec.containers;
  const image = first?.image ?? '';
  return {
    name: first?.name ?? '',
    ready,
    restartCount,
    image,
    imageID: ready || lastState !== undefined ? image : '',
    state,
    ...(lastState !== undefined && { lastState }),
  };
}

function conditions(pod: Pod, nowMs: number, isReady: boolean): readonly StandardCondition[] {
  const wanted = { PodScheduled: 'True', Ready: isReady ? 'True' : 'False' };
  return Object.entries(wanted).map(([type, status]) => {
    const before = pod.status?.conditions?.find((condition) => condition.type === type);
    return before?.status === status ? before : { type, status, lastTransitionTime: rfc3339(nowMs) };
  });
}
