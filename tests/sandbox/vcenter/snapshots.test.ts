import { describe, expect, test } from '@jest/globals';
import type { FaultName } from '../../../src/sandbox/world.ts';
import type { VmInput } from '../../../src/sandbox/vcenter/vm-spec.ts';
import { childOf, childrenOf, textOf, VCenterWorld, type SoapCaller } from './soap-caller.ts';
import {
  done,
  filesOf,
  plain,
  quiesced,
  removeSnapshot,
  snapshot,
  start,
  taskAt,
  vm1,
} from './task-caller.ts';

const block = 65_536;

async function prepared(vm: Partial<VmInput> = {}): Promise<{ world: VCenterWorld; caller: SoapCaller }> {
  const world = new VCenterWorld();
  world.vcenter.addVm({ name: 'web-1', power: 'on', disks: [{ sizeBytes: 4 * block }], ...vm });
  return { world, caller: await world.loggedIn() };
}

async function flag(caller: SoapCaller, path: string): Promise<string | undefined> {
  return (await caller.property(...vm1, path))?.text;
}

/** "a(b(c))" for a tree of names. */
async function tree(caller: SoapCaller): Promise<string> {
  const info = await caller.property(...vm1, 'snapshot');
  if (info === undefined) return '';
  const write = (element: typeof info, list: string): string =>
    childrenOf(element, list)
      .map((node) => {
        const below = write(node, 'childSnapshotList');
        return `${textOf(node, 'name')}${below === '' ? '' : `(${below})`}`;
      })
      .join(' ');
  return write(info, 'rootSnapshotList');
}

