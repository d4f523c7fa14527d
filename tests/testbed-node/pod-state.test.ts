import { describe, expect, test } from '@jest/globals';
import type { ContainerView } from '../../hack/testbed/node/pod-state.ts';
import {
  crashLoop,
  endedView,
  newView,
  phaseOf,
  statusOf,
  viewAfterLoss,
} from '../../hack/testbed/node/pod-state.ts';
import type { NodePodSpec } from '../../hack/testbed/node/node-pod.ts';
import { container, ended, pod, running, seen, view, waiting } from './pods.ts';

const nowMs = Date.UTC(2026, 0, 1, 0, 1);

describe('the phase of a pod', () => {
  const looping = seen({ waiting: { reason: 'CrashLoopBackOff' } }, { lastState: ended(1) });
  test.each<[string, ContainerView, NonNullable<NodePodSpec['restartPolicy']>, string]>([
    ['that waits for its first start', seen(waiting), 'OnFailure', 'Pending'],
    ['that runs', seen(running), 'OnFailure', 'Running'],
    ['that failed and will be started again', seen(ended(1)), 'OnFailure', 'Running'],
    ['that waits for its restart', looping, 'OnFailure', 'Running'],
    ['that failed for good', seen(ended(1)), 'Never', 'Failed'],
    ['that is done', seen(ended(0)), 'OnFailure', 'Succeeded'],
    ['that is done but is to run for ever', seen(ended(0)), 'Always', 'Running'],
  ])('%s', (_, main, restartPolicy, phase) => {
    expect(phaseOf(pod({ restartPolicy }), view([main]))).toBe(phase);
  });

  test('is Pending while init containers work, and Failed when one failed for good', () => {
    const spec = { initContainers: [container({ name: 'init' })] };
    const init = (state: ContainerView['state']) => view([seen(waiting)], { init: [seen(state)] });
    expect(phaseOf(pod(spec), init(running))).toBe('Pending');
    expect(phaseOf(pod(spec), init(ended(1)))).toBe('Pending');
    expect(phaseOf(pod({ ...spec, restartPolicy: 'Never' }), init(ended(1)))).toBe('Failed');
  });

  test('is Failed when the node throws it out, whatever runs', () => {
    expect(phaseOf(pod(), view([seen(running)], { evicted: 'low on memory' }))).toBe('Failed');
  });

  test('of a deleted pod is an end, also where the container never ran', () => {
    expect(phaseOf(pod(), endedView(view([seen(ended(143))])))).toBe('Failed');
    expect(phaseOf(pod(), endedView(view([seen(ended(0))])))).toBe('Succeeded');
    expect(phaseOf(pod(), endedView(view([seen(waiting)])))).toBe('Failed');
  });
});

describe('the status of a pod', () => {
  test('tells address, readiness and container of one that runs', () => {
    const status = statusOf(pod(), view([seen(running)], { address: '10.77.10.1' }), nowMs);
    expect(status).toMatchObject({
      phase: 'Running',
      podIP: '10.77.10.1',
      podIPs: [{ ip: '10.77.10.1' }],
      startTime: '2026-01-01T00:00:00Z',
      containerStatuses: [{ ready: true, started: true, restartCount: 0, state: running }],
    });
    expect(conditionsOf(status.conditions)).toEqual({
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
      PodScheduled: 'True',
    });
  });

  test('names the containers that are not ready', () => {
    const status = statusOf(pod(), view([seen(waiting)]), nowMs);
    const ready = status.conditions.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [main]',
    });
  });

  test('is ready only when the conditions of others, which it keeps, are true', () => {
    const spec = { readinessGates: [{ conditionType: 'example.org/gate' }] };
    const runs = view([seen(running)]);
    expect(conditionsOf(statusOf(pod(spec), runs, nowMs).conditions)).toMatchObject({
      Ready: 'False',
      ContainersReady: 'True',
    });
    const gate = { type: 'example.org/gate', status: 'True' };
    const open = pod(spec, { status: { conditions: [gate] } });
    const status = statusOf(open, runs, nowMs);
    expect(conditionsOf(status.conditions)).toMatchObject({ Ready: 'True', 'example.org/gate': 'True' });
  });

  test('keeps the time at which a condition took its state', () => {
    const first = statusOf(pod(), view([seen(running)]), nowMs);
    const later = statusOf(pod({}, { status: first }), view([seen(ended(0))]), nowMs + 60_000);
    const times = Object.fromEntries(later.conditions.map((one) => [one.type, one.lastTransitionTime]));
    expect(times).toMatchObject({ PodScheduled: '2026-01-01T00:01:00Z', Ready: '2026-01-01T00:02:00Z' });
  });

  test('of an evicted pod tells why', () => {
    const status = statusOf(pod(), view([seen(ended(137))], { evicted: 'low on memory' }), nowMs);
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'low on memory' });
  });
});

test('what a pod ran is over when its runner was lost, and counts as a restart', () => {
  const before = statusOf(pod(), view([seen(running, { restartCount: 2 })]), nowMs);
  const [main] = viewAfterLoss(pod({}, { status: before }), nowMs).main;
  expect(main).toMatchObject({
    restartCount: 3,
    state: { waiting: { reason: 'ContainerCreating' } },
    lastState: { terminated: { exitCode: 255, reason: 'Unknown' } },
  });
});

test.each<[string, ContainerView, NonNullable<NodePodSpec['restartPolicy']>, object]>([
  ['never ran waits for its first start', seen(waiting), 'Always', { restartCount: 0, state: waiting }],
  [
    'waited for its restart has one more',
    seen({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 3, lastState: ended(1) }),
    'OnFailure',
    { restartCount: 4, lastState: ended(1) },
  ],
  ['had done its work stays done', seen(ended(0)), 'OnFailure', { restartCount: 0, state: ended(0) }],
  [
    'ran, but must not restart, has failed',
    seen(running),
    'Never',
    { restartCount: 0, state: { terminated: { exitCode: 255, reason: 'Unknown' } } },
  ],
])('when its runner was lost, a container that %s', (_, before, restartPolicy, expected) => {
  const status = statusOf(pod({ restartPolicy }), view([before]), nowMs);
  const [main] = viewAfterLoss(pod({ restartPolicy }, { status }), nowMs).main;
  expect(main).toMatchObject(expected);
});

test('containers wait for init containers where there are some', () => {
  const spec = { initContainers: [container({ name: 'init' })] };
  expect(newView(pod(spec), nowMs).main[0]?.state.waiting?.reason).toBe('PodInitializing');
  expect(newView(pod(), nowMs).main[0]?.state.waiting?.reason).toBe('ContainerCreating');
});

test('a crash loop is told in the words of a kubelet', () => {
  expect(crashLoop(pod(), 'main', 80_000).waiting).toEqual({
    reason: 'CrashLoopBackOff',
    message: 'back-off 1m20s restarting failed container=main pod=p_default(u-1)',
  });
});

function conditionsOf(conditions: readonly { readonly type: string; readonly status: string }[]) {
  return Object.fromEntries(conditions.map(({ type, status }) => [type, status]));
}
