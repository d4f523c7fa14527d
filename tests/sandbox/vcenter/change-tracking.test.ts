import { describe, expect, test } from '@jest/globals';
import type { VmInput } from '../../../src/sandbox/vcenter/vm-spec.ts';
import type { VddkRequest } from '../../../src/sandbox/world.ts';
import { childOf, childrenOf, password, textOf, user, VCenterWorld, type SoapCaller } from './soap-caller.ts';
import { done, removeSnapshot, snapshot, vm1 } from './task-caller.ts';

const block = 65_536;
const pattern = /^([\da-f]{2} ){7}[\da-f]{2}-([\da-f]{2} ){7}[\da-f]{2}\/\d+$/;

interface Prepared {
  readonly world: VCenterWorld;
  readonly caller: SoapCaller;
  readonly write: (blocks: readonly number[], fill?: number) => void;
}

async function prepared(vm: Partial<VmInput> = {}, maxChangedAreas = 2000): Promise<Prepared> {
  const world = new VCenterWorld({ maxChangedAreas });
  const disks = [{ sizeBytes: 16 * block }];
  const handle = world.vcenter.addVm({ name: 'web-1', power: 'on', changeTracking: true, disks, ...vm });
  const write = (blocks: readonly number[], fill = 1): void => {
    for (const at of blocks) handle.disks[0]?.disk.write(at * block + 5, Uint8Array.of(fill));
  };
  return { world, caller: await world.loggedIn(), write };
}

async function changeId(
  caller: SoapCaller,
  at: readonly [string, string],
  key = 2000,
): Promise<string | undefined> {
  const backing = await caller.property(...at, `config.hardware.device[${key}].backing`);
  return backing && childOf(backing, 'changeId')?.text;
}

async function idAt(caller: SoapCaller, snapshotId: string): Promise<string> {
  return (await changeId(caller, ['VirtualMachineSnapshot', snapshotId])) ?? '';
}

interface Answer {
  readonly start: number;
  readonly length: number;
  /** In blocks. */
  readonly areas: readonly (readonly [start: number, length: number])[];
}

async function changed(
  caller: SoapCaller,
  snapshotId: string | undefined,
  since: string,
  { offset = 0, key = 2000 } = {},
): Promise<Answer> {
  const ref =
    snapshotId === undefined ? '' : `<snapshot type="VirtualMachineSnapshot">${snapshotId}</snapshot>`;
  const inner = `${ref}<deviceKey>${key}</deviceKey><startOffset>${offset}</startOffset><changeId>${since}</changeId>`;
  const [info] = await caller.call('QueryChangedDiskAreas', vm1, inner);
  if (info === undefined) throw new Error('no answer');
  return {
    start: Number(textOf(info, 'startOffset')),
    length: Number(textOf(info, 'length')) / block,
    areas: childrenOf(info, 'changedArea').map((area) => [
      Number(textOf(area, 'start')) / block,
      Number(textOf(area, 'length')) / block,
    ]),
  };
}

