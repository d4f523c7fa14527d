import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { InventoryStore } from '../../../src/inventory/store.ts';
import { scrubber } from '../../../src/model/scrub.ts';
import type { VmHandle } from '../../../src/model/source-data.ts';
import { SystemClock } from '../../../src/runtime/clock.ts';
import { RecordingLogger } from '../../../src/runtime/recording-logger.ts';
import { createHttpEndpoint } from '../../../src/sources/http-endpoint.ts';
import type { Connection, Source, SourceDeps, SourcePlatform } from '../../../src/sources/source.ts';
import { createVspherePlatform } from '../../../src/sources/vsphere/platform.ts';
import { password, user, VCenterWorld } from '../../sandbox/vcenter/soap-caller.ts';
import { secretOf } from './fake-vcenter.ts';

const never = new AbortController().signal;

let world: VCenterWorld;
let platform: SourcePlatform;
let store: InventoryStore;
let stop: AbortController;
let cleanUp: AsyncDisposableStack;

beforeEach(() => {
  world = new VCenterWorld();
  platform = createVspherePlatform();
  store = new InventoryStore();
  stop = new AbortController();
  cleanUp = new AsyncDisposableStack();
});
afterEach(async () => {
  stop.abort();
  await cleanUp.disposeAsync();
  await world[Symbol.asyncDispose]();
});

function deps(): SourceDeps {
  return {
    clock: world.clock,
    random: () => 0.5,
    log: new RecordingLogger(),
    scrub: scrubber([password]),
    connect: (url, trust) => world.vcenter.connect(url, trust),
  };
}

function connection(values: Readonly<Record<string, string>> = {}, resourceVersion = '1'): Connection {
  const secret = secretOf({ user, password, 'ca.crt': world.vcenter.caPem, ...values }, resourceVersion);
  return {
    url: world.vcenter.url,
    secret,
    settings: { vddkInitImage: 'registry.example/vddk:8' },
    hosts: [],
  };
}

async function open(to = connection()): Promise<Source> {
  return cleanUp.use(await platform.open(to, deps(), never));
}

/** Collects until the test ends; resolves when the first load is complete. */
async function collect(source: Source): Promise<void> {
  // How it ends is seen in the store's state.
  const collecting = source.collect(store, stop.signal).catch(() => undefined);
  cleanUp.defer(async () => {
    stop.abort();
    await collecting;
  });
  await until(() => store.state.kind === 'fresh');
}

/** Lets simulated time pass until it is so. */
async function until(condition: () => boolean): Promise<void> {
  for (let step = 0; step < 2000; step += 1) {
    if (condition()) return;
    await world.clock.advance(100);
  }
  throw new Error('it did not come to be within 200 simulated seconds');
}

function handleOf(name: string): VmHandle {
  const found = store.find({ name });
  if (found.kind !== 'one') throw new Error(`${name}: ${found.kind}`);
  return { vmId: found.item.id, identity: found.item.model.identity, endpoint: 'provider' };
}

function addVms(count: number): void {
  for (let n = 0; n < count; n += 1) {
    world.vcenter.addVm({
      name: `vm-${n}`,
      power: n % 2 === 0 ? 'on' : 'off',
      folder: n % 3 === 0 ? 'web/prod' : '',
      disks: [{ sizeBytes: 1 << 20 }, { sizeBytes: 2 << 20, controller: 'sata' }],
    });
  }
}

const logins = (): number => world.story.filter((line) => line.includes(' Login vcenter')).length;
const refusals = (): number => world.story.filter((line) => line.includes(' login refused ')).length;

