import { describe, expect, test } from '@jest/globals';
import type { CanonicalElement } from '../../golden/vsphere/canonical.ts';
import {
  childOf,
  childrenOf,
  defaultCollector,
  local,
  textOf,
  VCenterWorld,
  type SoapCaller,
} from './soap-caller.ts';

const viewManager = ['ViewManager', 'ViewManager'] as const;

/** What one WaitForUpdatesEx told: "modify vm-101 name runtime.powerState=poweredOff". */
interface Told {
  readonly version: string;
  readonly truncated: boolean;
  readonly lines: readonly string[];
}

async function watch(
  caller: SoapCaller,
  type: string,
  paths: readonly string[],
  partial = false,
): Promise<void> {
  const container = `<container type="Folder">group-d1</container><type>${type}</type><recursive>true</recursive>`;
  const [view] = await caller.call('CreateContainerView', viewManager, container);
  const id = `<obj type="ContainerView">${view?.text ?? ''}</obj>`;
  await createFilter(caller, type, paths, id, partial);
}

async function createFilter(
  caller: SoapCaller,
  type: string,
  paths: readonly string[],
  view: string,
  partial: boolean,
): Promise<void> {
  const pathSet = paths.map((path) => `<pathSet>${path}</pathSet>`).join('');
  const kind = view.includes('ListView') ? 'ListView' : 'ContainerView';
  const spec =
    `<spec><propSet><type>${type}</type>${pathSet}</propSet><objectSet>${view}<skip>true</skip>` +
    `<selectSet xsi:type="TraversalSpec"><name>v</name><type>${kind}</type><path>view</path><skip>false</skip></selectSet>` +
    `</objectSet></spec><partialUpdates>${partial}</partialUpdates>`;
  await caller.call('CreateFilter', defaultCollector, spec);
}

async function wait(caller: SoapCaller, version: string, options = ''): Promise<Told | undefined> {
  const inner = `<version>${version}</version>${options === '' ? '' : `<options>${options}</options>`}`;
  const [set] = await caller.call('WaitForUpdatesEx', defaultCollector, inner);
  if (set === undefined) return undefined;
  const objects = childrenOf(set, 'filterSet').flatMap((filter) => childrenOf(filter, 'objectSet'));
  return {
    version: textOf(set, 'version'),
    truncated: textOf(set, 'truncated') === 'true',
    lines: objects.map((object) => {
      const changes = childrenOf(object, 'changeSet').map(describeChange);
      return [textOf(object, 'kind'), textOf(object, 'obj'), ...changes].join(' ');
    }),
  };
}

function describeChange(change: CanonicalElement): string {
  const value = childOf(change, 'val');
  const op = textOf(change, 'op');
  const name = textOf(change, 'name');
  const shown = value === undefined ? '' : value.children.length > 0 ? '=...' : `=${value.text}`;
  return `${op === 'assign' ? '' : `${op}:`}${name}${shown}`;
}

/** All pages from a version on. */
async function collect(caller: SoapCaller, version = '', options = ''): Promise<Told> {
  const lines: string[] = [];
  for (;;) {
    const told = await wait(caller, version, options);
    if (told === undefined) throw new Error('nothing to collect');
    lines.push(...told.lines);
    version = told.version;
    if (!told.truncated) return { ...told, lines };
  }
}

