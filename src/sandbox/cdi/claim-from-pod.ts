import type { ContainerStatus, Pod } from '../../api/external/core.ts';
import { cdiImportPodAnnotation } from '../../api/labels.ts';
import type { Annotations } from './annotations.ts';
import {
  checkpointPodAnnotation,
  currentCheckpointAnnotation,
  podPhaseAnnotation,
  podRestartsAnnotation,
  podSchedulableAnnotation,
  preallocationAnnotation,
  runningAnnotation,
  vddkHostAnnotation,
  vddkVersionAnnotation,
} from './annotations.ts';

/** What an importer that ended well leaves as its termination message, as JSON (fact: cdi 3.3). */
export interface TerminationMessage {
  readonly scratchSpaceRequired?: boolean;
  readonly preallocationApplied?: boolean;
  readonly vddkInfo?: { readonly Version?: string; readonly Host?: string };
  readonly message?: string;
}

const tooSmall = [
  'is larger than the reported available',
  'no space left on device',
  'file largest block is bigger than maxblock',
  'disk quota exceeded',
];

/** One fixed sentence whenever the disk does not fit (fact: cdi 1.3). */
export function simplifyMessage(message: string): string {
  return tooSmall.some((part) => message.includes(part)) ? 'DataVolume too small to contain image' : message;
}

/** The claim's annotations after CDI has looked at its importer pod (fact: cdi 1.4, 2.1, 3.3). Pure; what it does not concern stays. */
export function annotationsFromPod(before: Annotations, pod: Pod): Annotations {
  const status = pod.status?.containerStatuses?.[0];
  return {
    ...before,
    ...(status === undefined ? {} : runningCondition(before, status)),
    ...((before[currentCheckpointAnnotation] ?? '') !== '' && {
      [checkpointPodAnnotation]: pod.metadata.uid ?? '',
    }),
    [cdiImportPodAnnotation]: pod.metadata.name,
    [podPhaseAnnotation]: pod.status?.phase ?? 'Pending',
    [podSchedulableAnnotation]: String(!isUnschedulable(pod)),
  };
}

/** Fact: cdi 1.3 (restartCount is never lowered; the reasons of Running), cdi 3.3 (JSON is read for exit code 0 alone). */
function runningCondition(before: Annotations, status: ContainerStatus): Annotations {
  const restarts = Math.max(Number(before[podRestartsAnnotation] ?? 0), status.restartCount);
  const counted = { [podRestartsAnnotation]: String(restarts) };
  const condition = (running: boolean, message: string, reason: string): Annotations => ({
    ...counted,
    [runningAnnotation]: String(running),
    [`${runningAnnotation}.message`]: message,
    [`${runningAnnotation}.reason`]: reason,
  });
  const { running, waiting, terminated } = status.state ?? {};
  if (running !== undefined) return condition(true, '', 'Pod is running');
  // While the kubelet holds a container back, the words of its end stay.
  if (waiting !== undefined && waiting.reason !== 'CrashLoopBackOff') {
    return condition(false, simplifyMessage(waiting.message ?? ''), waiting.reason ?? '');
  }
  if (terminated === undefined) return { ...counted, [runningAnnotation]: 'false' };
  const { exitCode, message = '', reason = '' } = terminated;
  const left = exitCode === 0 ? parseTermination(message) : undefined;
  if (left === undefined) return condition(false, simplifyMessage(message), reason);
  return {
    ...condition(false, left.message ?? before[`${runningAnnotation}.message`] ?? '', reason),
    ...(left.vddkInfo?.Host !== undefined && { [vddkHostAnnotation]: left.vddkInfo.Host }),
    ...(left.vddkInfo?.Version !== undefined && { [vddkVersionAnnotation]: left.vddkInfo.Version }),
    ...(left.preallocationApplied === true && { [preallocationAnnotation]: 'true' }),
  };
}

function parseTermination(text: string): TerminationMessage | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isUnschedulable(pod: Pod): boolean {
  return (
    pod.status?.phase === 'Pending' &&
    (pod.status.conditions ?? []).some(
      ({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable',
    )
  );
}
