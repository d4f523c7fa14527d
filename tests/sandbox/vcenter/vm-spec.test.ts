import { describe, expect, test } from '@jest/globals';
import type { DiskInput, NicModel, VmInput } from '../../../src/sandbox/vcenter/vm-spec.ts';
import type { CanonicalElement } from '../../golden/vsphere/canonical.ts';
import { childOf, local, textOf, VCenterWorld } from './soap-caller.ts';

const mebibyte = 1024 * 1024;

async function devicesOf(input: VmInput): Promise<readonly CanonicalElement[]> {
  await using world = new VCenterWorld();
  const vm = world.vcenter.addVm(input);
  const caller = await world.loggedIn();
  return (await caller.property('VirtualMachine', vm.id, 'config.hardware.device'))?.children ?? [];
}

function typeOf(element: CanonicalElement | undefined): string {
  return local(element?.attributes['{http://www.w3.org/2001/XMLSchema-instance}type'] ?? '');
}

/** "2000 on 1000:0" for each disk. */
function disksIn(devices: readonly CanonicalElement[]): readonly string[] {
  return devices
    .filter((device) => typeOf(device) === 'VirtualDisk')
    .map(
      (disk) => `${textOf(disk, 'key')} on ${textOf(disk, 'controllerKey')}:${textOf(disk, 'unitNumber')}`,
    );
}

function controllersIn(devices: readonly CanonicalElement[]): readonly string[] {
  return devices
    .filter(
      (device) => childOf(device, 'busNumber') !== undefined && typeOf(device) !== 'VirtualPCIController',
    )
    .map((device) => `${typeOf(device)} ${textOf(device, 'key')}`);
}

function disk(controller: NonNullable<DiskInput['controller']>): DiskInput {
  return { sizeBytes: mebibyte, controller };
}

describe('devices of a VM', () => {
  test('each kind of bus has its controller, its keys and its units', async () => {
    const kinds = ['pvscsi', 'lsilogic', 'sata', 'ide', 'nvme'] as const;
    const devices = await devicesOf({
      name: 'all',
      disks: [...kinds.map(disk), disk('pvscsi')],
      cdrom: true,
    });
    expect(controllersIn(devices)).toEqual([
      'VirtualIDEController 200',
      'ParaVirtualSCSIController 1000',
      'VirtualLsiLogicController 1001',
      'VirtualAHCIController 15000',
      'VirtualNVMEController 31000',
    ]);
    expect(disksIn(devices)).toEqual([
      '2000 on 1000:0',
      '2016 on 1001:0',
      '16000 on 15000:0',
      '3001 on 200:1',
      '32000 on 31000:0',
      '2001 on 1000:1',
    ]);
  });

  test('a full SCSI controller leaves out unit 7 and gets a second one, whatever else is there', async () => {
    const sixteen = Array.from({ length: 16 }, () => disk('pvscsi'));
    const placed = disksIn(await devicesOf({ name: 'many', disks: [disk('lsisas'), ...sixteen] }));
    expect(placed[0]).toBe('2000 on 1000:0');
    expect(placed.slice(1, 9).map((line) => line.split(':')[1])).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '8',
    ]);
    expect(placed.at(-1)).toBe('2032 on 1002:0');
    expect(new Set(placed).size).toBe(17);
  });

  test.each<[NicModel, string]>([
    ['vmxnet3', 'VirtualVmxnet3'],
    ['e1000', 'VirtualE1000'],
    ['e1000e', 'VirtualE1000e'],
    ['pcnet32', 'VirtualPCNet32'],
    ['sriov', 'VirtualSriovEthernetCard'],
  ])('a network card of model %s is a %s', async (model, type) => {
    const devices = await devicesOf({
      name: 'one',
      nics: [{ network: 'DMZ', model, mac: '00:50:56:AB:CD:EF' }],
    });
    const card = devices.find((device) => textOf(device, 'key') === '4000');
    expect([typeOf(card), card && textOf(card, 'macAddress')]).toEqual([type, '00:50:56:AB:CD:EF']);
    expect(typeOf(card && childOf(card, 'backing'))).toBe(
      'VirtualEthernetCardDistributedVirtualPortBackingInfo',
    );
  });

  test('changes are tracked on disks that snapshots hold, and on no other', async () => {
    const disks: DiskInput[] = [
      { sizeBytes: mebibyte },
      { sizeBytes: mebibyte, mode: 'independent_persistent' },
      { sizeBytes: mebibyte, rdm: 'physicalMode' },
      { sizeBytes: mebibyte, rdm: 'virtualMode' },
    ];
    const devices = await devicesOf({ name: 'tracked', changeTracking: true, disks });
    const backings = devices.flatMap((device) =>
      typeOf(device) === 'VirtualDisk' ? [childOf(device, 'backing')] : [],
    );
    expect(backings.map((backing) => backing && childOf(backing, 'changeId') !== undefined)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(typeOf(backings[2])).toBe('VirtualDiskRawDiskMappingVer1BackingInfo');
  });

  test('a network or datastore that is not there is an error at once', async () => {
    await using world = new VCenterWorld();
    expect(() => world.vcenter.addVm({ name: 'x', nics: [{ network: 'Nowhere' }] })).toThrow(
      'no Network "Nowhere"',
    );
    const disks = [{ sizeBytes: mebibyte, datastore: 'nowhere' }];
    expect(() => world.vcenter.addVm({ name: 'x', disks })).toThrow('no Datastore "nowhere"');
  });

  test('two worlds of one seed answer alike, to the byte', async () => {
    const answers = await Promise.all(
      [1, 2].map(async () => {
        await using world = new VCenterWorld();
        world.vcenter.addVm({ name: 'web-1', power: 'on', tpm: true, changeTracking: true });
        const caller = await world.loggedIn();
        const devices = await caller.property('VirtualMachine', 'vm-101', 'config.hardware');
        return JSON.stringify([caller.cookie, world.vcenter.thumbprint, devices, world.trace.entries]);
      }),
    );
    expect(answers[1]).toBe(answers[0]);
  });
});
