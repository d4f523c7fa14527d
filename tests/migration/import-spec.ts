import type { FrozenDisk, VirtualMachineImportSpec } from '../../src/api/virtual-machine-import.ts';
import type { VmModel } from '../../src/model/vm.ts';

const gib = 2 ** 30;

/** A running Linux VM of one NIC. */
export function vmModel(changes: Partial<VmModel> = {}): VmModel {
  return {
    schema: 1,
    id: 'vm-1',
    name: 'web-01',
    path: '/dc/vm/web-01',
    identity: 'vc-1/50-01',
    digest: 'digest-1',
    power: 'On',
    isTemplate: false,
    reachable: true,
    host: { id: 'host-1', inMaintenance: false },
    cpu: {
      sockets: 1,
      coresPerSocket: 2,
      threadsPerCore: 1,
      features: [],
      dedicated: false,
      isolateEmulator: false,
      hotPlug: { cpu: false, memory: false },
    },
    memoryBytes: gib,
    firmware: { kind: 'bios', secureBoot: false, tpm: false, nvramLost: false },
    disks: [],
    nics: [],
    devices: [],
    guest: { family: 'linux', agent: 'running', fileSystems: [] },
    foreignSnapshots: [],
    consolidationNeeded: false,
    metadata: { tags: [], custom: {} },
    ...changes,
  };
}

export function frozenDisk(index: number, changes: Partial<FrozenDisk> = {}): FrozenDisk {
  return {
    key: `200${index}`,
    sourceId: `[ds] web-01/web-01_${index}.vmdk`,
    index,
    sizeBytes: 4 * gib,
    class: 'fast',
    claimName: `web-01-disk-${index}`,
    volumeName: `vol-${index}`,
    bus: 'virtio',
    mode: 'copy',
    ...changes,
  };
}

/** A cold import of one disk into namespace "target"; `diskCount` makes it more. */
export function importSpec(
  changes: Partial<VirtualMachineImportSpec> = {},
  diskCount = 1,
): VirtualMachineImportSpec {
  return {
    run: {
      plan: { name: 'plan', uid: 'plan-uid' },
      migration: { name: 'migration', uid: 'migration-uid' },
      order: 0,
      remade: 0,
    },
    vm: { id: 'vm-1', name: 'web-01' },
    source: {
      provider: { namespace: 'mtv', name: 'vcenter', uid: 'provider-uid' },
      type: 'vsphere',
      endpoint: 'provider',
    },
    target: { provider: { namespace: 'mtv', name: 'host', uid: 'host-uid' }, namespace: 'target' },
    strategy: { type: 'cold', path: 'vddk', conversion: 'none' },
    model: vmModel(),
    disks: Array.from({ length: diskCount }, (_, index) => frozenDisk(index)),
    nics: [],
    options: {
      preserveStaticIps: false,
      powerAfter: 'auto',
      deleteOnFail: true,
      skipConversion: true,
      compatibility: false,
      cpuModelFromCluster: false,
      xfs: false,
      keepConversionPod: false,
    },
    hooks: [],
    placement: { labels: {}, nodeSelector: {} },
    policies: { powerOff: 'fail', powerOffSeconds: 0, onConversionFailure: 'restore' },
    ...changes,
  };
}