describe('property collector', () => {
  test('a full load comes in pages that are marked as truncated but for the last one', async () => {
    await using world = new VCenterWorld();
    for (let n = 1; n <= 7; n += 1) world.vcenter.addVm({ name: `vm${n}` });
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['name']);
    const sizes: number[] = [];
    let version = '';
    for (let truncated = true; truncated;) {
      const told = await wait(caller, version, '<maxObjectUpdates>3</maxObjectUpdates>');
      sizes.push(told?.lines.length ?? 0);
      version = told?.version ?? '';
      truncated = told?.truncated ?? false;
    }
    expect(sizes).toEqual([3, 3, 1]);
  });

  test('a page whose answer was lost can be asked for again', async () => {
    await using world = new VCenterWorld();
    for (let n = 1; n <= 5; n += 1) world.vcenter.addVm({ name: `vm${n}` });
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['name']);
    const two = '<maxObjectUpdates>2</maxObjectUpdates>';
    const first = await wait(caller, '', two);
    const second = await wait(caller, first?.version ?? '', two);
    expect(await wait(caller, first?.version ?? '', two)).toEqual(second);
    const third = await wait(caller, second?.version ?? '', two);
    expect(third?.lines).toEqual(['enter vm-105 name=vm5']);
  });

  test('a hundred objects is the most that one answer holds', async () => {
    await using world = new VCenterWorld();
    for (let n = 1; n <= 101; n += 1) world.vcenter.addVm({ name: `vm${n}` });
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['name']);
    const first = await wait(caller, '', '<maxObjectUpdates>5000</maxObjectUpdates>');
    expect([first?.lines.length, first?.truncated]).toEqual([100, true]);
  });

  test('changes, arrivals and departures wake a wait, several of one moment together', async () => {
    await using world = new VCenterWorld();
    const [one, two] = ['one', 'two'].map((name) => world.vcenter.addVm({ name }));
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['name', 'runtime.powerState']);
    const { version } = await collect(caller);
    const waiting = wait(caller, version);
    one?.powerOn();
    one?.rename('uno');
    two?.remove();
    world.vcenter.addVm({ name: 'three' });
    expect((await waiting)?.lines).toEqual([
      'enter vm-103 name=three runtime.powerState=poweredOff',
      'modify vm-101 name=uno runtime.powerState=poweredOn',
      'leave vm-102',
    ]);
  });

  test('a change of something that was not asked for wakes nobody', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'one' });
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['name']);
    const { version } = await collect(caller);
    const waiting = wait(caller, version, '<maxWaitSeconds>60</maxWaitSeconds>');
    vm.powerOn();
    await world.clock.advance(60_000);
    expect(await waiting).toBeUndefined();
  });

  test('a wait without a change ends after its time, and at once with zero seconds', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    expect(await wait(caller, '', '<maxWaitSeconds>0</maxWaitSeconds>')).toBeUndefined();
    const waiting = wait(caller, '', '<maxWaitSeconds>60</maxWaitSeconds>');
    await world.clock.advance(60_000);
    expect(await waiting).toBeUndefined();
  });

  test('what changed while nobody waited is told by the next wait, once', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'one' });
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['runtime.powerState']);
    const { version } = await collect(caller);
    vm.powerOn();
    vm.powerOff();
    const told = await wait(caller, version);
    expect(told?.lines).toEqual(['modify vm-101 runtime.powerState=poweredOff']);
    expect(await wait(caller, version)).toEqual(told);
    expect(await wait(caller, told?.version ?? '', '<maxWaitSeconds>0</maxWaitSeconds>')).toBeUndefined();
  });

  test('a version from long ago, or from nowhere, is refused', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'one' });
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['name']);
    const first = await collect(caller);
    vm.rename('uno');
    const second = await collect(caller, first.version);
    vm.rename('one');
    await collect(caller, second.version);
    for (const version of [first.version, '999999', 'x']) {
      await expect(wait(caller, version)).rejects.toThrow('InvalidCollectorVersion');
    }
    expect((await wait(caller, ''))?.lines).toEqual(['enter vm-101 name=one']);
  });

  test('a nested change sends the whole property again, or only its path with partial updates', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'one' });
    const [whole, partial] = [await world.loggedIn(), await world.loggedIn()];
    await watch(whole, 'VirtualMachine', ['config.hardware']);
    await watch(partial, 'VirtualMachine', ['config.hardware'], true);
    const [v1, v2] = [(await collect(whole)).version, (await collect(partial)).version];
    vm.set('config.hardware.device[2000].backing.diskMode', 'independent_persistent');
    vm.set('config.hardware.device[4000]', undefined);
    expect((await wait(whole, v1))?.lines).toEqual(['modify vm-101 config.hardware=...']);
    expect((await wait(partial, v2))?.lines).toEqual([
      'modify vm-101 config.hardware.device[2000].backing.diskMode=independent_persistent remove:config.hardware.device[4000]',
    ]);
  });

  test('a property that became unset is an assign without a value', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'one', power: 'on' });
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['guest.hostName']);
    const { version, lines } = await collect(caller);
    expect(lines).toEqual(['enter vm-101 guest.hostName=one']);
    vm.powerOff();
    expect((await wait(caller, version))?.lines).toEqual(['modify vm-101 guest.hostName']);
  });

  test('of a part that was replaced as a whole only what differs is told', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'one', power: 'on' });
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['summary.guest.guestId', 'summary.guest.hostName']);
    const { version } = await collect(caller);
    vm.powerOff();
    expect((await wait(caller, version))?.lines).toEqual(['modify vm-101 summary.guest.hostName']);
  });

  test('tasks in a list view are watched with one filter', async () => {
    await using world = new VCenterWorld();
    world.vcenter.addVm({ name: 'one' });
    const caller = await world.loggedIn();
    const [view] = await caller.call('CreateListView', viewManager);
    const list = ['ListView', view?.text ?? ''] as const;
    await createFilter(caller, 'Task', ['info.state'], `<obj type="ListView">${list[1]}</obj>`, false);
    const [task] = await caller.call('PowerOnVM_Task', ['VirtualMachine', 'vm-101']);
    await caller.call('ModifyListView', list, `<add type="Task">${task?.text ?? ''}</add>`);
    const seen = await wait(caller, '');
    expect(seen?.lines).toEqual(['enter task-41 info.state=queued']);
    const told = wait(caller, seen?.version ?? '');
    await world.clock.advance(10_000);
    expect((await told)?.lines).toEqual(['modify task-41 info.state=running']);
    const done = await wait(caller, (await told)?.version ?? '');
    expect(done?.lines).toEqual(['modify task-41 info.state=success']);
    const gone = wait(caller, done?.version ?? '');
    await world.clock.advance(10 * 60_000);
    expect((await gone)?.lines).toEqual(['leave task-41']);
  });

  test('a list view is filled anew, and says what it could not find', async () => {
    await using world = new VCenterWorld();
    const [one, two] = ['one', 'two'].map((name) => world.vcenter.addVm({ name }).id);
    const caller = await world.loggedIn();
    const first = `<obj type="VirtualMachine">${one ?? ''}</obj>`;
    const [view] = await caller.call('CreateListView', viewManager, first);
    const list = ['ListView', view?.text ?? ''] as const;
    const others = `<obj type="VirtualMachine">${two ?? ''}</obj><obj type="Task">task-1</obj>`;
    const missing = await caller.call('ResetListView', list, others);
    expect(missing.map(({ text }) => text)).toEqual(['task-1']);
    const members = await caller.property(...list, 'view');
    expect(members?.children.map(({ text }) => text)).toEqual([two]);
  });

  test('RetrieveProperties answers at once and without pages, as old clients want it', async () => {
    await using world = new VCenterWorld();
    for (let index = 0; index < 120; index += 1) world.vcenter.addVm({ name: `vm-${index}` });
    const caller = await world.loggedIn();
    const inner =
      '<specSet><propSet><type>VirtualMachine</type><pathSet>name</pathSet></propSet><objectSet>' +
      '<obj type="ResourcePool">resgroup-8</obj><selectSet xsi:type="TraversalSpec"><type>ResourcePool</type><path>vm</path></selectSet>' +
      '</objectSet></specSet>';
    expect(await caller.call('RetrieveProperties', defaultCollector, inner)).toHaveLength(120);
  });

  test('a cancelled wait sees RequestCanceled, and so does one whose collector is destroyed', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    const waiting = expect(wait(caller, '')).rejects.toThrow('RequestCanceled');
    await caller.call('CancelWaitForUpdates', defaultCollector);
    await waiting;
    const [made] = await caller.call('CreatePropertyCollector', defaultCollector);
    const own = ['PropertyCollector', made?.text ?? ''] as const;
    const destroyed = expect(caller.call('WaitForUpdatesEx', own)).rejects.toThrow('RequestCanceled');
    await caller.call('DestroyPropertyCollector', own);
    await destroyed;
  });

  test('a destroyed filter tells nothing more', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'one' });
    const caller = await world.loggedIn();
    await watch(caller, 'VirtualMachine', ['name']);
    const [set] = await caller.call('WaitForUpdatesEx', defaultCollector, '<version/>');
    const filter = textOf(childOf(set!, 'filterSet')!, 'filter');
    await caller.call('DestroyPropertyFilter', ['PropertyFilter', filter]);
    vm.rename('uno');
    expect(await wait(caller, textOf(set!, 'version'), '<maxWaitSeconds>0</maxWaitSeconds>')).toBeUndefined();
  });

  test('a path that no such object has is refused', async () => {
    await using world = new VCenterWorld();
    const caller = await world.loggedIn();
    await expect(watch(caller, 'VirtualMachine', ['runtime.colour'])).rejects.toThrow('InvalidProperty');
  });

  test('an object that may not be read says so in missingSet', async () => {
    await using world = new VCenterWorld();
    world.vcenter.addVm({ name: 'one' });
    const caller = await world.loggedIn();
    world.vcenter.privileges.deny('System.Read');
    const spec =
      '<specSet><propSet><type>VirtualMachine</type><pathSet>name</pathSet></propSet>' +
      '<objectSet><obj type="VirtualMachine">vm-101</obj></objectSet></specSet><options/>';
    const [result] = await caller.call('RetrievePropertiesEx', defaultCollector, spec);
    const missing = childOf(childOf(result!, 'objects')!, 'missingSet')!;
    expect(textOf(missing, 'path')).toBe('name');
    expect(local(childOf(childOf(missing, 'fault')!, 'fault')!.name)).toBe('fault');
  });
});

