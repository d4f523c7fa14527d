import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DataVolume } from '../../../src/api/external/cdi.ts';
import type { ContainerState, PersistentVolumeClaim, Pod } from '../../../src/api/external/core.ts';
import { annotationChanges } from '../../../src/sandbox/cdi/annotations.ts';
import { annotationsFromPod, simplifyMessage } from '../../../src/sandbox/cdi/claim-from-pod.ts';
import { renderClaim } from '../../../src/sandbox/cdi/claim-for-data-volume.ts';
import { nextStatus } from '../../../src/sandbox/cdi/data-volume-status.ts';
import { backoffMs } from '../../../src/sandbox/cdi/pod-status.ts';
import { dataVolume, ns } from './cluster.ts';

const prefix = 'cdi.kubevirt.io/storage.';

function pod(state: ContainerState, restartCount = 0, phase: 'Running' | 'Succeeded' = 'Running'): Pod {
  const status = { name: 'importer', ready: false, restartCount, image: '', imageID: '', state };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'importer-disk-0', namespace: ns },
    spec: { containers: [] },
    status: { phase, containerStatuses: [status] },
  };
}

function claim(
  phase: 'Pending' | 'Bound' | 'Lost',
  annotations: Readonly<Record<string, string>> = {},
): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'disk-0', namespace: ns, annotations },
    spec: {},
    status: { phase },
  };
}

describe('what a pod leaves on its claim', () => {
  test('restarts are the highest count ever seen', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1 }), (counts) => {
        const after = counts.reduce<Readonly<Record<string, string>>>(
          (annotations, count) => annotationsFromPod(annotations, pod({ running: {} }, count)),
          {},
        );
        expect(after[`${prefix}pod.restarts`]).toBe(String(Math.max(...counts)));
      }),
    );
  });

  test('the words of a crash stay while the kubelet holds the container back', () => {
    const crashed = annotationsFromPod(
      {},
      pod({ terminated: { exitCode: 1, reason: 'Error', message: 'why' } }),
    );
    const held = annotationsFromPod(crashed, pod({ waiting: { reason: 'CrashLoopBackOff' } }));
    expect(held[`${prefix}condition.running.message`]).toBe('why');
    expect(held[`${prefix}condition.running`]).toBe('false');
  });

  test('JSON is read for exit code 0 alone', () => {
    const message = JSON.stringify({ message: 'Import Complete', vddkInfo: { Version: '8', Host: 'esx' } });
    const ended = (exitCode: number) =>
      annotationsFromPod({}, pod({ terminated: { exitCode, reason: 'Completed', message } }, 0, 'Succeeded'));
    expect(ended(0)).toMatchObject({
      [`${prefix}condition.running.message`]: 'Import Complete',
      [`${prefix}pod.vddk.host`]: 'esx',
      [`${prefix}pod.phase`]: 'Succeeded',
    });
    expect(ended(1)[`${prefix}condition.running.message`]).toBe(message);
  });

  test('all ways of not fitting become one sentence', () => {
    const sentence = 'DataVolume too small to contain image';
    expect(simplifyMessage('write: no space left on device')).toBe(sentence);
    expect(simplifyMessage('size 2 is larger than the reported available storage 1')).toBe(sentence);
    expect(simplifyMessage('unexpected EOF')).toBe('unexpected EOF');
  });

  test('changes are told as a merge patch wants them', () => {
    expect(annotationChanges({ a: '1', b: '2' }, { a: '1', c: '3' })).toEqual({ b: null, c: '3' });
    expect(annotationChanges({ a: '1' }, { a: '1' })).toBe(undefined);
  });
});