describe('taking a snapshot', () => {
  test('is a task with progress whose result is the snapshot', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const inner = `<name>one</name><description>why</description>${plain}`;
    const task = await start(caller, 'CreateSnapshot_Task', inner);
    expect(await taskAt(caller, task)).toMatchObject({ state: 'queued' });
    await world.clock.advance(1_000);
    expect(await taskAt(caller, task)).toMatchObject({ state: 'running', progress: '50', result: '' });
    expect(await tree(caller)).toBe('');
    await world.clock.advance(1_000);
    expect(await taskAt(caller, task)).toMatchObject({
      state: 'success',
      result: 'snapshot-51',
      progress: '',
    });
    const info = await caller.property(...vm1, 'snapshot');
    const root = info && childOf(info, 'rootSnapshotList');
    expect(info && textOf(info, 'currentSnapshot')).toBe('snapshot-51');
    expect(root && ['name', 'description', 'state', 'quiesced'].map((name) => textOf(root, name))).toEqual([
      'one',
      'why',
      'poweredOff',
      'false',
    ]);
    const [rootSnapshot] = (await caller.property(...vm1, 'rootSnapshot'))?.children ?? [];
    expect(rootSnapshot?.text).toBe('snapshot-51');
    expect((await caller.property('VirtualMachineSnapshot', 'snapshot-51', 'vm'))?.text).toBe('vm-101');
  });

  test('freezes config and files: the VM goes on in a delta', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const first = await snapshot(world, caller, 'one');
    const second = await snapshot(world, caller, 'two');
    expect(await tree(caller)).toBe('one(two)');
    expect(await filesOf(caller, ...vm1)).toEqual(['web-1-000002.vmdk', 'web-1-000001.vmdk', 'web-1.vmdk']);
    expect(await filesOf(caller, 'VirtualMachineSnapshot', second)).toEqual([
      'web-1-000001.vmdk',
      'web-1.vmdk',
    ]);
    expect(await filesOf(caller, 'VirtualMachineSnapshot', first)).toEqual(['web-1.vmdk']);
    world.vcenter.vm('web-1').rename('other');
    expect((await caller.property('VirtualMachineSnapshot', first, 'config.name'))?.text).toBe('web-1');
    const children = await caller.property('VirtualMachineSnapshot', first, 'childSnapshot');
    expect(children?.children.map(({ text }) => text)).toEqual([second]);
  });

  test('quiesces a guest whose tools run, and leaves it out where none do', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    await done(world, caller, 'CreateSnapshot_Task', `<name>one</name>${quiesced}`);
    world.vcenter.vm('web-1').powerOff();
    const inner = '<name>two</name><memory>false</memory><quiesceSpec><timeout>5</timeout></quiesceSpec>';
    await done(world, caller, 'CreateSnapshotEx_Task', inner);
    const info = await caller.property(...vm1, 'snapshot');
    const root = info && childOf(info, 'rootSnapshotList');
    const child = root && childOf(root, 'childSnapshotList');
    expect([root && textOf(root, 'quiesced'), child && textOf(child, 'quiesced')]).toEqual(['true', 'false']);
  });

  test.each<[FaultName, string]>([
    ['snapshot-quiesce-fails', 'FilesystemQuiesceFault'],
    ['snapshot-busy', 'TaskInProgress'],
    ['datastore-full', 'NoDiskSpace'],
  ])('fails when there is %s, and leaves nothing', async (fault, type) => {
    const { world, caller } = await prepared();
    await using _world = world;
    world.faults.start(fault, { subject: 'web-1', times: 1 });
    const seen = await done(world, caller, 'CreateSnapshot_Task', `<name>one</name>${quiesced}`);
    expect(seen).toMatchObject({ state: 'error', fault: type });
    expect(await tree(caller)).toBe('');
    expect(await snapshot(world, caller, 'again')).toBe('snapshot-51');
  });

  test('fails while another task has the VM', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    await start(caller, 'PowerOffVM_Task');
    const seen = await done(world, caller, 'CreateSnapshot_Task', `<name>one</name>${plain}`);
    expect(seen).toMatchObject({ fault: 'TaskInProgress' });
  });

  test('is not done for a disk with several writers, and leaves independent disks out', async () => {
    const { world, caller } = await prepared({
      disks: [{ sizeBytes: block }, { sizeBytes: block, mode: 'independent_persistent' }],
    });
    await using _world = world;
    const id = await snapshot(world, caller, 'one');
    expect(await filesOf(caller, ...vm1, 2001)).toEqual(['web-1_1.vmdk']);
    expect(await filesOf(caller, 'VirtualMachineSnapshot', id, 2001)).toEqual(['web-1_1.vmdk']);
    world.vcenter.addVm({ name: 'shared', disks: [{ sizeBytes: block, sharing: 'sharingMultiWriter' }] });
    const inner = `<name>one</name>${plain}`;
    const seen = await done(world, caller, 'CreateSnapshot_Task', inner, ['VirtualMachine', 'vm-102']);
    expect(seen).toMatchObject({ state: 'error', fault: 'NotSupported' });
  });

  test('needs its privilege', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    world.vcenter.privileges.deny('VirtualMachine.State.CreateSnapshot');
    await expect(start(caller, 'CreateSnapshot_Task', `<name>one</name>${plain}`)).rejects.toThrow(
      'NoPermission',
    );
  });
});