describe('changed areas', () => {
  test('are what was written between two snapshots; the first of them need not be there any more', async () => {
    const { world, caller, write } = await prepared();
    await using _world = world;
    write([0, 1]);
    const one = await snapshot(world, caller, 'one');
    const first = await idAt(caller, one);
    expect(first).toMatch(pattern);
    await removeSnapshot(world, caller, one);
    write([3, 4, 9]);
    const two = await snapshot(world, caller, 'two');
    write([12]);
    expect(await changed(caller, two, first)).toEqual({
      start: 0,
      length: 16,
      areas: [
        [3, 2],
        [9, 1],
      ],
    });
    const second = await idAt(caller, two);
    expect(second.split('/')[0]).toBe(first.split('/')[0]);
    expect(await changed(caller, two, second)).toEqual({ start: 0, length: 16, areas: [] });
    expect(await changed(caller, two, '*')).toMatchObject({
      areas: [
        [0, 2],
        [3, 2],
        [9, 1],
      ],
    });
  });

  test('come in pages that end early, and go on where the last one ended', async () => {
    const { world, caller, write } = await prepared({}, 2);
    await using _world = world;
    const one = await snapshot(world, caller, 'one');
    write([1, 3, 5, 7, 9]);
    const two = await snapshot(world, caller, 'two');
    const since = await idAt(caller, one);
    expect(await changed(caller, two, since)).toEqual({
      start: 0,
      length: 5,
      areas: [
        [1, 1],
        [3, 1],
      ],
    });
    expect(await changed(caller, two, since, { offset: 5 * block })).toEqual({
      start: 5 * block,
      length: 4,
      areas: [
        [5, 1],
        [7, 1],
      ],
    });
    expect(await changed(caller, two, since, { offset: 9 * block })).toMatchObject({
      length: 7,
      areas: [[9, 1]],
    });
    await expect(changed(caller, two, since, { offset: 16 * block })).rejects.toThrow('InvalidArgument');
  });

  test('of a VM that is off can be asked for without a snapshot, of a running one not', async () => {
    const { world, caller, write } = await prepared();
    await using _world = world;
    const since = await idAt(caller, await snapshot(world, caller, 'one'));
    write([2]);
    await expect(changed(caller, undefined, since)).rejects.toThrow('FileFault');
    world.vcenter.vm('web-1').powerOff();
    expect(await changed(caller, undefined, since)).toMatchObject({ areas: [[2, 1]] });
  });

  test.each<[string, string, string]>([
    ['no changeId at all', 'snapshot-51', 'InvalidArgument'],
    ['one of another epoch', '52 00 00 00 00 00 00 00-00 00 00 00 00 00 00 00/1', 'FileFault'],
  ])('cannot be told since %s', async (_name, since, fault) => {
    const { world, caller } = await prepared();
    await using _world = world;
    const one = await snapshot(world, caller, 'one');
    await expect(changed(caller, one, since)).rejects.toThrow(fault);
  });

  test('cannot be told since a later state, for a disk that is not there, or without the privilege', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const one = await snapshot(world, caller, 'one');
    const two = await snapshot(world, caller, 'two');
    await expect(changed(caller, one, await idAt(caller, two))).rejects.toThrow('FileFault');
    await expect(changed(caller, one, '*', { key: 2009 })).rejects.toThrow('InvalidArgument');
    await expect(changed(caller, 'snapshot-9', '*')).rejects.toThrow('ManagedObjectNotFound');
    world.vcenter.privileges.deny('VirtualMachine.Provisioning.DiskRandomRead');
    await expect(changed(caller, one, '*')).rejects.toThrow('NoPermission');
  });
});

describe('change tracking', () => {
  const on = '<spec><changeTrackingEnabled>true</changeTrackingEnabled></spec>';

  async function options(caller: SoapCaller): Promise<readonly string[]> {
    const extra = await caller.property(...vm1, 'config.extraConfig');
    return extra?.children.map((option) => textOf(option, 'key')) ?? [];
  }

  test('is switched on by a task, and in effect from the next snapshot on', async () => {
    const { world, caller, write } = await prepared({ changeTracking: false });
    await using _world = world;
    expect(await changeId(caller, vm1)).toBeUndefined();
    expect(await done(world, caller, 'ReconfigVM_Task', on)).toMatchObject({ state: 'success' });
    expect((await caller.property(...vm1, 'config.changeTrackingEnabled'))?.text).toBe('true');
    expect(await changeId(caller, vm1)).toBeUndefined();
    expect(await options(caller)).toEqual(['ctkEnabled']);
    const one = await snapshot(world, caller, 'one');
    expect(await options(caller)).toEqual(['ctkEnabled', 'scsi0:0.ctkEnabled']);
    write([1]);
    const two = await snapshot(world, caller, 'two');
    expect(await changed(caller, two, await idAt(caller, one))).toMatchObject({ areas: [[1, 1]] });
  });

  test('takes effect with a power-on, too', async () => {
    const { world, caller } = await prepared({ changeTracking: false, power: 'off' });
    await using _world = world;
    await done(world, caller, 'ReconfigVM_Task', on);
    expect(await changeId(caller, vm1)).toBeUndefined();
    await done(world, caller, 'PowerOnVM_Task');
    expect(await changeId(caller, vm1)).toMatch(pattern);
  });

  test('without it a snapshot has no changeId, and changes cannot be told', async () => {
    const { world, caller } = await prepared({ changeTracking: false });
    await using _world = world;
    const one = await snapshot(world, caller, 'one');
    expect(await idAt(caller, one)).toBe('');
    await expect(changed(caller, one, '*')).rejects.toThrow('FileFault');
  });

  test('switched off and on again begins anew', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const before = await idAt(caller, await snapshot(world, caller, 'one'));
    const vm = world.vcenter.vm('web-1');
    vm.setChangeTracking(false);
    expect(await changeId(caller, vm1)).toBeUndefined();
    vm.setChangeTracking(true);
    const two = await snapshot(world, caller, 'two');
    expect((await idAt(caller, two)).split('/')[0]).not.toBe(before.split('/')[0]);
    await expect(changed(caller, two, before)).rejects.toThrow('FileFault');
  });

  test('survives power cycles', async () => {
    const { world, caller, write } = await prepared();
    await using _world = world;
    const before = await idAt(caller, await snapshot(world, caller, 'one'));
    const vm = world.vcenter.vm('web-1');
    vm.powerOff();
    vm.powerOn();
    write([6]);
    expect(await changed(caller, await snapshot(world, caller, 'two'), before)).toMatchObject({
      areas: [[6, 1]],
    });
  });

  test.each<[string, (prepared: Prepared) => Promise<void> | void]>([
    ['a crash', ({ world }) => world.vcenter.vm('web-1').loseChangeTracking()],
    [
      'a revert',
      ({ world }) => {
        const vm = world.vcenter.vm('web-1');
        const id = vm.takeSnapshot('backup');
        vm.revertToSnapshot(id);
        vm.removeSnapshot(id);
      },
    ],
    ['growth', ({ world }) => world.vcenter.vm('web-1').growDisk(2000, 20 * block)],
    ['a move to another datastore', ({ world }) => world.vcenter.vm('web-1').moveDisk(2000, 'datastore2')],
    [
      'a fault as the snapshot is taken',
      ({ world }) => void world.faults.start('change-tracking-lost', { subject: 'web-1', times: 1 }),
    ],
  ])('is lost by %s: the epoch is another one', async (_name, lose) => {
    const all = await prepared();
    await using world = all.world;
    const { caller } = all;
    const one = await snapshot(world, caller, 'one');
    const before = await idAt(caller, one);
    await removeSnapshot(world, caller, one);
    await lose(all);
    const two = await snapshot(world, caller, 'two');
    expect(await idAt(caller, two)).toMatch(pattern);
    await expect(changed(caller, two, before)).rejects.toThrow('FileFault');
    expect(await changed(caller, two, '*')).toMatchObject({ areas: [] });
  });
});