describe('a DataVolume’s phase', () => {
  const phaseOf = (before: string, of: PersistentVolumeClaim | undefined, waitsForConsumer = false) =>
    nextStatus({
      dataVolume: { ...dataVolume('disk-0'), status: { phase: before } } as DataVolume,
      claim: of,
      waitsForConsumer,
      nowMs: 0,
    }).status.phase;
  const withPod = (podPhase: string) =>
    claim('Bound', { [`${prefix}import.importPodName`]: 'p', [`${prefix}pod.phase`]: podPhase });

  test.each([
    ['no claim yet', '', undefined, 'Pending'],
    ['the claim was lost from sight', 'ImportInProgress', undefined, 'ImportInProgress'],
    ['the claim is Pending', 'Pending', claim('Pending'), 'Pending'],
    ['the claim is bound', 'Pending', claim('Bound'), 'PVCBound'],
    [
      'the pod is wanted',
      'PVCBound',
      claim('Bound', { [`${prefix}import.importPodName`]: 'p' }),
      'ImportScheduled',
    ],
    ['the pod is Pending', 'PVCBound', withPod('Pending'), 'ImportScheduled'],
    ['the pod runs', 'ImportScheduled', withPod('Running'), 'ImportInProgress'],
    ['the pod failed as a whole', 'ImportInProgress', withPod('Failed'), 'ImportScheduled'],
    ['the pod succeeded', 'ImportInProgress', withPod('Succeeded'), 'Succeeded'],
    ['the claim is lost', 'PVCBound', claim('Lost'), 'Failed'],
  ] as const)('when %s', (_name, before, of, after) => {
    expect(phaseOf(before, of)).toBe(after);
  });

  test('on a class that waits for a consumer', () => {
    expect(phaseOf('Pending', claim('Pending'), true)).toBe('WaitForFirstConsumer');
  });

  test('a bound claim is False for a moment while its annotation still tells of the wait', () => {
    const held = claim('Bound', {
      [`${prefix}condition.bound`]: 'false',
      [`${prefix}condition.bound.reason`]: 'Pending',
      [`${prefix}condition.bound.message`]: 'waiting',
    });
    const { status } = nextStatus({
      dataVolume: dataVolume('disk-0'),
      claim: held,
      waitsForConsumer: false,
      nowMs: 0,
    });
    expect(status.conditions?.find(({ type }) => type === 'Bound')).toMatchObject({
      status: 'False',
      message: 'waiting',
    });
  });

  test('a condition that stays keeps its times', () => {
    const view = { dataVolume: dataVolume('disk-0'), claim: claim('Bound'), waitsForConsumer: false };
    const { status } = nextStatus({ ...view, nowMs: 0 });
    const again = nextStatus({ ...view, dataVolume: { ...view.dataVolume, status }, nowMs: 5000 });
    expect(again.status).toEqual(status);
  });
});

describe('the claim of a DataVolume', () => {
  const standard = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name: 'standard',
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    },
    provisioner: 'p',
  };
  const sets = [{ accessModes: ['ReadWriteMany'], volumeMode: 'Block' }] as const;
  const sized = (storage: object) =>
    dataVolume('disk-0', { storage: { resources: { requests: { storage: '64Mi' } }, ...storage } });

  test('takes modes from the profile of the default class, and a block volume as large as asked for', () => {
    expect(renderClaim(sized({}), [standard], () => sets)).toEqual({
      spec: {
        accessModes: ['ReadWriteMany'],
        volumeMode: 'Block',
        storageClassName: 'standard',
        resources: { requests: { storage: String(64 * 1_048_576) } },
      },
    });
  });

  test('has the file system’s share added: 64Mi become 71135396 bytes', () => {
    const rendered = renderClaim(sized({ accessModes: ['ReadWriteOnce'] }), [standard], () => []);
    expect(rendered).toMatchObject({ spec: { resources: { requests: { storage: '71135396' } } } });
  });

  test('is not rendered where the profile knows no access mode', () => {
    expect(renderClaim(sized({}), [standard], () => [])).toMatchObject({
      error: 'no accessMode specified in StorageProfile standard',
    });
  });
});

describe('importer pods', () => {
  test('do not wait after their first end, then 10, 20, 40 seconds and at most five minutes', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 50].map(backoffMs)).toEqual([
      0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000,
    ]);
  });
});
