import fc from 'fast-check';
import type { FreezeInput } from '../../src/migration/freeze/input.ts';
import {
  diskBuses,
  nicModels,
  powerStates,
  type DiskModel,
  type NicModel,
  type VmModel,
} from '../../src/model/vm.ts';
import { sampleDisk, sampleInput, sampleModel, sampleNic, samplePlan } from '../target/sample-import.ts';

/** VMs, plans and maps as users and platforms may give them: odd names, many disks and NICs, every choice. */

const stores = ['datastore-1', 'datastore-2'];
const networks = ['network-1', 'network-2'];

/** Names of people: any text, and text near the rules. */
const vmName = fc.oneof(
  fc.string({ minLength: 1, maxLength: 100, unit: 'binary' }),
  fc.stringMatching(/^[A-Za-z0-9 ._+*/\\-]{1,100}$/),
  fc.constant('x'.repeat(500)),
);

/** Without the members that are undefined: an optional one is there or not. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const disk = fc
  .record({
    sizeBytes: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 1, max: 2 ** 45 }) },
      { weight: 1, arbitrary: fc.constant(0) },
    ),
    store: fc.constantFrom(...stores),
    bus: fc.constantFrom(...diskBuses),
    serial: maybe(fc.string({ maxLength: 40 })),
    shared: fc.boolean(),
    kind: fc.oneof(
      { weight: 20, arbitrary: fc.constant('image' as const) },
      { weight: 1, arbitrary: fc.constantFrom('lun' as const, 'cdrom' as const) },
    ),
    bootOrder: maybe(fc.integer({ min: 1, max: 3 })),
    sourceId: fc.string({ maxLength: 80 }),
    key: fc.string({ maxLength: 60 }),
  })
  .map(({ store, key, ...rest }) => (index: number): DiskModel => ({
    ...sampleDisk(index),
    ...defined(rest),
    key: `${key}#${index}`,
    storage: { ids: [store], names: [] },
  }));

const nic = fc
  .record({
    network: fc.constantFrom(...networks),
    model: fc.constantFrom(...nicModels),
    linkUp: fc.boolean(),
    multiqueue: fc.boolean(),
    pciAddress: maybe(fc.constantFrom('0000:0b:00.0', '11')),
    mac: maybe(fc.constantFrom('00:50:56:00:00:01', '')),
  })
  .map(({ network, ...rest }) => (index: number): NicModel => {
    const { mac: _mac, ...sample } = sampleNic(index);
    return { ...sample, ...defined(rest), key: `nic-${index}`, network: { ids: [network], names: [] } };
  });

const feature = fc.record({
  name: fc.constantFrom('vmx', 'svm', 'pcid'),
  policy: fc.constantFrom('require' as const, 'optional' as const, 'disable' as const),
});

const cpu = fc
  .record({
    sockets: fc.integer({ min: 1, max: 64 }),
    coresPerSocket: fc.integer({ min: 1, max: 64 }),
    threadsPerCore: fc.integer({ min: 1, max: 2 }),
    features: fc.array(feature, { maxLength: 4 }),
    nested: maybe(fc.boolean()),
    dedicated: fc.boolean(),
    isolateEmulator: fc.boolean(),
  })
  .map((cpu) => ({ ...defined(cpu), hotPlug: { cpu: true, memory: false } }));

const model: fc.Arbitrary<VmModel> = fc
  .record({
    name: vmName,
    id: fc.stringMatching(/^vm-[0-9]{1,6}$/),
    power: fc.constantFrom(...powerStates),
    cpu,
    memoryBytes: fc.oneof(
      fc.integer({ min: 1, max: 4096 }).map((mib) => mib * 2 ** 20),
      fc.integer({ min: 0, max: 2 ** 40 }),
    ),
    firmware: fc.record({
      kind: fc.constantFrom('bios' as const, 'efi' as const, 'unknown' as const),
      secureBoot: fc.boolean(),
      tpm: fc.boolean(),
      nvramLost: fc.boolean(),
      serial: fc.constantFrom('VMware-56 4d', ''),
    }),
    clock: fc.constantFrom({}, { timezone: '' }, { timezone: 'Etc/UTC' }, { utcOffsetSeconds: 60 }),
    family: fc.constantFrom('linux' as const, 'windows' as const, 'other' as const, 'unknown' as const),
    disks: fc.array(disk, { maxLength: 6 }),
    nics: fc.array(nic, { maxLength: 4 }),
  })
  .map(({ family, disks, nics, ...rest }) =>
    sampleModel({
      ...rest,
      guest: { ...sampleModel().guest, family },
      disks: disks.map((make, index) => make(index)),
      nics: nics.map((make, index) => make(index)),
    }),
  );

/** Most of them good: what cannot be frozen proves little about what is built. */
const mostly = <T>(good: readonly T[], bad: readonly T[]) =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad) },
  );
