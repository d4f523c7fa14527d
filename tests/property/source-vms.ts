import fc from 'fast-check';
import {
  diskBuses,
  nicModels,
  powerStates,
  type DiskModel,
  type NicModel,
  type VmModel,
} from '../../src/model/vm.ts';
import { sampleDisk, sampleModel, sampleNic } from '../target/sample-import.ts';

/** VMs as platforms may describe them: odd names, many disks and NICs, every choice of hardware. */

export const datastores = ['datastore-1', 'datastore-2'];
export const sourceNetworks = ['network-1', 'network-2'];

/** Without the members that are undefined: an optional one is there or not. */
export function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}
export const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** Most of them good: what is refused says little about what is built. */
export const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 20) =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: odd });

/** Names of people: any text, text near the rules, and text that looks like one of ours. */
const vmName = fc.oneof(
  fc.string({ minLength: 1, maxLength: 100, unit: 'binary' }),
  fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme' }),
  fc.stringMatching(/^[A-Za-z0-9 ._+*/\\-]{1,100}$/),
  fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}\.){1,6}[a-z0-9]{0,40}$/),
  fc.constantFrom('', '.', '...', '-', 'x'.repeat(500), 'ÄÖÜ ß', '데이터베이스', 'web\u0000\n01', '1', '_a_'),
);

const disk = fc
  .record({
    sizeBytes: mostly(fc.integer({ min: 1, max: 2 ** 45 }), fc.constant(0), 60),
    store: fc.constantFrom(...datastores),
    bus: fc.constantFrom(...diskBuses),
    serial: maybe(fc.oneof(fc.string({ maxLength: 40 }), fc.uuid(), fc.string({ unit: 'binary' }))),
    shared: fc.boolean(),
    kind: mostly<DiskModel['kind']>(
      fc.constant('image'),
      fc.constantFrom('lun' as const, 'cdrom' as const, 'filesystem' as const),
      40,
    ),
    bootOrder: maybe(fc.integer({ min: 1, max: 3 })),
    sourceId: mostly(fc.string({ minLength: 1, maxLength: 80 }), fc.constant(''), 60),
    guestMount: maybe(fc.constantFrom('C', '/', '')),
    key: fc.string({ maxLength: 60 }),
  })
  .map(({ store, key, ...rest }) => (index: number): DiskModel => ({
    ...sampleDisk(index),
    ...defined(rest),
    key: `${key}#${index}`,
    storage: { ids: [store], names: [] },
  }));

const octet = fc.integer({ min: 0, max: 255 }).map((byte) => byte.toString(16).padStart(2, '0'));
const octets = fc.array(octet, { minLength: 5, maxLength: 5 });
const mac = mostly(
  fc.oneof(
    octets.map((rest) => ['00', ...rest].join(':')),
    octets.map((rest) => ['00', ...rest].join('-').toUpperCase()),
    octets.map((rest) => ['06', ...rest].join(':').toUpperCase()),
  ),
  fc.constantFrom('', '02:00:00:00:00:00', '00:50', '0050.5600.0001', 'none', '00:11:22:33:44:55:66:77'),
);

const address = fc.record({
  ip: fc.constantFrom('10.0.0.7', 'fe80::1', '2001:db8::7'),
  prefix: fc.constantFrom(24, 64),
  origin: fc.constantFrom('static' as const, 'dhcp' as const, 'unknown' as const),
  dns: fc.constantFrom([], ['10.0.0.1']),
});

const nic = fc
  .record({
    network: fc.constantFrom(...sourceNetworks),
    model: fc.constantFrom(...nicModels),
    linkUp: fc.boolean(),
    sriov: fc.boolean(),
    multiqueue: fc.boolean(),
    pciAddress: maybe(fc.constantFrom('0000:0b:00.0', '0000:0B:1f.7', '11', '0000:0b:00.8', '')),
    mac: maybe(mac),
    addresses: fc.array(address, { maxLength: 3 }),
  })
  .map(({ network, ...rest }) => (index: number): NicModel => {
    const { mac: _mac, ...sample } = sampleNic(index);
    return { ...sample, ...defined(rest), key: `nic-${index}`, network: { ids: [network], names: [] } };
  });