describe('collecting', () => {
  test('finds every VM with its disks, networks, place and host', async () => {
    addVms(4);
    const source = await open();
    await collect(source);
    expect(
      store
        .vms()
        .map((item) => item.model.name)
        .sort(),
    ).toEqual(['vm-0', 'vm-1', 'vm-2', 'vm-3']);
    const [first, second] = [store.find({ name: 'vm-0' }), store.find({ name: 'vm-1' })];
    if (first.kind !== 'one' || second.kind !== 'one') throw new Error('not found');
    expect(first.item.model).toMatchObject({
      power: 'On',
      disks: [
        { bus: 'sata', sizeBytes: 2 << 20, storage: { names: ['datastore1'] }, snapshotable: true },
        { bus: 'scsi', sizeBytes: 1 << 20 },
      ],
      nics: [{ model: 'vmxnet3', network: { names: ['VM Network'] } }],
      guest: { family: 'linux', agent: 'running' },
    });
    expect(first.item.model.path).toMatch(/^\/.+\/vm\/web\/prod\/vm-0$/);
    expect(second.item.model.power).toBe('Off');
    expect(store.count('hosts')).toBeGreaterThan(0);
    expect(store.count('datastores')).toBeGreaterThan(0);
    expect(store.count('networks')).toBeGreaterThan(0);
    expect(store.count('datacenters')).toBe(1);
    expect(store.get('hosts', first.item.model.host?.id ?? '')).toBeDefined();
  });

  test('takes in 1,000 VMs page by page', async () => {
    addVms(1000);
    const source = await open();
    await collect(source);
    expect(store.count('vms')).toBe(1000);
    expect(store.vms().filter((item) => item.model.power === 'On')).toHaveLength(500);
    expect(store.vms().every((item) => item.revision === 1)).toBe(true);
  });

  test('follows power, name, host and removal, and wakes who waits', async () => {
    addVms(4);
    const source = await open();
    await collect(source);
    const handle = handleOf('vm-0');
    let woken = 0;
    cleanUp.use(source.subscribe({ kind: 'power', vm: handle }, () => (woken += 1)));
    const vm = world.vcenter.vm('vm-0');
    vm.powerOff();
    await until(() => store.vm(vm.id)?.model.power === 'Off');
    expect(woken).toBeGreaterThan(0);
    vm.rename('renamed/once');
    await until(() => store.find({ name: 'renamed/once' }).kind === 'one');
    expect(store.find({ name: 'vm-0' })).toEqual({ kind: 'none' });
    vm.remove();
    await until(() => store.vm(vm.id) === undefined);
    world.vcenter.addVm({ name: 'new' });
    await until(() => store.find({ name: 'new' }).kind === 'one');
    expect(store.count('vms')).toBe(4);
  });

  test('does not mistake a change of power for a change of the VM', async () => {
    addVms(1);
    const source = await open();
    await collect(source);
    const digest = store.vms()[0]?.model.digest;
    world.vcenter.vm('vm-0').powerOff();
    await until(() => store.vms()[0]?.model.power === 'Off');
    expect(store.vms()[0]?.model.digest).toBe(digest);
    expect((await source.describe(handleOf('vm-0'), never)).digest).toBe(digest);
    world.vcenter.vm('vm-0').takeSnapshot('backup');
    await until(() => store.vms()[0]?.model.digest !== digest);
    const model = await source.describe(handleOf('vm-0'), never);
    expect(model.digest).toBe(store.vms()[0]?.model.digest);
    expect(model.foreignSnapshots).toMatchObject([{ name: 'backup' }]);
  });

  test('goes on after the vCenter was away, and says so meanwhile', async () => {
    addVms(2);
    const source = await open();
    await collect(source);
    const outage = world.faults.start('vcenter-down');
    await until(() => store.state.kind === 'stale');
    const down = source.power(handleOf('vm-0'), never);
    await expect(down).rejects.toMatchObject({ name: 'SourceError', kind: 'transient' });
    world.vcenter.vm('vm-1').powerOn();
    outage[Symbol.dispose]();
    await until(() => store.state.kind === 'fresh' && store.vm(handleOf('vm-1').vmId)?.model.power === 'On');
    expect(logins()).toBe(1);
  });
});

describe('a lost session', () => {
  test('costs one login, shared by the collector and everybody else', async () => {
    addVms(3);
    const source = await open();
    await collect(source);
    const revisions = store.vms().map((item) => item.revision);
    world.vcenter.loseSessions();
    const readings = await Promise.all([1, 2, 3].map(() => source.power(handleOf('vm-0'), never)));
    expect(readings).toEqual(Array(3).fill({ state: 'On' }));
    world.vcenter.vm('vm-1').powerOn();
    await until(() => store.vm(handleOf('vm-1').vmId)?.model.power === 'On');
    expect(logins()).toBe(2);
    expect(world.vcenter.liveSessions).toBe(1);
    expect(store.state.kind).toBe('fresh');
    const others = ['vm-0', 'vm-2'].map((name) => store.vm(handleOf(name).vmId)?.revision);
    expect(others).toEqual([revisions[0], revisions[2]]);
  });

  test('is closed when its source is', async () => {
    const source = await open();
    expect(world.vcenter.liveSessions).toBe(1);
    await source[Symbol.asyncDispose]();
    expect(world.vcenter.liveSessions).toBe(0);
  });
});

describe('a wrong password', () => {
  test('is tried once, so that no account is locked', async () => {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const opening = platform.open(connection({ password: 'wrong' }, '7'), deps(), never);
      await expect(opening).rejects.toMatchObject({ kind: 'auth', code: 'InvalidLogin' });
    }
    expect(refusals()).toBe(1);
    await open(connection({}, '8'));
    expect(logins()).toBe(1);
  });

  test('that comes while a collection runs is tried once too', async () => {
    addVms(1);
    const source = await open();
    await collect(source);
    const handle = handleOf('vm-0');
    world.vcenter.setAccount('rotated');
    world.vcenter.loseSessions();
    await until(() => store.state.kind === 'stale');
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await expect(source.power(handle, never)).rejects.toMatchObject({ kind: 'auth' });
    }
    expect(refusals()).toBe(1);
  });
});