const template = mostly(
  [
    undefined,
    'd{{.DiskIndex}}',
    'a-{{ .TargetVmName | lower | replace "." "-" | trunc 30 | trimAll "-" }}-{{ .DiskIndex }}',
  ],
  ['{{.VmName}}', '{{.PlanName}}-{{.DiskIndex}}', 'disk', '{{ if'],
);

const planSpec = fc
  .record({
    skipGuestConversion: maybe(fc.boolean()),
    useCompatibilityMode: maybe(fc.boolean()),
    enableNestedVirtualization: maybe(fc.boolean()),
    migrateSharedDisks: maybe(fc.constant(true)),
    pvcNameTemplate: template,
    pvcNameTemplateUseGenerateName: maybe(fc.boolean()),
    volumeNameTemplate: mostly([undefined, '{{.PVCName}}', 'v{{.VolumeIndex}}'], ['same']),
    networkNameTemplate: mostly([undefined, '{{.NetworkType}}-{{.NetworkIndex}}'], ['{{.NetworkName}}']),
    type: maybe(fc.constantFrom('cold' as const, 'warm' as const)),
    targetPowerState: maybe(fc.constantFrom('on' as const, 'off' as const, 'auto' as const)),
  })
  .map(defined);
const planName = fc.stringMatching(/^[a-z]([a-z0-9.-]{0,100}[a-z0-9])?$/);

const plan = fc.record({ spec: planSpec, name: planName }).map(({ spec, name }) => {
  const sample = samplePlan();
  const { skipGuestConversion: _skip, useCompatibilityMode: _compatibility, ...rest } = sample.spec;
  return { metadata: { ...sample.metadata, name }, spec: { ...rest, ...spec } };
});

const destination = fc.constantFrom(
  { type: 'multus' as const, namespace: 'nets', name: 'vlan-1' },
  { type: 'multus' as const, name: 'vlan-2' },
  { type: 'multus' as const, name: 'vlan-3' },
  { type: 'ignored' as const },
  { type: 'pod' as const },
);
const networkMap = fc.array(
  fc.record({ source: fc.constantFrom(...networks).map((id) => ({ id })), destination }),
  { minLength: 1, maxLength: 6 },
);
const everyNetwork = fc
  .tuple(destination, destination)
  .map((destinations) =>
    destinations.map((to, index) => ({ source: { id: networks[index] ?? '' }, destination: to })),
  );
const storageMap = fc
  .constantFrom(stores, stores, stores, stores.slice(1))
  .map((ids) => ids.map((id) => ({ source: { id }, destination: { storageClass: 'fast' } })));

export const freezeInputs: fc.Arbitrary<FreezeInput> = fc
  .record({
    model,
    plan,
    networkMap: fc.oneof({ weight: 1, arbitrary: networkMap }, { weight: 4, arbitrary: everyNetwork }),
    storageMap,
    planVm: fc
      .record({
        targetName: maybe(fc.constantFrom('chosen', 'chosen.example.com', `${'c'.repeat(70)}.d`)),
        instanceType: maybe(fc.constantFrom('', 'u1.small')),
        rootDisk: maybe(fc.constantFrom('/dev/sda', '/dev/sdc', 'vdb', '/dev/nonsense')),
      })
      .map((planVm) => ({ id: 'vm-10', ...defined(planVm) })),
  })
  .map((changes) => sampleInput(changes));
