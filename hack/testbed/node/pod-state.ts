import type { ContainerState, ContainerStatus, StandardCondition } from '../../../src/api/external/core.ts';
import { rfc3339 } from '../../../src/runtime/clock.ts';
import { hub } from '../addresses.ts';
import { goDuration } from './back-off.ts';
import type { NodeContainer, NodeContainerStatus, NodePod, NodePodStatus, Terminated } from './node-pod.ts';

/** What is known of one container of a pod. */
export interface ContainerView {
  readonly name: string;
  readonly image: string;
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
}

/** What is known of a pod that was given to this node. */
export interface PodView {
  readonly startedMs: number;
  /** Once its network is there. */
  readonly address?: string;
  readonly init: readonly ContainerView[];
  readonly main: readonly ContainerView[];
  /** The node's reason to throw the pod out; it has failed, then. */
  readonly evicted?: string;
  /** Nothing of it is started any more. */
  readonly isEnding?: boolean;
}

export type Phase = NodePodStatus['phase'];

/** All containers wait. With init containers the others wait for those (fact: Kubernetes 1.36, kubelet's default waiting states). */
export function newView(pod: NodePod, nowMs: number): PodView {
  const hasInit = (pod.spec.initContainers ?? []).length > 0;
  const waiting = (reason: string) => (container: NodeContainer) => ({
    name: container.name,
    image: container.image ?? '',
    restartCount: 0,
    state: { waiting: { reason } },
  });
  const reason = hasInit ? 'PodInitializing' : 'ContainerCreating';
  return {
    startedMs: nowMs,
    init: (pod.spec.initContainers ?? []).map(waiting('PodInitializing')),
    main: pod.spec.containers.map(waiting(reason)),
  };
}

/** Whether a container is started once more after it ended like this. */
export function startsAgain(pod: NodePod, exitCode: number, isInit: boolean): boolean {
  const { restartPolicy = 'Always' } = pod.spec;
  if (exitCode === 0) return restartPolicy === 'Always' && !isInit;
  return restartPolicy !== 'Never';
}

/**
 * The view of a pod whose programs ended unseen, together with the pod runner before this one. What ran ended with the exit code that a
 * kubelet reports after a reboot of its node; what had ended, or runs no more by the pod's restart policy, stays so; all else has been
 * restarted once more. Init containers run anew. Inferred: code and reason, as seen with containerd.
 */
export function viewAfterLoss(pod: NodePod, nowMs: number): PodView {
  const fresh = newView(pod, nowMs);
  const lost = (view: ContainerView): ContainerView => {
    const before = pod.status?.containerStatuses?.find(({ name }) => name === view.name);
    const terminated = before === undefined ? undefined : endOf(before, nowMs);
    if (before === undefined || terminated === undefined) return view;
    const { restartCount, lastState } = before;
    if (startsAgain(pod, terminated.exitCode, false)) {
      return { ...view, restartCount: restartCount + 1, lastState: { terminated } };
    }
    return { ...view, restartCount, state: { terminated }, ...(lastState && { lastState }) };
  };
  const startTime = Date.parse(pod.status?.startTime ?? '');
  return {
    ...fresh,
    ...(!Number.isNaN(startTime) && { startedMs: startTime }),
    main: fresh.main.map(lost),
  };
}

/** How the container's latest run ended, at the latest now; undefined: it never ran. */
function endOf({ state, lastState }: ContainerStatus, nowMs: number): Terminated | undefined {
  const running = state?.running;
  if (running === undefined) return state?.terminated ?? lastState?.terminated;
  return {
    exitCode: 255,
    reason: 'Unknown',
    ...(running.startedAt !== undefined && { startedAt: running.startedAt }),
    finishedAt: rfc3339(nowMs),
  };
}

/** What did not run at the end of a deleted pod is given an end, so that the pod has one (fact: Kubernetes 1.36, TerminatePod). */
export function endedView(view: PodView): PodView {
  const unknown = {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
  };
  const end = (one: ContainerView): ContainerView =>
    one.state.terminated === undefined ? { ...one, state: { terminated: unknown } } : one;
  return { ...view, main: view.main.map(end), isEnding: true };
}

/** The state of a container that waits for its restart; the very words of a kubelet (fact: Kubernetes 1.36, doBackOff). */
export function crashLoop(pod: NodePod, container: string, waitMs: number): ContainerState {
  const { namespace = '', name, uid = '' } = pod.metadata;
  const message = `back-off ${goDuration(waitMs)} restarting failed container=${container} pod=${name}_${namespace}(${uid})`;
  return { waiting: { reason: 'CrashLoopBackOff', message } };
}