describe('disks that change', () => {
  const device = (inner: string): string => `<spec><deviceChange>${inner}</deviceChange></spec>`;
  const disk = (key: number, kibibytes: number, more = ''): string =>
    `<device xsi:type="VirtualDisk"><key>${key}</key>${more}<capacityInKB>${kibibytes}</capacityInKB></device>`;

  test('a disk is added, grows and goes through the API', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const vm = world.vcenter.vm('web-1');
    const backing =
      '<backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[datastore2]</fileName><diskMode>persistent</diskMode></backing>' +
      '<controllerKey>1000</controllerKey><unitNumber>3</unitNumber>';
    const added = `<operation>add</operation><fileOperation>create</fileOperation>${disk(-1, 64, backing)}`;
    expect(await done(world, caller, 'ReconfigVM_Task', device(added))).toMatchObject({ state: 'success' });
    expect(vm.disks.map(({ key, file }) => [key, file])).toEqual([
      [2000, '[datastore1] web-1/web-1.vmdk'],
      [2003, '[datastore2] web-1/web-1_1.vmdk'],
    ]);
    const stores = await caller.property(...vm1, 'datastore');
    expect(stores?.children.map(({ text }) => text)).toEqual(['datastore-21', 'datastore-22']);
    await done(world, caller, 'ReconfigVM_Task', device(`<operation>edit</operation>${disk(2003, 128)}`));
    expect(vm.disks[1]?.disk.sizeBytes).toBe(128 * 1024);
    const grown = await caller.property(...vm1, 'config.hardware.device[2003]');
    expect(grown && textOf(grown, 'capacityInBytes')).toBe('131072');
    await done(world, caller, 'ReconfigVM_Task', device(`<operation>remove</operation>${disk(2003, 128)}`));
    expect(vm.disks).toHaveLength(1);
    expect(await caller.property(...vm1, 'config.hardware.device[2003].key')).toBeUndefined();
  });

  test('one added later is in later snapshots only', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const vm = world.vcenter.vm('web-1');
    const one = await snapshot(world, caller, 'one');
    const key = vm.addDisk({ sizeBytes: block });
    const two = await snapshot(world, caller, 'two');
    expect(await changeId(caller, ['VirtualMachineSnapshot', one], key)).toBeUndefined();
    expect(await changeId(caller, ['VirtualMachineSnapshot', two], key)).toMatch(pattern);
    await removeSnapshot(world, caller, one);
    expect(vm.disks[1]?.file).toBe('[datastore1] web-1/web-1_1-000001.vmdk');
  });

  test('under a snapshot a disk neither grows nor goes', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    await snapshot(world, caller, 'one');
    const grow = device(`<operation>edit</operation>${disk(2000, 4096)}`);
    expect(await done(world, caller, 'ReconfigVM_Task', grow)).toMatchObject({ fault: 'NotSupported' });
    expect(() => world.vcenter.vm('web-1').removeDisk(2000)).toThrow('has snapshots');
  });

  test('a network card is disconnected, and nothing else of it or of another device can be changed', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const flags =
      '<startConnected>false</startConnected><allowGuestControl>true</allowGuestControl><connected>false</connected>';
    const card = (operation: string, type: string, key: number): string =>
      device(
        `<operation>${operation}</operation><device xsi:type="${type}"><key>${key}</key><connectable>${flags}</connectable></device>`,
      );
    expect(await done(world, caller, 'ReconfigVM_Task', card('edit', 'VirtualVmxnet3', 4000))).toMatchObject({
      state: 'success',
    });
    const seen = await caller.property(...vm1, 'config.hardware.device[4000].connectable');
    expect(seen && textOf(seen, 'connected')).toBe('false');
    for (const [operation, type] of [
      ['remove', 'VirtualVmxnet3'],
      ['add', 'VirtualTPM'],
    ] as const) {
      const refused = await done(world, caller, 'ReconfigVM_Task', card(operation, type, 4000));
      expect(refused).toMatchObject({ fault: 'NotSupported' });
    }
  });

  test('options and notes can be set, an empty option goes', async () => {
    const { world, caller } = await prepared({ changeTracking: false, extraConfig: { a: '1' } });
    await using _world = world;
    const option = (key: string, value: string): string =>
      `<extraConfig xsi:type="OptionValue"><key>${key}</key><value xmlns:xsd="http://www.w3.org/2001/XMLSchema" xsi:type="xsd:string">${value}</value></extraConfig>`;
    const inner = `<spec><annotation>moved</annotation>${option('a', '')}${option('b', '2')}</spec>`;
    expect(await done(world, caller, 'ReconfigVM_Task', inner)).toMatchObject({ state: 'success' });
    expect((await caller.property(...vm1, 'config.annotation'))?.text).toBe('moved');
    const extra = await caller.property(...vm1, 'config.extraConfig');
    expect(extra?.children.map((each) => textOf(each, 'key'))).toEqual(['b']);
  });
});