describe('the inventory tree', () => {
  /** The recursive walk of the golden request, from the root folder. */
  async function walk(caller: SoapCaller): Promise<ReadonlyMap<string, string>> {
    const step = (name: string, type: string, path: string, next: readonly string[]): string =>
      `<selectSet xsi:type="TraversalSpec"><name>${name}</name><type>${type}</type><path>${path}</path><skip>false</skip>` +
      `${next.map((other) => `<selectSet><name>${other}</name></selectSet>`).join('')}</selectSet>`;
    const folders = ['vmFolder', 'hostFolder', 'networkFolder', 'datastoreFolder'];
    const steps = [
      step('children', 'Folder', 'childEntity', ['children', 'hosts', ...folders]),
      ...folders.map((path) => step(path, 'Datacenter', path, ['children'])),
      step('hosts', 'ComputeResource', 'host', []),
    ];
    const found = new Map<string, string>();
    const spec =
      '<specSet><propSet><type>ManagedEntity</type><pathSet>name</pathSet></propSet>' +
      `<objectSet><obj type="Folder">group-d1</obj><skip>false</skip>${steps.join('')}</objectSet></specSet>`;
    let [page] = await caller.call(
      'RetrievePropertiesEx',
      defaultCollector,
      `${spec}<options><maxObjects>4</maxObjects></options>`,
    );
    for (;;) {
      for (const object of childrenOf(page!, 'objects')) {
        found.set(textOf(object, 'obj'), textOf(childOf(object, 'propSet')!, 'val'));
      }
      const token = textOf(page!, 'token');
      if (token === '') return found;
      [page] = await caller.call('ContinueRetrievePropertiesEx', defaultCollector, `<token>${token}</token>`);
    }
  }

  test('a recursive walk from the root, page by page, finds everything once', async () => {
    await using world = new VCenterWorld();
    world.vcenter.addVm({ name: 'a/b%c', folder: 'web/prod' });
    const names = [...(await walk(await world.loggedIn())).values()];
    expect(names.sort()).toEqual(
      [
        ...[
          'Datacenters',
          'Datacenter',
          'vm',
          'host',
          'network',
          'datastore',
          'Cluster',
          'esx1.example',
          'esx2.example',
        ],
        ...[
          'datastore1',
          'datastore2',
          'VM Network',
          'Storage Net',
          'DMZ',
          'DVSwitch',
          'web',
          'prod',
          'a%2fb%25c',
        ],
      ].sort(),
    );
  });

  test('a VM is found by its uuids and its path', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'one', folder: 'web' });
    const caller = await world.loggedIn();
    const find = async (inner: string): Promise<string | undefined> =>
      (await caller.call('FindByUuid', ['SearchIndex', 'SearchIndex'], inner))[0]?.text;
    const datacenter = '<datacenter type="Datacenter">datacenter-2</datacenter>';
    const byInstance = `<uuid>${vm.instanceUuid.toUpperCase()}</uuid><vmSearch>true</vmSearch><instanceUuid>true</instanceUuid>`;
    expect(await find(`${datacenter}${byInstance}`)).toBe(vm.id);
    expect(await find(`<uuid>${vm.uuid}</uuid><vmSearch>true</vmSearch>`)).toBe(vm.id);
    expect(await find(`<uuid>${vm.instanceUuid}</uuid><vmSearch>true</vmSearch>`)).toBeUndefined();
    const clone = world.vcenter.addVm({ name: 'clone', uuid: vm.uuid });
    const inner = `<uuid>${vm.uuid}</uuid><vmSearch>true</vmSearch>`;
    const all = await caller.call('FindAllByUuid', ['SearchIndex', 'SearchIndex'], inner);
    expect(all.map(({ text }) => text)).toEqual([vm.id, clone.id]);
    const path = '<inventoryPath>/Datacenter/vm/web/one</inventoryPath>';
    const [found] = await caller.call('FindByInventoryPath', ['SearchIndex', 'SearchIndex'], path);
    expect(found?.text).toBe(vm.id);
  });

  test('hosts, datastores and networks know their VMs, also after a move', async () => {
    await using world = new VCenterWorld();
    const vm = world.vcenter.addVm({ name: 'one', host: 'esx1.example', nics: [{ network: 'DMZ' }] });
    const caller = await world.loggedIn();
    const vmsOf = async (type: string, id: string): Promise<readonly string[]> =>
      ((await caller.property(type, id, 'vm'))?.children ?? []).map(({ text }) => text);
    expect(await vmsOf('HostSystem', 'host-11')).toEqual([vm.id]);
    expect(await vmsOf('Datastore', 'datastore-21')).toEqual([vm.id]);
    expect(await vmsOf('DistributedVirtualPortgroup', 'dvportgroup-33')).toEqual([vm.id]);
    expect(await vmsOf('Network', 'network-31')).toEqual([]);
    vm.moveHost('esx2.example');
    expect([await vmsOf('HostSystem', 'host-11'), await vmsOf('HostSystem', 'host-12')]).toEqual([
      [],
      [vm.id],
    ]);
  });
});
