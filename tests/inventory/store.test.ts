import { describe, expect, test } from '@jest/globals';
import { InventoryStore, type InventoryChange } from '../../src/inventory/store.ts';
import type { SourceFault } from '../../src/model/source-data.ts';
import type { VmModel } from '../../src/model/vm.ts';

const down: SourceFault = { code: 'Unreachable', kind: 'transient', message: 'no answer' };

function vm(id: string, name: string, options: { uuid?: string; path?: string } = {}): VmModel {
  return {
    schema: 1,
    id,
    name,
    path: options.path ?? `/DC/vm/${name}`,
    identity: `vc/${options.uuid ?? `uuid-${id}`}`,
    digest: 'd',
    power: 'Off',
    isTemplate: false,
    reachable: true,
    cpu: {
      sockets: 1,
      coresPerSocket: 1,
      threadsPerCore: 1,
      features: [],
      dedicated: false,
      isolateEmulator: false,
      hotPlug: { cpu: false, memory: false },
    },
    memoryBytes: 0,
    firmware: { kind: 'bios', secureBoot: false, tpm: false, nvramLost: false },
    disks: [],
    nics: [],
    devices: [],
    guest: { family: 'unknown', agent: 'unknown', fileSystems: [] },
    foreignSnapshots: [],
    consolidationNeeded: false,
    metadata: { tags: [], custom: {} },
  };
}

function put(store: InventoryStore, model: VmModel, raw: Record<string, string> = {}): void {
  store.upsert('vms', model.id, { name: model.name, ...raw }, model);
}

function loaded(...models: VmModel[]): InventoryStore {
  const store = new InventoryStore();
  store.begin();
  for (const model of models) put(store, model);
  store.parity();
  return store;
}

describe('finding a VM', () => {
  test('by id needs no name, and a wrong id is not cured by a right name', () => {
    const store = loaded(vm('vm-1', 'web'), vm('vm-2', 'db'));
    expect(store.find({ id: 'vm-1' })).toMatchObject({ kind: 'one', item: { id: 'vm-1' } });
    expect(store.find({ id: 'vm-9', name: 'web' })).toEqual({ kind: 'none' });
    expect(store.find({})).toEqual({ kind: 'none' });
  });

  test('by name tells none, one and many apart', () => {
    const store = loaded(vm('vm-1', 'web'), vm('vm-2', 'web'), vm('vm-3', 'db'));
    expect(store.find({ name: 'db' })).toMatchObject({ kind: 'one', item: { id: 'vm-3' } });
    expect(store.find({ name: 'none' })).toEqual({ kind: 'none' });
    const many = store.find({ name: 'web' });
    expect(many.kind === 'many' ? many.items.map((item) => item.id) : many).toEqual(['vm-1', 'vm-2']);
  });

  test('by its path tells two of one name apart', () => {
    const store = loaded(vm('vm-1', 'web', { path: '/A/vm/web' }), vm('vm-2', 'web', { path: '/B/vm/web' }));
    expect(store.find({ name: '/B/vm/web' })).toMatchObject({ kind: 'one', item: { id: 'vm-2' } });
    expect(store.find({ name: 'A/vm/web' })).toMatchObject({ kind: 'one', item: { id: 'vm-1' } });
  });

  test('by instance uuid', () => {
    const store = loaded(vm('vm-1', 'web', { uuid: 'u1' }));
    expect(store.findByInstanceUuid('u1')).toMatchObject({ kind: 'one', item: { id: 'vm-1' } });
  });

  test('follows a rename', () => {
    const store = loaded(vm('vm-1', 'web', { uuid: 'u1' }));
    put(store, vm('vm-1', 'www', { uuid: 'u2' }));
    expect(store.find({ name: 'web' })).toEqual({ kind: 'none' });
    expect(store.find({ name: 'www' })).toMatchObject({ kind: 'one', item: { id: 'vm-1' } });
    expect(store.findByInstanceUuid('u1')).toEqual({ kind: 'none' });
  });
});

describe('a change', () => {
  test('raises the revision, and the same content again does not', () => {
    const store = loaded(vm('vm-1', 'web'));
    expect(store.vm('vm-1')?.revision).toBe(1);
    const revision = store.revision;
    put(store, vm('vm-1', 'web'));
    expect(store.vm('vm-1')?.revision).toBe(1);
    expect(store.revision).toBe(revision);
    put(store, vm('vm-1', 'web'), { memory: 'more' });
    expect(store.vm('vm-1')?.revision).toBe(2);
  });

  test('is told to those who listen to its VM or its collection, until they stop', () => {
    const store = loaded(vm('vm-1', 'web'));
    const all: InventoryChange[] = [];
    const networks: InventoryChange[] = [];
    let woken = 0;
    using _all = store.onChange((change) => all.push(change));
    using _networks = store.onChange((change) => networks.push(change), 'networks');
    const one = store.onVmChange('vm-1', () => (woken += 1));
    store.upsert('networks', 'network-1', { name: 'lan' });
    put(store, vm('vm-2', 'db'));
    put(store, vm('vm-1', 'web'), { memory: 'more' });
    store.remove('vms', 'vm-1');
    one[Symbol.dispose]();
    put(store, vm('vm-1', 'web'));
    expect(networks).toEqual([{ collection: 'networks', id: 'network-1', kind: 'added' }]);
    expect(all.map((change) => `${change.kind} ${change.id}`)).toEqual([
      'added network-1',
      'added vm-2',
      'changed vm-1',
      'removed vm-1',
      'added vm-1',
    ]);
    expect(woken).toBe(2);
  });

  test('is visible when its listeners are called', () => {
    const store = loaded();
    const seen: unknown[] = [];
    using _listener = store.onChange((change) => seen.push(store.get(change.collection, change.id)));
    put(store, vm('vm-1', 'web'));
    store.remove('vms', 'vm-1');
    expect(seen).toEqual([expect.objectContaining({ id: 'vm-1' }), undefined]);
  });
});

describe('the state of the inventory', () => {
  test('is loading until a load is complete', () => {
    const store = new InventoryStore();
    expect(store.state.kind).toBe('loading');
    store.stale(down);
    expect(store.state).toEqual({ kind: 'loading', fault: down });
    store.begin();
    put(store, vm('vm-1', 'web'));
    expect(store.state.kind).toBe('loading');
    store.parity();
    expect(store.state).toEqual({ kind: 'fresh' });
  });

  test('turns stale and fresh again without a load, and keeps its content', () => {
    const store = loaded(vm('vm-1', 'web'));
    const states: string[] = [];
    using _listener = store.onState((state) => states.push(state.kind));
    store.stale(down);
    expect(store.count('vms')).toBe(1);
    store.parity();
    store.parity();
    expect(states).toEqual(['stale', 'fresh']);
  });

  test('after a reload holds what the reload has seen and nothing else', () => {
    const store = loaded(vm('vm-1', 'web'), vm('vm-2', 'db'), vm('vm-3', 'gone'));
    store.upsert('networks', 'network-1', { name: 'lan' });
    store.begin();
    put(store, vm('vm-1', 'web'));
    put(store, vm('vm-3', 'gone'));
    store.remove('vms', 'vm-3');
    expect(store.count('vms')).toBe(2);
    store.parity();
    expect(store.vms().map((item) => item.id)).toEqual(['vm-1']);
    expect(store.count('networks')).toBe(0);
    expect(store.find({ name: 'db' })).toEqual({ kind: 'none' });
  });
});