/** Fact: Kubernetes 1.36, pkg/kubelet getPhase. */
export function phaseOf(pod: NodePod, view: PodView): Phase {
  if (view.evicted !== undefined) return 'Failed';
  const isOneEnded = (one: ContainerView): boolean => one.state.terminated !== undefined;
  if (view.isEnding === true && view.main.every(isOneEnded)) {
    return view.main.every(isDone) ? 'Succeeded' : 'Failed';
  }
  const policy = pod.spec.restartPolicy ?? 'Always';
  for (const { state, lastState } of view.init) {
    const end = state.terminated ?? lastState?.terminated;
    if (end !== undefined && end.exitCode !== 0 && policy === 'Never') return 'Failed';
    if (state.terminated?.exitCode !== 0) return 'Pending';
  }
  const isRunning = view.main.some(({ state }) => state.running !== undefined);
  const isWaiting = view.main.some(
    ({ state, lastState }) => state.waiting !== undefined && lastState?.terminated === undefined,
  );
  if (isWaiting) return 'Pending';
  if (isRunning || policy === 'Always') return 'Running';
  if (view.main.every(isDone)) return 'Succeeded';
  if (policy === 'Never') return 'Failed';
  return 'Running';
}

/** The whole status; conditions of other writers (readiness gates) are kept, and time stamps of conditions that stay. */
export function statusOf(pod: NodePod, view: PodView, nowMs: number): NodePodStatus {
  const phase = phaseOf(pod, view);
  const { address } = view;
  return {
    phase,
    ...(view.evicted !== undefined && { reason: 'Evicted', message: view.evicted }),
    startTime: rfc3339(view.startedMs),
    hostIP: hub,
    hostIPs: [{ ip: hub }],
    ...(address !== undefined && { podIP: address, podIPs: [{ ip: address }] }),
    conditions: conditionsOf(pod, view, phase, nowMs),
    ...(view.init.length > 0 && {
      initContainerStatuses: view.init.map((one) => containerStatus(pod, one, isDone(one))),
    }),
    containerStatuses: view.main.map((one) => containerStatus(pod, one, one.state.running !== undefined)),
  };
}

function isDone({ state }: ContainerView): boolean {
  return state.terminated?.exitCode === 0;
}

function containerStatus(pod: NodePod, view: ContainerView, ready: boolean): NodeContainerStatus {
  const { name, image, restartCount, state, lastState } = view;
  const hasRun = state.waiting === undefined || lastState !== undefined;
  return {
    name,
    image,
    imageID: hasRun ? `testbed://${image}` : '',
    ...(hasRun && { containerID: `testbed://${pod.metadata.uid ?? ''}/${name}/${restartCount}` }),
    ready,
    started: state.running !== undefined,
    restartCount,
    state,
    ...(lastState !== undefined && { lastState }),
  };
}

type Judgement = Pick<StandardCondition, 'status' | 'reason' | 'message'>;
const isTrue: Judgement = { status: 'True' };

/** Fact: Kubernetes 1.36, pkg/kubelet/status/generate.go. */
function conditionsOf(
  pod: NodePod,
  view: PodView,
  phase: Phase,
  nowMs: number,
): readonly StandardCondition[] {
  const containersReady = judgeContainers(view, phase);
  const wanted: Readonly<Record<string, Judgement>> = {
    PodReadyToStartContainers: { status: view.address === undefined || isOver(phase) ? 'False' : 'True' },
    Initialized: judgeInit(view, phase),
    Ready: containersReady.status === 'True' ? judgeGates(pod) : containersReady,
    ContainersReady: containersReady,
    PodScheduled: isTrue,
  };
  const before = pod.status?.conditions ?? [];
  const others = before.filter(({ type }) => !(type in wanted));
  return [
    ...others,
    ...Object.entries(wanted).map(([type, judgement]) => {
      const old = before.find((condition) => condition.type === type);
      const lastTransitionTime =
        old?.status === judgement.status && old.lastTransitionTime !== undefined
          ? old.lastTransitionTime
          : rfc3339(nowMs);
      return { type, ...judgement, lastTransitionTime };
    }),
  ];
}

export function isOver(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

function judgeContainers(view: PodView, phase: Phase): Judgement {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = view.main.filter(({ state }) => state.running === undefined).map(({ name }) => name);
  if (unready.length === 0) return isTrue;
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { status: 'False', reason: 'ContainersNotReady', message };
}

function judgeGates(pod: NodePod): Judgement {
  const said = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (condition === undefined) {
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    }
    if (condition.status === 'True') return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (said.length === 0) return isTrue;
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: said.join(', ') };
}

function judgeInit(view: PodView, phase: Phase): Judgement {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  const incomplete = view.init.filter((one) => !isDone(one)).map(({ name }) => name);
  if (incomplete.length === 0) return isTrue;
  const message = `containers with incomplete status: [${incomplete.join(' ')}]`;
  return { status: 'False', reason: 'ContainersNotInitialized', message };
}
