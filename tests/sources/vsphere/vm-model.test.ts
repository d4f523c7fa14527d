import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { VmModelSchema, type Json } from '../../../src/model/vm.ts';
import { vmModelOf } from '../../../src/sources/vsphere/model/vm-model.ts';
import { guestFamily } from '../../../src/sources/vsphere/model/guest.ts';
import { ObjectTree } from '../../../src/sources/vsphere/object-tree.ts';
import { goldenTree, goldenVm, instance, modelWith, objectsIn } from './raw-vm.ts';

const scsi = { _type: 'ParaVirtualSCSIController', key: '1000', busNumber: '0', sharedBus: 'noSharing' };
const ide = { _type: 'VirtualIDEController', key: '200', busNumber: '0' };
const sata = { _type: 'VirtualAHCIController', key: '15000', busNumber: '0' };
const disk = (
  key: string,
  controllerKey: string,
  unitNumber: string,
  backing: Record<string, Json> = {},
) => ({
  _type: 'VirtualDisk',
  key,
  controllerKey,
  unitNumber,
  capacityInKB: '2048',
  backing: { _type: 'VirtualDiskFlatVer2BackingInfo', fileName: `[ds] v/${key}.vmdk`, ...backing },
});
const withDevices = (...devices: Json[]) => modelWith({ 'config.hardware.device': devices });

