import { describe, expect, test } from '@jest/globals';
import { InventoryWatch } from '../../src/controllers/inventory-watch.ts';
import { InventoryStore } from '../../src/inventory/store.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

function setUp() {
  const clock = new SimulatedClock({ start: 0 });
  const stores = new Map([['p', new InventoryStore()]]);
  const handlers = new Set<(uid: string) => void>();
  const told: string[] = [];
  const watch = new InventoryWatch({
    hub: {
      inventory: (uid) => stores.get(uid),
      onChange: (handler) => {
        handlers.add(handler);
        return { [Symbol.dispose]: () => void handlers.delete(handler) };
      },
    },
    clock,
    changed: (uid) => told.push(uid),
  });
  const connect = (uid: string): void => handlers.forEach((handler) => handler(uid));
  return { clock, stores, told, watch, connect };
}

describe('the watch over inventories', () => {
  test('tells many changes once, and later ones again', async () => {
    const { clock, stores, told, connect } = setUp();
    connect('p');
    connect('p');
    for (let n = 0; n < 100; n += 1) stores.get('p')?.upsert('vms', `vm-${n}`, {});
    expect(told).toEqual([]);
    await clock.advance(1_500);
    expect(told).toEqual(['p']);
    stores.get('p')?.remove('vms', 'vm-1');
    await clock.advance(1_500);
    expect(told).toEqual(['p', 'p']);
  });

  test('follows a Provider to a new inventory and leaves the old one', async () => {
    const { clock, stores, told, connect } = setUp();
    const old = stores.get('p');
    connect('p');
    stores.set('p', new InventoryStore());
    connect('p');
    old?.upsert('vms', 'vm-1', {});
    await clock.advance(1_500);
    expect(told).toEqual([]);
    stores.get('p')?.upsert('vms', 'vm-1', {});
    await clock.advance(1_500);
    expect(told).toEqual(['p']);
  });

  test('tells nothing any more when it is disposed of, not even what it has noted', async () => {
    const { clock, stores, told, watch, connect } = setUp();
    const store = stores.get('p');
    connect('p');
    store?.upsert('vms', 'vm-1', {});
    watch[Symbol.dispose]();
    store?.upsert('vms', 'vm-2', {});
    await clock.advance(1_500);
    expect(told).toEqual([]);
  });

  test('leaves a Provider that is gone', async () => {
    const { clock, stores, told, connect } = setUp();
    const store = stores.get('p');
    connect('p');
    stores.delete('p');
    connect('p');
    store?.upsert('vms', 'vm-1', {});
    await clock.advance(1_500);
    expect(told).toEqual([]);
  });
});
