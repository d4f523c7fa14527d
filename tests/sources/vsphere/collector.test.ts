import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { InventoryStore } from '../../../src/inventory/store.ts';
import type { VmHandle } from '../../../src/model/source-data.ts';
import type { Source } from '../../../src/sources/source.ts';
import { createVspherePlatform } from '../../../src/sources/vsphere/platform.ts';
import { connectionWith, envelope, FakeVcenter } from './fake-vcenter.ts';
import { instance } from './raw-vm.ts';
import { golden } from './xml-text.ts';

/** One change of one object, in the words of an UpdateSet. */
function update(
  kind: string,
  type: string,
  id: string,
  properties: Readonly<Record<string, string>> = {},
): string {
  const set = Object.entries(properties)
    .map(([name, value]) => `<changeSet><name>${name}</name><op>assign</op>${value}</changeSet>`)
    .join('');
  return `<objectSet><kind>${kind}</kind><obj type="${type}">${id}</obj>${set}</objectSet>`;
}
const text = (value: string): string => `<val xsi:type="xsd:string">${value}</val>`;
const ref = (type: string, id: string): string =>
  `<val xsi:type="ManagedObjectReference" type="${type}">${id}</val>`;
const refs = (type: string, id: string): string =>
  `<val xsi:type="ArrayOfManagedObjectReference"><ManagedObjectReference type="${type}">${id}</ManagedObjectReference></val>`;
const oneNic =
  '<val xsi:type="ArrayOfGuestNicInfo"><GuestNicInfo><deviceConfigId>4000</deviceConfigId></GuestNicInfo></val>';
const oneDisk =
  '<val xsi:type="ArrayOfVirtualDevice"><VirtualDevice xsi:type="VirtualDisk"><key>2000</key><backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[old] a/a.vmdk</fileName><datastore type="Datastore">datastore-1</datastore></backing><capacityInBytes>512</capacityInBytes></VirtualDevice></val>';

function page(version: string, changes: readonly string[], truncated = false): string {
  return envelope(
    `<WaitForUpdatesExResponse xmlns="urn:vim25"><returnval><version>${version}</version><filterSet><filter type="PropertyFilter">f</filter>${changes.join('')}</filterSet>${truncated ? '<truncated>true</truncated>' : ''}</returnval></WaitForUpdatesExResponse>`,
  );
}

const vm = (id: string, name: string, more: Readonly<Record<string, string>> = {}): string =>
  update('enter', 'VirtualMachine', id, {
    name: text(name),
    'config.instanceUuid': text(`uuid-${id}`),
    'runtime.powerState': text('poweredOn'),
    ...more,
  });

/** Answers one wait after the other; a wait for which nothing is prepared hangs until something is, or its caller gives up. */
class Updates {
  readonly #prepared: (string | (() => string))[] = [];
  readonly #waiting: (() => void)[] = [];

