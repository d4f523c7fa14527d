import { describe, expect, test } from '@jest/globals';
import type { PersistentVolumeClaim, StorageClass } from '../../src/api/external/core.ts';
import type { Stored } from '../../src/api/meta.ts';
import { selectedNodeAnnotation } from '../../src/sandbox/storage/binding.ts';
import { buildNode, nodeName } from '../../hack/testbed/node/node-object.ts';
import type { NodePodSpec } from '../../hack/testbed/node/node-pod.ts';
import { decidePlacement } from '../../hack/testbed/node/scheduling.ts';
import { pod } from './pods.ts';

const storageClass = (
  name: string,
  volumeBindingMode: 'Immediate' | 'WaitForFirstConsumer',
): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner: 'p',
  volumeBindingMode,
});
const classes = [storageClass('now', 'Immediate'), storageClass('later', 'WaitForFirstConsumer')];
const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }];

function place(spec: Partial<NodePodSpec>, claim?: Stored<PersistentVolumeClaim>) {
  return decidePlacement(pod(spec), buildNode(0), () => claim, classes);
}
function claim(
  storageClassName: string,
  phase: 'Pending' | 'Bound',
  annotations: Readonly<Record<string, string>> = {},
): Stored<PersistentVolumeClaim> {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: 'c',
      namespace: 'default',
      uid: 'c',
      resourceVersion: '1',
      creationTimestamp: '',
      annotations,
    },
    spec: { storageClassName },
    status: { phase },
  };
}

describe('a pod', () => {
  test('without claims is bound at once, also one of KubeVirt', () => {
    expect(place({})).toEqual({ act: 'bind' });
    const nodeSelector = { 'kubevirt.io/schedulable': 'true', 'kubernetes.io/arch': 'amd64' };
    expect(place({ nodeSelector })).toEqual({ act: 'bind' });
  });

  test('that selects another node is refused', () => {
    expect(place({ nodeSelector: { zone: 'a' } })).toMatchObject({
      act: 'refuse',
      message: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    });
  });

  test.each<[string, Partial<NodePodSpec>]>([
    ['has a node', { nodeName }],
    ['is another scheduler’s', { schedulerName: 'mine' }],
    ['is gated', { schedulingGates: [{ name: 'g' }] }],
  ])('that %s is left alone', (_, spec) => {
    expect(place(spec)).toEqual({ act: 'none' });
  });
});

describe('a pod with a claim', () => {
  test('waits for a claim that is bound without it', () => {
    expect(place({ volumes }, claim('now', 'Pending'))).toEqual({
      act: 'refuse',
      message: '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
    });
    expect(place({ volumes }, claim('now', 'Bound'))).toEqual({ act: 'bind' });
  });

  test('gives a node to a claim that waits for it, and then waits', () => {
    const waits = claim('later', 'Pending');
    expect(place({ volumes }, waits)).toEqual({ act: 'select', claims: [waits] });
    const chosen = claim('later', 'Pending', { [selectedNodeAnnotation]: nodeName });
    expect(place({ volumes }, chosen)).toEqual({ act: 'wait' });
    expect(place({ volumes }, claim('later', 'Bound'))).toEqual({ act: 'bind' });
  });

  test('that does not exist is refused', () => {
    expect(place({ volumes })).toMatchObject({
      act: 'refuse',
      message: '0/1 nodes are available: persistentvolumeclaim "c" not found.',
    });
  });
});
