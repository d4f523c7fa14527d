import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../../src/sandbox/random.ts';
import type { VddkRequest } from '../../../src/sandbox/world.ts';
import { password, user, VCenterWorld } from './soap-caller.ts';

const kibibyte = 1024;

function requestFor(world: VCenterWorld, change: Partial<VddkRequest> = {}): VddkRequest {
  const vm = world.vcenter.vm('web-1');
  const { url, thumbprint } = world.vcenter;
  const backingFile = vm.disks[0]?.file ?? '';
  return { url, thumbprint, user, password, uuid: vm.uuid, backingFile, ...change };
}

function worldWithVm(power: 'on' | 'off' = 'off'): VCenterWorld {
  const world = new VCenterWorld();
  const vm = world.vcenter.addVm({
    name: 'web-1',
    power,
    disks: [{ sizeBytes: 256 * kibibyte }, { sizeBytes: kibibyte }],
  });
  vm.disks[0]?.disk.write(4096, Buffer.from('first'));
  vm.disks[1]?.disk.write(0, Buffer.from('second'));
  return world;
}

/** Why nbdkit refused: what the pod's log says, and the importer's last words do not. */
function refusals(world: VCenterWorld): readonly (string | undefined)[] {
  return world.trace.entries.filter(({ who }) => who === 'nbdkit').map(({ detail }) => detail);
}

