import { describe, expect, test } from '@jest/globals';
import type { SoapCaller } from './soap-caller.ts';
import { childOf, textOf, VCenterWorld } from './soap-caller.ts';

const vm1 = ['VirtualMachine', 'vm-101'] as const;
const admin = 'VSPHERE.LOCAL\\Administrator';

async function taskInfo(caller: SoapCaller, id: string): Promise<{ state: string; error: string }> {
  const info = await caller.property('Task', id, 'info');
  if (info === undefined) return { state: 'gone', error: '' };
  const error = childOf(info, 'error');
  return {
    state: textOf(info, 'state'),
    error: error === undefined ? '' : textOf(error, 'localizedMessage'),
  };
}

async function start(caller: SoapCaller, method: string): Promise<string> {
  const [task] = await caller.call(method, vm1);
  return task?.text ?? '';
}

describe('power', () => {
  test('a power-off is a task that is queued, runs and then is done', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'web-1', power: 'on' });
    const caller = await world.loggedIn();
    const task = await start(caller, 'PowerOffVM_Task');
    expect(await taskInfo(caller, task)).toEqual({ state: 'queued', error: '' });
    await world.clock.advance(300);
    expect(await taskInfo(caller, task)).toEqual({ state: 'running', error: '' });
    expect(vm.power).toBe('poweredOn');
    await world.clock.advance(2_000);
    expect(await taskInfo(caller, task)).toEqual({ state: 'success', error: '' });
    expect(vm.power).toBe('poweredOff');
    expect(world.story).toEqual([
      `${admin} Login vcenter`,
      `${admin} PowerOffVM_Task web-1`,
      'vcenter poweredOff web-1',
    ]);
  });

  test('speed divides latencies', async () => {
    await using world = new VCenterWorld({ speed: 10 });
    const vm = world.vcenter.addVm({ name: 'web-1' });
    await start(await world.loggedIn(), 'PowerOnVM_Task');
    await world.clock.advance(230);
    expect(vm.power).toBe('poweredOn');
  });

  test('a done task is gone after ten minutes', async () => {
    await using world = new VCenterWorld();
    world.vcenter.addVm({ name: 'web-1' });
    const caller = await world.loggedIn();
    const task = await start(caller, 'PowerOnVM_Task');
    await world.clock.advance(9 * 60_000);
    expect(await taskInfo(caller, task)).toMatchObject({ state: 'success' });
    await world.clock.advance(2 * 60_000);
    await expect(taskInfo(caller, task)).rejects.toThrow('ManagedObjectNotFound');
  });

  test('to switch off what is off fails the task, not the call', async () => {
    await using world = new VCenterWorld();
    world.vcenter.addVm({ name: 'web-1' });
    const caller = await world.loggedIn();
    const task = await start(caller, 'PowerOffVM_Task');
    await world.clock.advance(5_000);
    const text = 'The attempted operation cannot be performed in the current state (Powered off).';
    expect(await taskInfo(caller, task)).toEqual({ state: 'error', error: text });
  });

  test('of two tasks at a time on one VM the second one fails', async () => {
    await using world = new VCenterWorld();
    world.vcenter.addVm({ name: 'web-1', power: 'on' });
    const caller = await world.loggedIn();
    const [first, second] = [await start(caller, 'PowerOffVM_Task'), await start(caller, 'PowerOffVM_Task')];
    await world.clock.advance(5_000);
    expect(await taskInfo(caller, first)).toMatchObject({ state: 'success' });
    expect(await taskInfo(caller, second)).toMatchObject({ error: 'Another task is already in progress.' });
  });

  test('a guest that is asked shuts down in its own time', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'web-1', power: 'on' });
    const caller = await world.loggedIn();
    expect(await caller.call('ShutdownGuest', vm1)).toEqual([]);
    await world.clock.advance(9_000);
    expect(vm.power).toBe('poweredOn');
    await world.clock.advance(2_000);
    expect(vm.power).toBe('poweredOff');
    expect(world.story.at(-1)).toBe('guest poweredOff web-1');
  });

  test('a guest may ignore it for ever, and can still be switched off hard', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'web-1', power: 'on' });
    const caller = await world.loggedIn();
    world.faults.start('guest-ignores-shutdown', { subject: 'web-1' });
    await caller.call('ShutdownGuest', vm1);
    await world.clock.advance(60 * 60_000);
    expect(vm.power).toBe('poweredOn');
    caller.cookie = undefined;
    await caller.login();
    await start(caller, 'PowerOffVM_Task');
    await world.clock.advance(5_000);
    expect(vm.power).toBe('poweredOff');
  });

  test('without running tools, or when it is off, a guest cannot be asked', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'web-1', power: 'on', guest: { tools: 'stopped' } });
    const caller = await world.loggedIn();
    await expect(caller.call('ShutdownGuest', vm1)).rejects.toThrow('ToolsUnavailable');
    vm.powerOff();
    await expect(caller.call('ShutdownGuest', vm1)).rejects.toThrow('InvalidPowerState');
  });

  test('what the tools report is there while they run', async () => {
    await using world = new VCenterWorld();
    const nics = [{ network: 'VM Network', addresses: [{ ip: '10.0.0.7', prefix: 24 }] }];
    const vm = world.vcenter.addVm({ name: 'web-1', power: 'on', nics });
    const caller = await world.loggedIn();
    const net = async (): Promise<boolean> => (await caller.property(...vm1, 'guest.net')) !== undefined;
    expect(await net()).toBe(true);
    vm.powerOff();
    expect(await net()).toBe(false);
    vm.powerOn();
    expect(await net()).toBe(false);
    await world.clock.advance(16_000);
    expect(await net()).toBe(true);
    expect(world.story.slice(1)).toEqual(['administrator poweredOff web-1', 'administrator poweredOn web-1']);
  });

  test('without the privilege nothing happens', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'web-1', power: 'on' });
    const caller = await world.loggedIn();
    const denied = world.vcenter.privileges.deny('VirtualMachine.Interact.PowerOff');
    await expect(caller.call('PowerOffVM_Task', vm1)).rejects.toThrow('NoPermission');
    await expect(caller.call('ShutdownGuest', vm1)).rejects.toThrow('NoPermission');
    const inner =
      '<entity type="Folder">group-d1</entity><sessionId>x</sessionId>' +
      '<privId>VirtualMachine.Interact.PowerOff</privId><privId>VirtualMachine.Interact.PowerOn</privId>';
    const privileges = await caller.call(
      'HasPrivilegeOnEntity',
      ['AuthorizationManager', 'AuthorizationManager'],
      inner,
    );
    expect(privileges.map(({ text }) => text)).toEqual(['false', 'true']);
    denied[Symbol.dispose]();
    world.faults.start('vcenter-denied', { subject: 'web-1', times: 1 });
    await expect(caller.call('PowerOffVM_Task', vm1)).rejects.toThrow('NoPermission');
    expect(world.story.filter((line) => line.includes('Power'))).toEqual([]);
    await start(caller, 'PowerOffVM_Task');
    await world.clock.advance(5_000);
    expect(vm.power).toBe('poweredOff');
  });
});
