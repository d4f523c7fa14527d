import { hub } from '../addresses.ts';
import { rfc3339 } from '../../../src/runtime/clock.ts';
import type { ClusterNode } from './node-pod.ts';

export const nodeName = 'testbed-node';

/** What the pods of KubeVirt select and ask for (fact: kubevirt 1.5, 4.4), and enough of the rest for any number of pods. */
const labels = {
  'kubernetes.io/arch': 'amd64',
  'kubernetes.io/os': 'linux',
  'kubernetes.io/hostname': nodeName,
  'kubevirt.io/schedulable': 'true',
  'machine-type.node.kubevirt.io/q35': 'true',
};
const capacity = {
  cpu: '64',
  memory: '256Gi',
  'ephemeral-storage': '1Ti',
  pods: '10000',
  'devices.kubevirt.io/kvm': '1k',
  'devices.kubevirt.io/tun': '1k',
  'devices.kubevirt.io/vhost-net': '1k',
};

/** The one Node of a testbed. */
export function buildNode(nowMs: number): ClusterNode {
  const at = rfc3339(nowMs);
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels },
    status: {
      capacity,
      allocatable: capacity,
      addresses: [
        { type: 'InternalIP', address: hub },
        { type: 'Hostname', address: nodeName },
      ],
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'the pod runner is posting ready status',
          lastTransitionTime: at,
        },
      ],
      nodeInfo: {
        machineID: nodeName,
        systemUUID: nodeName,
        bootID: nodeName,
        kernelVersion: '',
        osImage: 'testbed',
        containerRuntimeVersion: 'bubblewrap://0',
        kubeletVersion: 'v0.0.0-testbed',
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  };
}