describe('removing a snapshot', () => {
  test('takes it out of the tree as it begins, and merges its files by the end', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const id = await snapshot(world, caller, 'one');
    const inner = '<removeChildren>false</removeChildren>';
    const task = await start(caller, 'RemoveSnapshot_Task', inner, ['VirtualMachineSnapshot', id]);
    await world.clock.advance(1_000);
    expect(await taskAt(caller, task)).toMatchObject({ state: 'running' });
    expect(await tree(caller)).toBe('');
    expect(await filesOf(caller, ...vm1)).toEqual(['web-1-000001.vmdk', 'web-1.vmdk']);
    await world.clock.advance(3_000);
    expect(await taskAt(caller, task)).toMatchObject({ state: 'success' });
    expect(await filesOf(caller, ...vm1)).toEqual(['web-1.vmdk']);
    expect(await flag(caller, 'runtime.consolidationNeeded')).toBe('false');
    await expect(start(caller, 'RemoveSnapshot_Task', inner, ['VirtualMachineSnapshot', id])).rejects.toThrow(
      'ManagedObjectNotFound',
    );
  });

  test('in the middle of a chain gives its file to the one above, and no byte is lost', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const [disk] = world.vcenter.vm('web-1').disks;
    const content = (): string => Buffer.from(disk?.disk.read(0, 1) ?? []).toString();
    disk?.disk.write(0, Buffer.from('a'));
    await snapshot(world, caller, 'one');
    disk?.disk.write(0, Buffer.from('b'));
    const two = await snapshot(world, caller, 'two');
    disk?.disk.write(0, Buffer.from('c'));
    const three = await snapshot(world, caller, 'three');
    await removeSnapshot(world, caller, two);
    expect(await tree(caller)).toBe('one(three)');
    expect(await filesOf(caller, 'VirtualMachineSnapshot', three)).toEqual([
      'web-1-000001.vmdk',
      'web-1.vmdk',
    ]);
    expect(await filesOf(caller, ...vm1)).toEqual(['web-1-000003.vmdk', 'web-1-000001.vmdk', 'web-1.vmdk']);
    expect(content()).toBe('c');
    await snapshot(world, caller, 'four');
    expect((await filesOf(caller, ...vm1))[0]).toBe('web-1-000002.vmdk');
    const inner = '<removeChildren>true</removeChildren>';
    await done(world, caller, 'RemoveSnapshot_Task', inner, ['VirtualMachineSnapshot', three]);
    expect(await tree(caller)).toBe('one');
    await done(world, caller, 'RemoveAllSnapshots_Task');
    expect(await tree(caller)).toBe('');
    expect(await filesOf(caller, ...vm1)).toEqual(['web-1.vmdk']);
    expect(content()).toBe('c');
    expect(world.disks.ids).toEqual(['vcenter/vm-101/2000']);
  });

  test('may succeed and leave files, which a consolidation takes away', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const id = await snapshot(world, caller, 'one');
    world.faults.start('consolidation-fails', { times: 1 });
    expect(await removeSnapshot(world, caller, id)).toMatchObject({ state: 'success' });
    expect(await tree(caller)).toBe('');
    expect(await flag(caller, 'runtime.consolidationNeeded')).toBe('true');
    expect(await flag(caller, 'summary.runtime.consolidationNeeded')).toBe('true');
    const next = await snapshot(world, caller, 'two');
    expect(await filesOf(caller, 'VirtualMachineSnapshot', next)).toEqual([
      'web-1-000001.vmdk',
      'web-1.vmdk',
    ]);
    await removeSnapshot(world, caller, next);
    expect(await filesOf(caller, ...vm1)).toEqual(['web-1-000001.vmdk', 'web-1.vmdk']);
    expect(await done(world, caller, 'ConsolidateVMDisks_Task')).toMatchObject({ state: 'success' });
    expect(await filesOf(caller, ...vm1)).toEqual(['web-1.vmdk']);
    expect(await flag(caller, 'runtime.consolidationNeeded')).toBe('false');
  });

  test('leaves files when it is told not to consolidate', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const id = await snapshot(world, caller, 'one');
    const inner = '<removeChildren>false</removeChildren><consolidate>false</consolidate>';
    await done(world, caller, 'RemoveSnapshot_Task', inner, ['VirtualMachineSnapshot', id]);
    expect(await flag(caller, 'runtime.consolidationNeeded')).toBe('true');
  });

  test('can take very long', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const id = await snapshot(world, caller, 'one');
    world.faults.start('consolidation-slow', { subject: 'web-1', times: 1 });
    const inner = '<removeChildren>false</removeChildren>';
    const task = await start(caller, 'RemoveSnapshot_Task', inner, ['VirtualMachineSnapshot', id]);
    await world.clock.advance(290_000);
    expect(await taskAt(caller, task)).toMatchObject({ state: 'running', progress: '75' });
    await world.clock.advance(20_000);
    expect(await taskAt(caller, task)).toMatchObject({ state: 'success' });
  });

  test('a VM that owes a consolidation from before is freed of it by one', async () => {
    const { world, caller } = await prepared({ consolidationNeeded: true });
    await using _world = world;
    expect(await flag(caller, 'runtime.consolidationNeeded')).toBe('true');
    await done(world, caller, 'ConsolidateVMDisks_Task');
    expect(await flag(caller, 'runtime.consolidationNeeded')).toBe('false');
  });
});

