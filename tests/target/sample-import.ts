import type { VirtualMachineImportSpec } from '../../src/api/virtual-machine-import.ts';
import type { DiskModel, NicModel, VmModel } from '../../src/model/vm.ts';
import type { FreezeInput } from '../../src/migration/freeze/input.ts';
import type { ImportSubject } from '../../src/target/labels.ts';

/** A VM of two disks and one NIC, the plan and the maps that move it, and the import that comes of them. Tests change what they are about. */

export function sampleDisk(index: number, changes: Partial<DiskModel> = {}): DiskModel {
  return {
    key: `200${index}`,
    sourceId: `[store-1] web/web_${index}.vmdk`,
    taskName: `[store-1] web/web_${index}.vmdk`,
    index,
    sizeBytes: 2 ** 30,
    storage: { ids: ['datastore-1'], names: ['store-1', '/DC0/datastore/store-1'] },
    kind: 'image',
    bus: 'scsi',
    serial: `6000c29${index}-4f1d-3a70-9bbd-000000000000`,
    shared: false,
    snapshotable: true,
    needsScratch: 'never',
    ...changes,
  };
}

export function sampleNic(index: number, changes: Partial<NicModel> = {}): NicModel {
  return {
    key: `400${index}`,
    mac: `00:50:56:aa:00:0${index}`,
    network: { ids: ['network-1'], names: ['VM Network'] },
    model: 'vmxnet3',
    linkUp: true,
    sriov: false,
    multiqueue: false,
    addresses: [],
    ...changes,
  };
}

export function sampleModel(changes: Partial<VmModel> = {}): VmModel {
  return {
    schema: 1,
    id: 'vm-10',
    name: 'web-01',
    path: '/DC0/vm/web-01',
    identity: 'vcenter-1/4213aa',
    digest: 'digest-1',
    power: 'On',
    isTemplate: false,
    reachable: true,
    cpu: {
      sockets: 2,
      coresPerSocket: 4,
      threadsPerCore: 1,
      features: [],
      dedicated: false,
      isolateEmulator: false,
      hotPlug: { cpu: false, memory: false },
    },
    memoryBytes: 2 ** 31,
    firmware: { kind: 'bios', secureBoot: false, tpm: false, nvramLost: false, serial: '4213aa' },
    disks: [sampleDisk(0), sampleDisk(1)],
    nics: [sampleNic(0)],
    devices: [],
    guest: { family: 'linux', agent: 'running', fileSystems: [] },
    foreignSnapshots: [],
    consolidationNeeded: false,
    metadata: { tags: [], custom: {} },
    ...changes,
  };
}

type PlanSpec = FreezeInput['plan']['spec'];

export function samplePlan(spec: Partial<PlanSpec> = {}): FreezeInput['plan'] {
  const ref = { namespace: 'plans', name: 'x' };
  return {
    metadata: { name: 'plan-a', namespace: 'plans', uid: 'plan-uid' },
    spec: {
      provider: { source: ref, destination: ref },
      map: { network: ref, storage: ref },
      targetNamespace: 'target',
      vms: [],
      skipGuestConversion: true,
      useCompatibilityMode: false,
      ...spec,
    },
  };
}

export function sampleInput(changes: Partial<FreezeInput> = {}): FreezeInput {
  return {
    plan: samplePlan(),
    planVm: { id: 'vm-10' },
    migration: { name: 'run-1', uid: 'migration-uid' },
    model: sampleModel(),
    source: {
      provider: { namespace: 'plans', name: 'vcenter', uid: 'provider-uid' },
      type: 'vsphere',
      converts: true,
      vddkImage: 'registry/vddk:8',
    },
    target: { provider: { namespace: 'plans', name: 'host', uid: 'host-uid' } },
    networkMap: [{ source: { id: 'network-1' }, destination: { type: 'pod' } }],
    storageMap: [{ source: { id: 'datastore-1' }, destination: { storageClass: 'fast' } }],
    order: 0,
    ...changes,
  };
}

/** A stored import around a spec. */
export function subjectOf(spec: VirtualMachineImportSpec): ImportSubject {
  return { metadata: { name: 'plan-a-web-01-0badcafe', namespace: 'plans', uid: 'import-uid' }, spec };
}
