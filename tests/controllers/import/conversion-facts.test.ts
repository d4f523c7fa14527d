import { describe, expect, test } from '@jest/globals';
import type { ContainerStatus, Pod } from '../../../src/api/external/core.ts';
import type { Stored } from '../../../src/api/meta.ts';
import { conversionPodFact } from '../../../src/controllers/import/conversion-facts.ts';

const at = '2026-01-01T00:00:10Z';

function factOf(status: Pod['status'], metadata: Partial<Stored<Pod>['metadata']> = {}) {
  const pod: Stored<Pod> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'convert',
      namespace: 'target',
      uid: 'p',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { containers: [] },
    ...(status !== undefined && { status }),
  };
  return conversionPodFact(pod, (text) => text.replaceAll('hunter2', '***'));
}
const container = (changes: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'virt-v2v',
  ready: false,
  restartCount: 0,
  image: 'v2v',
  imageID: '',
  ...changes,
});
const scheduled = { type: 'PodScheduled', status: 'True' };
const terminated = (message: string) => ({ terminated: { exitCode: 1, message, startedAt: at } });

describe('whether a converter may have written', () => {
  test('not before its container has begun', () => {
    const waiting = { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } };
    const status = { phase: 'Pending' as const, containerStatuses: [container({ state: waiting })] };
    expect(factOf(status)).toMatchObject({ phase: 'Pending', pendingText: 'no such image' });
    expect(factOf(status)).not.toHaveProperty('startedMs');
    const thrownOut = { phase: 'Failed' as const, reason: 'Evicted', message: 'low on memory' };
    expect(factOf(thrownOut)).toMatchObject({ lastWords: 'low on memory' });
    expect(factOf(thrownOut)).not.toHaveProperty('startedMs');
  });

  test('from its start on, and whenever it cannot be told', () => {
    const startedMs = Date.parse(at);
    expect(
      factOf({ phase: 'Running', containerStatuses: [container({ state: { running: { startedAt: at } } })] }),
    ).toMatchObject({ startedMs });
    expect(
      factOf({ phase: 'Failed', startTime: at, containerStatuses: [container({ state: terminated('x') })] }),
    ).toMatchObject({ startedMs });
    // The kubelet lost sight of a container that it had made.
    const unknown = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } };
    const lost = container({ state: unknown, containerID: 'containerd://1' });
    expect(factOf({ phase: 'Failed', startTime: at, containerStatuses: [lost] })).toMatchObject({
      startedMs,
    });
    expect(
      factOf({ phase: 'Failed', startTime: at, containerStatuses: [container({ state: unknown })] }),
    ).not.toHaveProperty('startedMs');
    // The node is lost; it may have begun after its last word.
    const conditions = [scheduled, { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' }];
    expect(factOf({ phase: 'Failed', startTime: at, conditions })).toMatchObject({ startedMs });
    expect(factOf({ phase: 'Unknown', startTime: at })).toMatchObject({ startedMs });
  });

  test('unless the image itself says that it has thrown everything away', () => {
    const said = terminated('Conversion failed — discarding overlays, base disks unchanged\nexit status 1');
    const failed = { phase: 'Failed' as const, containerStatuses: [container({ state: said })] };
    expect(factOf(failed).saysUntouched).toBe(true);
    const other = terminated('partial commit: disks already committed');
    expect(factOf({ ...failed, containerStatuses: [container({ state: other })] }).saysUntouched).toBe(false);
    // Only at its end.
    expect(factOf({ ...failed, phase: 'Running' }).saysUntouched).toBe(false);
  });
});

describe('what is told of a conversion pod', () => {
  test('the scheduler’s words while no node takes it', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
    ];
    expect(factOf({ phase: 'Pending', conditions })).toMatchObject({
      isScheduled: false,
      pendingText: '0/3 nodes are available',
    });
  });

  test('the end of its log, without secrets', () => {
    const long = `${'x'.repeat(2000)} hunter2 virt-v2v: error`;
    const fact = factOf({ phase: 'Failed', containerStatuses: [container({ state: terminated(long) })] });
    expect(fact.lastWords).toMatch(/^….*\*\*\* virt-v2v: error$/);
    expect(fact.lastWords?.length).toBeLessThan(800);
  });

  test('since when it is to go, and whether we hold it', () => {
    expect(factOf(undefined, { deletionTimestamp: at, finalizers: ['gantry.dev/conversion'] })).toMatchObject(
      {
        deletingMs: Date.parse(at),
        isHeld: true,
        phase: 'Pending',
      },
    );
  });
});
