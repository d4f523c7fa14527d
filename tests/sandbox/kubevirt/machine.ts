import type {
  Domain,
  VirtualMachine,
  VirtualMachineInstanceSpec,
} from '../../../src/api/external/kubevirt.ts';
import { ns } from '../cdi/cluster.ts';

export interface MachineChanges {
  readonly spec?: Partial<VirtualMachine['spec']>;
  readonly template?: Partial<VirtualMachineInstanceSpec>;
  readonly domain?: Partial<Domain>;
}

/** One disk on claim disk-0, one pod interface, 1 GiB, Halted. */
export function machine(name: string, changes: MachineChanges = {}): VirtualMachine {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name, namespace: ns },
    spec: {
      runStrategy: 'Halted',
      template: {
        metadata: { labels: { app: name } },
        spec: {
          domain: {
            memory: { guest: '1Gi' },
            devices: {
              disks: [{ name: 'vol-0', disk: { bus: 'virtio' }, bootOrder: 1 }],
              interfaces: [{ name: 'net-0', masquerade: {}, macAddress: '00:50:56:00:00:01' }],
            },
            ...changes.domain,
          },
          networks: [{ name: 'net-0', pod: {} }],
          volumes: [{ name: 'vol-0', persistentVolumeClaim: { claimName: 'disk-0' } }],
          ...changes.template,
        },
      },
      ...changes.spec,
    },
  };
}