describe('the model of a VM', () => {
  test('says of the golden VM what a migration must know', () => {
    expect(modelWith()).toMatchObject({
      id: 'vm-101',
      name: 'web-1',
      path: '/DC/0/vm/web-1',
      identity: `${instance}/50200000-0000-4000-8000-000000000101`,
      power: 'On',
      isTemplate: false,
      reachable: true,
      host: { id: 'host-11', timezone: 'Europe/Berlin', inMaintenance: false },
      clock: { timezone: 'Europe/Berlin' },
      cpu: { sockets: 2, coresPerSocket: 1, threadsPerCore: 1 },
      memoryBytes: 2 * 1024 ** 3,
      firmware: {
        kind: 'efi',
        secureBoot: true,
        tpm: true,
        nvramLost: true,
        uuid: '42200000-0000-4000-8000-000000000101',
      },
      guest: { family: 'linux', osId: 'rhel9_64Guest', hostname: 'web-1.example', agent: 'running' },
      devices: [{ kind: 'tpm' }],
      metadata: { custom: { owner: 'shop' } },
    });
  });

  test('names each disk by its device and backing, its file and its datastore', () => {
    expect(modelWith().disks).toEqual([
      {
        key: '2000-6000C290-0000-0000-0000-000000000101',
        sourceId: '[datastore1] web-1/web-1.vmdk',
        taskName: '[datastore1] web-1/web-1.vmdk',
        index: 0,
        sizeBytes: 1024 * 1024,
        storage: { ids: ['datastore-21'], names: ['datastore1'] },
        kind: 'image',
        bus: 'scsi',
        serial: '6000C290-0000-0000-0000-000000000101',
        bootOrder: 1,
        shared: false,
        snapshotable: true,
        changeTracking: true,
        guestMount: '/',
        needsScratch: 'never',
      },
    ]);
  });

  test('finds the network of a NIC by its id or by the key of its port group', () => {
    expect(modelWith().nics).toMatchObject([
      {
        key: '4000',
        mac: '00:50:56:00:00:01',
        model: 'vmxnet3',
        linkUp: true,
        network: { ids: ['network-31'], names: ['VM Network'] },
        addresses: [
          { ip: '10.0.0.11', prefix: 24, origin: 'static', gateway: '10.0.0.1', dns: ['10.0.0.2'] },
        ],
      },
      {
        key: '4001',
        model: 'e1000e',
        linkUp: false,
        network: { ids: ['dvportgroup-33'], names: ['web'] },
        addresses: [],
      },
    ]);
  });

  test('keeps what a NIC says of a network that nobody may see', () => {
    const tree = new ObjectTree();
    expect(modelWith({}, tree).nics[0]?.network).toEqual({ ids: ['network-31'], names: ['VM Network'] });
    expect(modelWith({}, tree).nics[1]?.network).toEqual({ ids: ['dvportgroup-33'], names: [] });
    expect(modelWith({}, tree).disks[0]?.storage).toEqual({ ids: ['datastore-21'], names: ['datastore1'] });
  });

  test('orders disks as VMware does: SATA, IDE, SCSI, then controller and unit', () => {
    const model = withDevices(
      scsi,
      ide,
      sata,
      disk('2001', '1000', '1'),
      disk('2000', '1000', '0'),
      disk('3000', '200', '0'),
      disk('16000', '15000', '0'),
    );
    expect(model.disks.map((each) => [each.key, each.bus, each.index])).toEqual([
      ['16000', 'sata', 0],
      ['3000', 'ide', 1],
      ['2000', 'scsi', 2],
      ['2001', 'scsi', 3],
    ]);
  });

  test('never cuts a file name: the top file is read, the base file is shown', () => {
    const top = disk('2000', '1000', '0', {
      fileName: '[ds] v/v-000002.vmdk',
      parent: {
        fileName: '[ds] v/v-000001.vmdk',
        parent: { fileName: '[ds] templates/base.vmdk' },
      },
    });
    const [first] = withDevices(scsi, top).disks;
    expect(first).toMatchObject({ sourceId: '[ds] v/v-000002.vmdk', taskName: '[ds] templates/base.vmdk' });
    const odd = disk('2000', '1000', '0', { fileName: '[ds] v/foo-000001.vmdk' });
    expect(withDevices(scsi, odd).disks[0]?.taskName).toBe('[ds] v/foo-000001.vmdk');
  });

  test('knows which disks are in no snapshot', () => {
    const model = withDevices(
      scsi,
      disk('2000', '1000', '0', { diskMode: 'independent_persistent' }),
      disk('2001', '1000', '1', {
        _type: 'VirtualDiskRawDiskMappingVer1BackingInfo',
        compatibilityMode: 'physicalMode',
      }),
      disk('2002', '1000', '2', {
        _type: 'VirtualDiskRawDiskMappingVer1BackingInfo',
        compatibilityMode: 'virtualMode',
      }),
      disk('2003', '1000', '3', { sharing: 'sharingMultiWriter' }),
    );
    expect(model.disks.map((each) => [each.snapshotable, each.shared])).toEqual([
      [false, false],
      [false, false],
      [true, false],
      [false, true],
    ]);
    const clustered = withDevices({ ...scsi, sharedBus: 'physicalSharing' }, disk('2000', '1000', '0'));
    expect(clustered.disks[0]?.snapshotable).toBe(false);
  });

  test('counts change tracking per disk, and none where the VM has it off', () => {
    expect(modelWith({ 'config.changeTrackingEnabled': false }).disks[0]?.changeTracking).toBe(false);
    expect(modelWith({ 'config.extraConfig': [] }).disks[0]?.changeTracking).toBe(false);
  });

  test.each([
    [6, 4, { sockets: 6, coresPerSocket: 1 }],
    [8, 4, { sockets: 2, coresPerSocket: 4 }],
    [4, 0, { sockets: 4, coresPerSocket: 1 }],
    [0, 0, { sockets: 1, coresPerSocket: 1 }],
  ])('makes %d vCPUs with %d per socket a product that fits', (cpus, cores, expected) => {
    const model = modelWith({ 'config.hardware.numCPU': cpus, 'config.hardware.numCoresPerSocket': cores });
    expect(model.cpu).toMatchObject(expected);
  });

  test('lists the snapshots that are not ours', () => {
    const snapshot = objectsIn('vm-properties.snapshot.response')[0]?.properties['snapshot'] ?? null;
    expect(modelWith({ snapshot }).foreignSnapshots).toEqual([
      { id: 'snapshot-51', name: 'before update', memory: true },
    ]);
    const ours = JSON.parse(JSON.stringify(snapshot).replace('before update', 'gantry-0123abcd-1')) as Json;
    expect(modelWith({ snapshot: ours }).foreignSnapshots).toEqual([]);
  });

  test('tells guests apart by the start of their id', () => {
    expect(['windows9Server64Guest', 'winXPProGuest'].map(guestFamily)).toEqual(['windows', 'windows']);
    expect(['rhel9_64Guest', 'other5xLinux64Guest', 'ubuntu64Guest'].map(guestFamily)).toEqual(
      Array(3).fill('linux'),
    );
    expect(['darwin19_64Guest', 'freebsd13_64Guest'].map(guestFamily)).toEqual(['other', 'other']);
    expect(guestFamily(undefined)).toBe('unknown');
  });

  test('takes the configured guest id where the guest has told none', () => {
    const model = modelWith({ 'summary.guest.guestId': null, 'config.guestId': 'sles15_64Guest' });
    expect(model.guest).toMatchObject({ family: 'linux', osId: 'sles15_64Guest' });
  });

  test('decodes the three characters that a name may not hold on the wire', () => {
    expect(modelWith({ name: 'a%2fb%5cc%25d%20' }).name).toBe('a/b\\c%d%20');
  });
});