const policy = fc.constantFrom('require' as const, 'optional' as const, 'disable' as const);
const features = fc.array(
  fc.record({ name: fc.constantFrom('vmx', 'svm', 'pcid', 'spec-ctrl', 'aes'), policy }),
  { maxLength: 5 },
);

const cpu = fc
  .record({
    sockets: fc.integer({ min: 1, max: 768 }),
    coresPerSocket: fc.integer({ min: 1, max: 64 }),
    threadsPerCore: fc.integer({ min: 1, max: 4 }),
    features,
    model: maybe(fc.constantFrom('Skylake-Server-noTSX-IBRS', 'EPYC', 'host-passthrough', 'x y')),
    clusterModel: maybe(fc.record({ model: fc.constantFrom('Haswell', 'Opteron_G5'), features })),
    nested: maybe(fc.boolean()),
    dedicated: fc.boolean(),
    isolateEmulator: fc.boolean(),
    hotPlug: fc.record({ cpu: fc.boolean(), memory: fc.boolean() }),
  })
  .map(defined);

const firmware = fc
  .record({
    kind: fc.constantFrom('bios' as const, 'efi' as const, 'unknown' as const),
    secureBoot: fc.boolean(),
    tpm: fc.boolean(),
    nvramLost: fc.boolean(),
    uuid: maybe(fc.oneof(fc.uuid(), fc.constantFrom('', '4213AA', 'no uuid'))),
    serial: maybe(fc.constantFrom('VMware-56 4d 12 aa-bb cc', '', 'Seriennummer ÄÖ', 's'.repeat(256))),
  })
  .map(defined);

const zone = fc.constantFrom(
  '',
  'UTC',
  'Etc/UTC',
  'Europe/Berlin',
  'W. Europe Standard Time',
  'Mars/Olympus',
);
const clock = fc
  .record({
    timezone: maybe(zone),
    utcOffsetSeconds: maybe(fc.constantFrom(0, 3600, -43_200, 60)),
  })
  .map(defined);
const host = zone.map((timezone) => ({ id: 'host-1', timezone, inMaintenance: false }));

/** Amounts in MiB as people choose them, and any number of bytes at all. */
const memoryBytes = mostly(
  fc.oneof(
    fc.integer({ min: 1, max: 16_384 }).map((mib) => mib * 2 ** 20),
    fc.integer({ min: 1, max: 2 ** 44 }),
  ),
  fc.constant(0),
  60,
);

export const sourceVms: fc.Arbitrary<VmModel> = fc
  .record({
    name: vmName,
    id: fc.stringMatching(/^vm-[0-9]{1,6}$/),
    power: fc.constantFrom(...powerStates),
    isTemplate: fc.boolean(),
    cpu,
    memoryBytes,
    firmware,
    clock: maybe(clock),
    host: maybe(host),
    family: fc.constantFrom('linux' as const, 'windows' as const, 'other' as const, 'unknown' as const),
    disks: mostly(fc.array(disk, { maxLength: 6 }), fc.array(disk, { minLength: 30, maxLength: 60 }), 40),
    nics: mostly(fc.array(nic, { maxLength: 4 }), fc.array(nic, { minLength: 8, maxLength: 10 }), 20),
  })
  .map(({ family, disks, nics, clock: ownClock, host: ownHost, ...rest }) =>
    sampleModel({
      ...rest,
      ...(ownClock !== undefined && { clock: ownClock }),
      ...(ownHost !== undefined && { host: ownHost }),
      guest: { ...sampleModel().guest, family },
      disks: disks.map((make, index) => make(index)),
      nics: nics.map((make, index) => make(index)),
    }),
  );