describe('power', () => {
  test('goes off through the guest, and nobody asks twice', async () => {
    addVms(1);
    const source = await open();
    await collect(source);
    const handle = handleOf('vm-0');
    await source.requestPowerOff(handle, 'guest', never);
    expect(await source.power(handle, never)).toEqual({ state: 'On' });
    await until(() => store.vm(handle.vmId)?.model.power === 'Off');
    await source.requestPowerOff(handle, 'guest', never);
    await source.requestPowerOn(handle, undefined, never);
    await until(() => store.vm(handle.vmId)?.model.power === 'On');
    await source.requestPowerOff(handle, 'hard', never);
    await until(() => store.vm(handle.vmId)?.model.power === 'Off');
  });

  test('of a guest without tools is refused at once', async () => {
    world.vcenter.addVm({ name: 'bare', power: 'on', guest: { tools: 'absent' } });
    const source = await open();
    await collect(source);
    const refused = source.requestPowerOff(handleOf('bare'), 'guest', never);
    await expect(refused).rejects.toMatchObject({ kind: 'unsupported', code: 'ToolsUnavailable' });
  });

  test('that the account may not touch is told as denied', async () => {
    addVms(1);
    const source = await open();
    await collect(source);
    using _fault = world.faults.start('vcenter-denied', { subject: 'vm-0' });
    const refused = source.requestPowerOff(handleOf('vm-0'), 'hard', never);
    await expect(refused).rejects.toMatchObject({ kind: 'denied', code: 'NoPermission' });
  });

  test('of a VM that was removed is gone', async () => {
    addVms(1);
    const source = await open();
    await collect(source);
    const handle = handleOf('vm-0');
    world.vcenter.vm('vm-0').remove();
    await expect(source.power(handle, never)).rejects.toMatchObject({ kind: 'gone' });
    await expect(source.describe(handle, never)).rejects.toMatchObject({ kind: 'gone' });
  });
});

describe('the way of the data', () => {
  test('is one that an importer can go', async () => {
    world.vcenter.addVm({
      name: 'cold',
      disks: [{ sizeBytes: 1 << 20 }, { sizeBytes: 1 << 20, mode: 'independent_persistent' }],
    });
    const source = await open();
    await collect(source);
    const model = await source.describe(handleOf('cold'), never);
    const step = source.transfer.nextPreparation(model, new Map());
    const access = await source.transfer.importerAccess(handleOf('cold'), never);
    if (!('ready' in step)) throw new Error('no feeds');
    expect([...step.ready.keys()]).toEqual(model.disks.map((disk) => disk.key));
    for (const feed of step.ready.values()) {
      const { url = '', uuid = '', backingFile = '', thumbprint = '' } = feed.address;
      const { accessKeyId = '', secretKey = '' } = access.secret;
      const request = { url, uuid, backingFile, thumbprint, user: accessKeyId, password: secretKey };
      using disk = world.vcenter.openDisk(request);
      expect(disk.sizeBytes).toBe(feed.sizeBytes);
    }
    expect(access.trust).toEqual({ 'ca.pem': world.vcenter.caPem, 'tls.crt': world.vcenter.caPem });
  });

  test('shows snapshots that bear our name', async () => {
    addVms(2);
    const source = await open();
    const id = world.vcenter.vm('vm-1').takeSnapshot('gantry-0123abcd-1');
    world.vcenter.vm('vm-0').takeSnapshot('backup');
    expect(await source.findMarked('gantry-', never)).toMatchObject([{ marker: 'gantry-0123abcd-1', id }]);
  });
});

describe('over a real connection', () => {
  test('the vCenter is verified by its authority, its pin, or not at all on request', async () => {
    addVms(2);
    const { url } = await world.vcenter.listen();
    const real = { ...deps(), clock: new SystemClock(), connect: createHttpEndpoint };
    const at = (values: Readonly<Record<string, string>>) =>
      platform.open({ ...connection({ 'ca.crt': '', ...values }), url }, real, never);
    const { caPem, thumbprint } = world.vcenter;
    for (const values of [{ 'ca.crt': caPem }, { thumbprint }, { insecureSkipVerify: 'true' }]) {
      await using source = await at(values);
      expect(await source.probe(never)).toMatchObject({
        version: '8.0.2',
        fingerprint: thumbprint,
        findings: [],
      });
      expect(await source.findMarked('gantry-', never)).toEqual([]);
    }
    const wrong = thumbprint.replace(/^../, thumbprint.startsWith('00') ? '01' : '00');
    for (const values of [{}, { thumbprint: wrong }]) {
      await expect(at(values)).rejects.toMatchObject({ kind: 'auth', code: 'CertificateNotTrusted' });
    }
  });

  test('the inventory is collected in the time of a few breaths', async () => {
    addVms(200);
    const { url } = await world.vcenter.listen();
    const real = { ...deps(), clock: new SystemClock(), connect: createHttpEndpoint };
    const source = cleanUp.use(await platform.open({ ...connection(), url }, real, never));
    await collectReally(source);
    expect(store.count('vms')).toBe(200);
  });
});

async function collectReally(source: Source): Promise<void> {
  // How it ends is seen in the store's state.
  const collecting = source.collect(store, stop.signal).catch(() => undefined);
  cleanUp.defer(async () => {
    stop.abort();
    await collecting;
  });
  await new Promise<void>((resolve) => {
    cleanUp.use(store.onState((state) => state.kind === 'fresh' && resolve()));
  });
}