describe('an importer’s delta', () => {
  function requestFor(world: VCenterWorld, change: Partial<VddkRequest> = {}): VddkRequest {
    const { url, thumbprint } = world.vcenter;
    const backingFile = '[datastore1] web-1/web-1.vmdk';
    const { uuid } = world.vcenter.vm('web-1');
    return { url, thumbprint, user, password, uuid, backingFile, ...change };
  }

  test('names the areas since a changeId, over all pages, and reads them as of the snapshot', async () => {
    const { world, caller, write } = await prepared({}, 2);
    await using _world = world;
    write([1], 1);
    const one = await snapshot(world, caller, 'one');
    const previous = await idAt(caller, one);
    await removeSnapshot(world, caller, one);
    write([1, 4, 8, 10, 12], 2);
    const two = await snapshot(world, caller, 'two');
    write([1, 2], 3);
    using disk = world.vcenter.openDisk(requestFor(world, { snapshot: two }));
    const areas = disk.changedAreas(previous);
    expect(areas.map(({ offset }) => offset / block)).toEqual([1, 4, 8, 10, 12]);
    expect(disk.read(block + 5, 1)).toEqual(Uint8Array.of(2));
    expect(disk.host).toBe('esx1.example');
  });

  test('since a snapshot works as long as one page is enough', async () => {
    const { world, caller, write } = await prepared({}, 2);
    await using _world = world;
    const one = await snapshot(world, caller, 'one');
    write([1, 3]);
    const two = await snapshot(world, caller, 'two');
    write([5]);
    const three = await snapshot(world, caller, 'three');
    using second = world.vcenter.openDisk(requestFor(world, { snapshot: two }));
    expect(second.changedAreas(one)).toHaveLength(2);
    using third = world.vcenter.openDisk(requestFor(world, { snapshot: three }));
    expect(() => third.changedAreas(one)).toThrow('again and again');
    expect(() => third.changedAreas('snapshot-1')).toThrow('Could not find previous snapshot snapshot-1');
  });

  test('the base file leads to the disk although a consolidation is owed', async () => {
    const { world, caller, write } = await prepared();
    await using _world = world;
    const one = await snapshot(world, caller, 'one');
    world.faults.start('consolidation-fails', { times: 1 });
    await removeSnapshot(world, caller, one);
    write([7], 7);
    const two = await snapshot(world, caller, 'two');
    using disk = world.vcenter.openDisk(requestFor(world, { snapshot: two }));
    expect(disk.read(7 * block + 5, 1)).toEqual(Uint8Array.of(7));
  });

  test('says in the importer’s words what the vCenter refused', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const one = await snapshot(world, caller, 'one');
    const previous = await idAt(caller, one);
    const vm = world.vcenter.vm('web-1');
    vm.loseChangeTracking();
    const two = await snapshot(world, caller, 'two');
    using disk = world.vcenter.openDisk(requestFor(world, { snapshot: two }));
    expect(() => disk.changedAreas(previous)).toThrow('Failed to query changed areas: ServerFaultCode: ');
    using _down = world.faults.start('vcenter-down');
    expect(() => disk.changedAreas(previous)).toThrow('connection refused');
  });
});