describe('reading a disk as an importer does', () => {
  test('the bytes of the disk that the file names, and where they are', async () => {
    await using world = worldWithVm();
    using disk = world.vcenter.openDisk(requestFor(world));
    expect(disk.sizeBytes).toBe(256 * kibibyte);
    expect(Buffer.from(disk.read(4096, 5)).toString()).toBe('first');
    expect(disk.extents().every(({ offset, length }) => offset <= 4096 && offset + length >= 4101)).toBe(
      true,
    );
    using second = world.vcenter.openDisk(
      requestFor(world, { backingFile: '[datastore1] web-1/web-1_1.vmdk' }),
    );
    expect(Buffer.from(second.read(0, 6)).toString()).toBe('second');
  });

  test('a VM is known by its BIOS uuid, not by its instance uuid', async () => {
    await using world = worldWithVm();
    const { uuid, instanceUuid } = world.vcenter.vm('web-1');
    expect(() => world.vcenter.openDisk(requestFor(world, { uuid: instanceUuid }))).toThrow(
      'unable to locate',
    );
    using disk = world.vcenter.openDisk(requestFor(world, { uuid: uuid.toUpperCase() }));
    expect(disk.sizeBytes).toBe(256 * kibibyte);
  });

  test.each<[string, Partial<VddkRequest>, string]>([
    [
      'a wrong password',
      { password: 'x' },
      'ServerFaultCode: Cannot complete login due to an incorrect user name or password.',
    ],
    ['an unknown VM', { uuid: 'none' }, 'unable to locate VM in any datacenter'],
    [
      'an unknown file',
      { backingFile: '[x] y.vmdk' },
      "disk '[x] y.vmdk' is not present in VM hardware config or snapshot list",
    ],
    ['a snapshot where there is none', { snapshot: 'snapshot-9' }, 'no snapshots for this VM'],
    ['a wrong thumbprint', { thumbprint: 'AA:BB' }, 'the server refuses option 7'],
    ['a CA that did not sign', { caPem: '' }, 'certificate signed by unknown authority'],
    [
      'another host',
      { url: 'https://elsewhere.example/sdk' },
      'Post "https://elsewhere.example/sdk": dial tcp',
    ],
    ['a bad URL', { url: 'not a url' }, 'invalid URI'],
  ])('%s is told as the importer tells it', async (_name, change, text) => {
    await using world = worldWithVm();
    const open = (): unknown => world.vcenter.openDisk(requestFor(world, change));
    expect(open).toThrow('Unable to connect to vddk data source: ');
    expect(open).toThrow(text);
  });

  test('a wrong password counts against the account that the API uses', async () => {
    await using world = worldWithVm();
    expect(() => world.vcenter.openDisk(requestFor(world, { password: 'x' }))).toThrow();
    expect(world.vcenter.account.wrongTries).toBe(1);
  });

  test('the vCenter’s own CA is good, another one is not', async () => {
    await using world = worldWithVm();
    await using other = new VCenterWorld({ random: seededRandom(9) });
    using disk = world.vcenter.openDisk(requestFor(world, { caPem: world.vcenter.caPem }));
    expect(disk.sizeBytes).toBeGreaterThan(0);
    expect(() => world.vcenter.openDisk(requestFor(world, { caPem: other.vcenter.caPem }))).toThrow(
      'unknown authority',
    );
  });

  test('the disk of a running VM is locked until it is off', async () => {
    await using world = worldWithVm('on');
    expect(() => world.vcenter.openDisk(requestFor(world))).toThrow('nbd_connect_uri: handshake');
    expect(refusals(world)).toEqual([expect.stringContaining('Failed to lock the file')]);
    world.vcenter.vm('web-1').powerOff();
    using disk = world.vcenter.openDisk(requestFor(world));
    expect(disk.sizeBytes).toBe(256 * kibibyte);
  });

  test('under a snapshot the base file can be read while the VM runs, and holds what it held then', async () => {
    await using world = worldWithVm('on');
    const vm = world.vcenter.vm('web-1');
    const before = requestFor(world);
    const snapshot = vm.takeSnapshot('backup');
    vm.disks[0]?.disk.write(4096, Buffer.from('later'));
    expect(vm.disks[0]?.file).toBe('[datastore1] web-1/web-1-000001.vmdk');
    for (const request of [before, requestFor(world, { snapshot })]) {
      using disk = world.vcenter.openDisk(request);
      expect(Buffer.from(disk.read(4096, 5)).toString()).toBe('first');
    }
    expect(() => world.vcenter.openDisk(requestFor(world))).toThrow('nbd_connect_uri: handshake');
    expect(refusals(world)).toEqual([expect.stringContaining('Failed to lock the file')]);
    vm.removeSnapshot(snapshot);
    expect(vm.disks[0]?.file).toBe(before.backingFile);
    vm.powerOff();
    using merged = world.vcenter.openDisk(before);
    expect(Buffer.from(merged.read(4096, 5)).toString()).toBe('later');
  });

  test('faults: a denied privilege refuses it, an outage breaks the reading off', async () => {
    await using world = worldWithVm();
    world.faults.start('vcenter-denied', { subject: 'web-1', times: 1 });
    expect(() => world.vcenter.openDisk(requestFor(world))).toThrow('nbd_connect_uri: handshake');
    expect(refusals(world)).toEqual([
      expect.stringContaining('Permission to perform this operation was denied'),
    ]);
    using disk = world.vcenter.openDisk(requestFor(world));
    using down = world.faults.start('vcenter-down');
    expect(() => disk.read(0, 1)).toThrow('Unable to copy block at offset 0: nbd_pread');
    expect(() => world.vcenter.openDisk(requestFor(world))).toThrow('connection refused');
    down[Symbol.dispose]();
    expect(disk.read(0, 1)).toHaveLength(1);
  });

  test('two VMs with one file share its bytes, which go with the last of them', async () => {
    await using world = new VCenterWorld();
    const disks = [{ sizeBytes: 4096, fileName: '[datastore2] shared/shared.vmdk' }];
    const [one, two] = ['one', 'two'].map((name) => world.vcenter.addVm({ name, disks }));
    one?.disks[0]?.disk.write(0, Buffer.from('x'));
    expect(Buffer.from(two?.disks[0]?.disk.read(0, 1) ?? []).toString()).toBe('x');
    one?.remove();
    expect(world.disks.ids).toHaveLength(1);
    two?.remove();
    expect(world.disks.ids).toEqual([]);
  });
});

describe('things left behind', () => {
  test('snapshots are listed by the beginning of their name', async () => {
    await using world = worldWithVm();
    const vm = world.vcenter.vm('web-1');
    vm.takeSnapshot('nightly backup');
    const id = vm.takeSnapshot('gantry-1a2b3c4d-1');
    expect(world.vcenter.marked('gantry-')).toEqual([{ vm: 'web-1', id, name: 'gantry-1a2b3c4d-1' }]);
    vm.removeSnapshot(id);
    expect(world.vcenter.marked('gantry-')).toEqual([]);
  });
});