  say(...answers: readonly (string | (() => string))[]): void {
    this.#prepared.push(...answers);
    for (const go of this.#waiting.splice(0)) go();
  }

  readonly answer = async (_call: unknown, signal: AbortSignal): Promise<string> => {
    for (;;) {
      signal.throwIfAborted();
      const next = this.#prepared.shift();
      if (next !== undefined) return typeof next === 'string' ? next : next();
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  };
}

let vcenter: FakeVcenter;
let updates: Updates;
let store: InventoryStore;
let source: Source;
let stop: AbortController;
let collecting: Promise<void>;

beforeEach(async () => {
  updates = new Updates();
  vcenter = new FakeVcenter().on('WaitForUpdatesEx', updates.answer);
  store = new InventoryStore();
  source = await createVspherePlatform().open(connectionWith(), vcenter.deps(), new AbortController().signal);
  stop = new AbortController();
  collecting = source.collect(store, stop.signal);
});
afterEach(async () => {
  stop.abort();
  await collecting.catch(() => undefined);
  await source[Symbol.asyncDispose]();
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(5000);
  while (!condition()) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const fresh = (): boolean => store.state.kind === 'fresh';

describe('the first load', () => {
  test('is complete with the first page that is not truncated', async () => {
    updates.say(page('1:1', [vm('vm-1', 'a')], true));
    await until(() => vcenter.count('WaitForUpdatesEx') === 2);
    expect(store.state.kind).toBe('loading');
    expect(store.count('vms')).toBe(0);
    updates.say(page('1', [vm('vm-2', 'b'), update('enter', 'Network', 'network-1', { name: text('lan') })]));
    await until(fresh);
    expect(store.vms().map((item) => item.model.name)).toEqual(['a', 'b']);
    expect(store.get('networks', 'network-1')?.raw).toEqual({
      _type: 'Network',
      _id: 'network-1',
      name: 'lan',
    });
  });

  test('names what a VM stands on, though that came later', async () => {
    const machine = vm('vm-1', 'a', {
      'config.hardware.device': oneDisk,
      datastore: refs('Datastore', 'datastore-1'),
    });
    updates.say(page('1', [machine, update('enter', 'Datastore', 'datastore-1', { name: text('fast') })]));
    await until(fresh);
    expect(store.vm('vm-1')?.model.disks[0]?.storage).toEqual({ ids: ['datastore-1'], names: ['fast'] });
  });

  test('asks each wait for what came after the last', async () => {
    updates.say(page('7', []));
    await until(() => vcenter.count('WaitForUpdatesEx') === 2);
    const versions = vcenter.calls
      .filter((call) => call.method === 'WaitForUpdatesEx')
      .map((call) => /<version(?:\/>|>(.*?)<)/.exec(call.body)?.[1]);
    expect(versions).toEqual([undefined, '7']);
  });
});

describe('a change', () => {
  test('reaches the store and wakes who waits for this VM, and nobody else', async () => {
    updates.say(page('1', [vm('vm-1', 'a'), vm('vm-2', 'b')]));
    await until(fresh);
    const woken: string[] = [];
    const subject = (vmId: string) => ({
      kind: 'power' as const,
      vm: { vmId, identity: `${instance}/uuid-${vmId}`, endpoint: 'provider' } satisfies VmHandle,
    });
    using _one = source.subscribe(subject('vm-1'), () => woken.push('vm-1'));
    using _two = source.subscribe(subject('vm-2'), () => woken.push('vm-2'));
    updates.say(
      page('2', [update('modify', 'VirtualMachine', 'vm-1', { 'runtime.powerState': text('poweredOff') })]),
    );
    await until(() => woken.length > 0);
    expect(woken).toEqual(['vm-1']);
    expect(store.vm('vm-1')?.model.power).toBe('Off');
    expect(store.vm('vm-2')?.revision).toBe(1);
  });

  test('of what means nothing to a migration is not passed on', async () => {
    updates.say(page('1', [vm('vm-1', 'a')]));
    await until(fresh);
    const quiet = { 'summary.storage.committed': '<val xsi:type="xsd:long">5</val>' };
    updates.say(page('2', [update('modify', 'VirtualMachine', 'vm-1', quiet)]), page('3', [vm('vm-2', 'b')]));
    await until(() => store.count('vms') === 2);
    expect(store.vm('vm-1')?.revision).toBe(1);
  });

  test('of a datastore is seen in the VMs on it and in no other', async () => {
    updates.say(
      page('1', [
        update('enter', 'Datastore', 'datastore-1', { name: text('old') }),
        vm('vm-1', 'a', { 'config.hardware.device': oneDisk, datastore: refs('Datastore', 'datastore-1') }),
        vm('vm-2', 'b'),
      ]),
    );
    await until(fresh);
    updates.say(page('2', [update('modify', 'Datastore', 'datastore-1', { name: text('new') })]));
    await until(() => store.vm('vm-1')?.revision === 2);
    expect(store.vm('vm-1')?.model.disks[0]?.storage.names).toEqual(['new']);
    expect(store.vm('vm-2')?.revision).toBe(1);
  });

  test('of a folder is seen in the path of the VMs below it', async () => {
    updates.say(
      page('1', [
        update('enter', 'Folder', 'group-d1', { name: text('Datacenters') }),
        update('enter', 'Folder', 'group-v3', { name: text('vm'), parent: ref('Folder', 'group-d1') }),
        vm('vm-1', 'a', { parent: ref('Folder', 'group-v3') }),
      ]),
    );
    await until(fresh);
    expect(store.vm('vm-1')?.model.path).toBe('/vm/a');
    updates.say(page('2', [update('modify', 'Folder', 'group-v3', { name: text('machines') })]));
    await until(() => store.vm('vm-1')?.model.path === '/machines/a');
  });

  test('that takes a VM away removes it and wakes who waits for it', async () => {
    updates.say(page('1', [vm('vm-1', 'a')]));
    await until(fresh);
    let woken = 0;
    const handle = { vmId: 'vm-1', identity: 'x', endpoint: 'provider' };
    using _one = source.subscribe({ kind: 'power', vm: handle }, () => (woken += 1));
    updates.say(page('2', [update('leave', 'VirtualMachine', 'vm-1')]));
    await until(() => store.count('vms') === 0);
    expect(woken).toBe(1);
  });

  test('that empties what the guest had told keeps it, and when it was told', async () => {
    updates.say(page('1', [vm('vm-1', 'a', { 'guest.net': oneNic, 'guest.hostName': text('a.example') })]));
    await until(fresh);
    const told = store.vm('vm-1')?.model.guest;
    expect(told?.addressesObservedAt).toMatch(/^\d{4}-.*Z$/);
    updates.say(
      page('2', [
        update('modify', 'VirtualMachine', 'vm-1', {
          'guest.net': '<val xsi:type="ArrayOfGuestNicInfo"/>',
          'guest.hostName': '',
          'runtime.powerState': text('poweredOff'),
        }),
      ]),
    );
    await until(() => store.vm('vm-1')?.model.power === 'Off');
    expect(store.vm('vm-1')?.model.guest).toEqual(told);
  });
});

describe('an outage', () => {
  test('turns the inventory stale and then goes on where it stopped, without a new load', async () => {
    updates.say(page('1', [vm('vm-1', 'a')]));
    await until(fresh);
    const states: string[] = [];
    using _states = store.onState((state) => states.push(state.kind));
    vcenter.down = true;
    updates.say(page('lost', []));
    await until(() => store.state.kind === 'stale');
    vcenter.down = false;
    updates.say(page('2', [vm('vm-2', 'b')]));
    await until(() => store.count('vms') === 2);
    expect(states).toEqual(['stale', 'fresh']);
    expect(vcenter.count('CreateFilter')).toBe(1);
  });

  test('in which the server forgot our session ends with one login and one load, never seen as stale', async () => {
    updates.say(page('1', [vm('vm-1', 'a'), vm('vm-2', 'b')]));
    await until(fresh);
    const states: string[] = [];
    using _states = store.onState((state) => states.push(state.kind));
    vcenter.sessions.clear();
    updates.say(golden('not-authenticated.fault'), golden('managed-object-not-found.fault'));
    updates.say(page('1', [vm('vm-1', 'a')]));
    await until(() => store.count('vms') === 1);
    expect(vcenter.count('Login')).toBe(2);
    expect(vcenter.count('CreateFilter')).toBe(2);
    expect(store.vm('vm-1')?.revision).toBe(1);
    expect(states).toEqual([]);
  });

  test('of the version makes a new load', async () => {
    updates.say(page('1', [vm('vm-1', 'a')]));
    await until(fresh);
    updates.say(golden('wait-for-updates-ex.invalid-collector-version.fault'), page('1', [vm('vm-1', 'a')]));
    await until(() => vcenter.count('CreateFilter') === 2 && fresh());
    expect(vcenter.count('Login')).toBe(1);
    expect(vcenter.count('DestroyPropertyCollector')).toBe(1);
  });

  test('by a changed password ends the collection after one try', async () => {
    updates.say(page('1', [vm('vm-1', 'a')]));
    await until(fresh);
    vcenter.sessions.clear();
    vcenter.password = 'another';
    updates.say(golden('not-authenticated.fault'));
    await expect(collecting).rejects.toMatchObject({ kind: 'auth', code: 'InvalidLogin' });
    expect(store.state).toMatchObject({ kind: 'stale', fault: { kind: 'auth' } });
    expect(vcenter.count('Login')).toBe(2);
  });
});

test('a collection that is stopped leaves nothing behind at the server', async () => {
  updates.say(page('1', [vm('vm-1', 'a')]));
  await until(fresh);
  stop.abort();
  await collecting;
  expect(vcenter.count('DestroyPropertyCollector')).toBe(1);
  expect(vcenter.count('DestroyView')).toBe(1);
});

test('a source that is closed ends its collection before it logs out', async () => {
  updates.say(page('1', [vm('vm-1', 'a')]));
  await until(fresh);
  await source[Symbol.asyncDispose]();
  await collecting;
  expect(vcenter.calls.slice(-3).map((call) => call.method)).toEqual([
    'DestroyPropertyCollector',
    'DestroyView',
    'Logout',
  ]);
});