describe('going back to a snapshot', () => {
  test('brings its bytes back, and the next one starts a branch', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const vm = world.vcenter.vm('web-1');
    const disk = vm.disks[0]!.disk;
    disk.write(0, Buffer.from('a'));
    const one = await snapshot(world, caller, 'one');
    disk.write(0, Buffer.from('b'));
    await snapshot(world, caller, 'two');
    await done(world, caller, 'RevertToSnapshot_Task', '', ['VirtualMachineSnapshot', one]);
    expect(Buffer.from(disk.read(0, 1)).toString()).toBe('a');
    expect(vm.power).toBe('poweredOff');
    disk.write(0, Buffer.from('c'));
    await snapshot(world, caller, 'three');
    expect(await tree(caller)).toBe('one(two three)');
    await removeSnapshot(world, caller, one);
    expect(await tree(caller)).toBe('two three');
    await done(world, caller, 'RevertToCurrentSnapshot_Task');
    expect(Buffer.from(disk.read(0, 1)).toString()).toBe('c');
    await done(world, caller, 'RemoveAllSnapshots_Task');
    expect(await filesOf(caller, ...vm1)).toEqual(['web-1.vmdk']);
    expect(world.disks.ids).toEqual(['vcenter/vm-101/2000']);
  });

  test('with memory leaves the VM running', async () => {
    const { world, caller } = await prepared();
    await using _world = world;
    const vm = world.vcenter.vm('web-1');
    const id = vm.takeSnapshot('by hand');
    vm.powerOff();
    await done(world, caller, 'RevertToSnapshot_Task', '', ['VirtualMachineSnapshot', id]);
    expect(vm.power).toBe('poweredOn');
  });
});

test('the files of a chain and what they hold are told in layoutEx', async () => {
  const { world, caller } = await prepared();
  await using _world = world;
  const disk = world.vcenter.vm('web-1').disks[0]!.disk;
  disk.write(0, Buffer.alloc(2 * block, 1));
  const one = await snapshot(world, caller, 'one');
  disk.write(0, Buffer.from('x'));
  const layout = await caller.property(...vm1, 'layoutEx');
  if (layout === undefined) throw new Error('no layout');
  const files = childrenOf(layout, 'file').map((file) => [textOf(file, 'name'), textOf(file, 'size')]);
  expect(files).toEqual([
    ['[datastore1] web-1/web-1.vmdk', '1024'],
    ['[datastore1] web-1/web-1-flat.vmdk', String(2 * block)],
    ['[datastore1] web-1/web-1-000001.vmdk', '1024'],
    ['[datastore1] web-1/web-1-000001-delta.vmdk', String(block)],
    [`web-1-${one}.vmsn`, '4096'],
  ]);
  const chain = (element: typeof layout): number =>
    childrenOf(childOf(element, 'disk') ?? element, 'chain').length;
  expect([chain(layout), chain(childOf(layout, 'snapshot') ?? layout)]).toEqual([2, 1]);
});

test('tasks are listed by their manager and by their VM, until they are forgotten', async () => {
  const { world, caller } = await prepared();
  await using _world = world;
  const task = await start(caller, 'CreateSnapshot_Task', `<name>one</name>${plain}`);
  const listed = async (type: string, id: string): Promise<readonly string[]> =>
    (await caller.property(type, id, 'recentTask'))?.children.map(({ text }) => text) ?? [];
  expect(await listed('TaskManager', 'TaskManager')).toEqual([task]);
  expect(await listed(...vm1)).toEqual([task]);
  await world.clock.advance(11 * 60_000);
  expect(await listed('TaskManager', 'TaskManager')).toEqual([]);
  expect(await listed(...vm1)).toEqual([]);
});

test('a task may be forgotten as soon as it has ended', async () => {
  const { world, caller } = await prepared();
  await using _world = world;
  world.faults.start('task-vanished', { subject: 'web-1', times: 1 });
  const task = await start(caller, 'CreateSnapshot_Task', `<name>one</name>${plain}`);
  await world.clock.advance(10_000);
  await expect(taskAt(caller, task)).rejects.toThrow('ManagedObjectNotFound');
  expect(await tree(caller)).toBe('one');
});

test('a VM that is removed takes its snapshots along', async () => {
  const { world, caller } = await prepared();
  await using _world = world;
  const vm = world.vcenter.vm('web-1');
  const id = await snapshot(world, caller, 'one');
  vm.disks[0]?.disk.write(0, Buffer.from('x'));
  vm.remove();
  await expect(caller.property('VirtualMachineSnapshot', id, 'config')).rejects.toThrow(
    'ManagedObjectNotFound',
  );
  expect(world.disks.ids).toEqual([]);
});