describe('any VM that a server may send', () => {
  const arbitraryJson = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
  const anyText = fc.oneof(fc.string(), fc.string({ minLength: 2000, maxLength: 5000 }));
  const number = fc.oneof(fc.integer().map(String), fc.constant('99999999999999999999'), fc.string());
  const backing = fc.record(
    {
      _type: fc.constantFrom('VirtualDiskFlatVer2BackingInfo', 'VirtualDiskRawDiskVer2BackingInfo', 'X'),
      fileName: anyText,
      descriptorFileName: anyText,
      uuid: anyText,
      diskMode: fc.constantFrom('persistent', 'independent_persistent', 'odd'),
      sharing: fc.constantFrom('sharingNone', 'sharingMultiWriter'),
      datastore: fc.oneof(fc.record({ type: anyText, value: anyText }), arbitraryJson),
      network: fc.record({ type: anyText, value: anyText }),
      port: fc.record({ portgroupKey: anyText }),
      deviceName: anyText,
    },
    { requiredKeys: [] },
  );
  const device = fc.record(
    {
      _type: fc.constantFrom(
        'VirtualDisk',
        'VirtualVmxnet3',
        'VirtualE1000',
        'VirtualSriovEthernetCard',
        'VirtualTPM',
        'VirtualAHCIController',
        'ParaVirtualSCSIController',
        'VirtualPCIPassthrough',
        'Unheard',
      ),
      key: fc.oneof(number, fc.constantFrom('1000', '2000', '4000')),
      controllerKey: fc.oneof(number, fc.constant('1000')),
      unitNumber: number,
      capacityInBytes: number,
      capacityInKB: number,
      macAddress: anyText,
      backing,
      connectable: arbitraryJson,
    },
    { requiredKeys: ['_type'] },
  );
  const nicInfo = fc.record(
    {
      deviceConfigId: fc.oneof(number, fc.constant('4000')),
      macAddress: anyText,
      ipConfig: fc.record({
        ipAddress: fc.array(fc.record({ ipAddress: anyText, prefixLength: number, origin: anyText })),
      }),
      dnsConfig: fc.record({ ipAddress: fc.array(anyText) }),
    },
    { requiredKeys: [] },
  );
  const properties = fc.record(
    {
      name: fc.oneof(anyText, arbitraryJson),
      'config.hardware.device': fc.oneof(fc.array(device, { maxLength: 12 }), arbitraryJson),
      'config.hardware.numCPU': fc.oneof(fc.integer(), arbitraryJson),
      'config.hardware.numCoresPerSocket': fc.oneof(fc.integer(), arbitraryJson),
      'config.hardware.memoryMB': fc.oneof(fc.integer(), fc.constant(2 ** 53 - 1), arbitraryJson),
      'config.instanceUuid': anyText,
      'config.uuid': anyText,
      'config.firmware': anyText,
      'config.bootOptions': arbitraryJson,
      'config.annotation': anyText,
      'config.extraConfig': arbitraryJson,
      availableField: fc.array(fc.record({ key: number, name: anyText })),
      customValue: fc.array(fc.record({ key: number, value: anyText })),
      'guest.net': fc.oneof(fc.array(nicInfo), arbitraryJson),
      'guest.disk': fc.oneof(
        fc.array(fc.record({ diskPath: anyText, freeSpace: number, mappings: arbitraryJson })),
        arbitraryJson,
      ),
      'guest.ipStack': arbitraryJson,
      'guest.hostName': anyText,
      'runtime.powerState': anyText,
      'runtime.host': fc.oneof(fc.record({ type: anyText, value: anyText }), arbitraryJson),
      snapshot: arbitraryJson,
      parent: arbitraryJson,
    },
    { requiredKeys: [] },
  );

  const schema = Compile(VmModelSchema);

  test('gives a model that fits the schema', () => {
    fc.assert(
      fc.property(properties, fc.string({ minLength: 1 }), (raw, id) => {
        const context = new ObjectTree().context(instance);
        const ref = { type: 'VirtualMachine', value: id };
        const model = vmModelOf({ ref, properties: raw }, context);
        if (!schema.Check(model)) expect(schema.Errors(model)).toEqual([]);
        expect(model.cpu.sockets * model.cpu.coresPerSocket).toBeGreaterThanOrEqual(1);
        expect(model.disks.map((each) => each.index)).toEqual(model.disks.map((_each, index) => index));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the digest of a VM', () => {
  test('is not changed by what comes and goes with a running guest, nor by where it runs', () => {
    const tree = goldenTree();
    const host = tree.find('host-11')?.properties ?? {};
    tree.put({
      ref: { type: 'HostSystem', value: 'host-12' },
      properties: { ...host, name: 'esx2.example' },
    });
    const stoppedElsewhere = modelWith(
      {
        'runtime.powerState': 'poweredOff',
        'runtime.host': { type: 'HostSystem', value: 'host-12' },
        'guest.net': null,
        'guest.disk': null,
        'guest.ipStack': null,
        'guest.hostName': null,
        'guest.toolsRunningStatus': 'guestToolsNotRunning',
        'summary.storage.committed': 1,
        'config.annotation': 'a new note',
      },
      tree,
    );
    expect(stoppedElsewhere).toMatchObject({ power: 'Off', host: { id: 'host-12' } });
    expect(stoppedElsewhere.digest).toBe(modelWith().digest);
  });

  test('does not hang on the order in which the guest tells its NICs', () => {
    const net = goldenVm().properties['guest.net'] ?? null;
    const reordered = modelWith({ 'guest.net': [{ deviceConfigId: '4001' }, ...(net as Json[])] });
    expect(reordered.nics.map((nic) => nic.key)).toEqual(['4001', '4000']);
    expect(reordered.digest).toBe(modelWith().digest);
  });

  test.each<[string, Record<string, Json>]>([
    ['memory', { 'config.hardware.memoryMB': 4096 }],
    ['a disk', { 'config.hardware.device': [scsi, disk('2000', '1000', '0')] }],
    ['the firmware', { 'config.firmware': 'bios' }],
    ['the guest system', { 'summary.guest.guestId': 'windows9Server64Guest' }],
    ['the name', { name: 'other' }],
  ])('changes with %s', (_what, change) => {
    expect(modelWith(change).digest).not.toBe(modelWith().digest);
  });

  test('needs the backing file: a snapshot that appears is a change', () => {
    const text = JSON.stringify(goldenVm().properties['config.hardware.device']);
    const moved = JSON.parse(text.replace('web-1/web-1.vmdk', 'web-1/web-1-000001.vmdk')) as Json;
    expect(modelWith({ 'config.hardware.device': moved }).digest).not.toBe(modelWith().digest);
  });
});
