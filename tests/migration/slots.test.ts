import { describe, expect, test } from '@jest/globals';
import type { SlotRequest } from '../../src/migration/phase.ts';
import { SlotTable } from '../../src/migration/slots.ts';

const host = (cost: number, capacity = 4): SlotRequest => ({ resource: 'host/1', cost, capacity });
const lock = (name: string): SlotRequest => ({ resource: `lock/${name}`, cost: 1, capacity: 1 });

function table(): {
  readonly slots: SlotTable;
  readonly granted: string[];
  readonly ask: (holder: string, slots: readonly SlotRequest[], run?: string, priority?: number) => boolean;
} {
  const granted: string[] = [];
  const slots = new SlotTable((holder) => granted.push(holder));
  let order = 0;
  const ask = (holder: string, wanted: readonly SlotRequest[], run = 'a', priority = 0) =>
    slots.request(holder, wanted, priority, { run, order: (order += 1) }).granted;
  return { slots, granted, ask };
}

describe('the slot table', () => {
  test('grants at once while there is room, and queues what does not fit', () => {
    const { slots, ask } = table();
    expect(ask('1', [host(3)])).toBe(true);
    expect(slots.request('2', [host(2)], 0, { run: 'a', order: 9 })).toEqual({
      granted: false,
      resource: 'host/1',
      position: 1,
      length: 1,
    });
    expect(slots.view('2')).toEqual({
      held: new Set(),
      queue: { resource: 'host/1', position: 1, length: 1 },
    });
  });

  test('wakes a waiting holder once when it is granted', () => {
    const { slots, granted, ask } = table();
    ask('1', [host(4)]);
    ask('2', [host(4)]);
    slots.free('1', 'host/1');
    slots.free('1', 'host/1');
    expect(granted).toEqual(['2']);
    expect(slots.view('2').held).toEqual(new Set(['host/1']));
  });

  test('takes all slots of a request or none', () => {
    const { slots, ask } = table();
    ask('1', [lock('x')]);
    expect(ask('2', [lock('x'), host(1)])).toBe(false);
    expect(slots.usedOf('host/1')).toBe(0);
    expect(slots.view('2').queue?.resource).toBe('lock/x');
  });

  test('lets a request that is larger than the capacity run alone', () => {
    const { slots, granted, ask } = table();
    ask('1', [host(1)]);
    expect(ask('big', [host(9)])).toBe(false);
    expect(ask('2', [host(1)])).toBe(false);
    slots.freeAll('1');
    expect(granted).toEqual(['big']);
    slots.freeAll('big');
    expect(granted).toEqual(['big', '2']);
  });

  test('does not idle a host for one that waits for a lock', () => {
    const { ask } = table();
    ask('1', [lock('x')]);
    ask('2', [lock('x'), host(4)]);
    expect(ask('3', [host(4)])).toBe(true);
  });

  test('serves cutovers before starts', () => {
    const { slots, granted, ask } = table();
    ask('1', [host(4)]);
    ask('start', [host(4)]);
    ask('cutover', [host(4)], 'b', 3);
    slots.freeAll('1');
    expect(granted).toEqual(['cutover']);
  });

  test('lets runs take turns, and keeps the order of the plan within a run', () => {
    const { slots, granted, ask } = table();
    ask('0', [host(4)], 'z');
    for (const vm of ['a1', 'a2', 'a3', 'a4']) ask(vm, [host(4)], 'a');
    for (const vm of ['b1', 'b2']) ask(vm, [host(4)], 'b');
    slots.freeAll('0');
    for (let index = 0; index < 5; index += 1) slots.freeAll(granted.at(-1)!);
    expect(granted).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
  });

  test('grants what is already held, also after a restart', () => {
    const { slots, ask } = table();
    slots.rebuild([{ holder: '1', slots: [host(3)] }]);
    expect(ask('1', [host(3)])).toBe(true);
    expect(slots.usedOf('host/1')).toBe(3);
    expect(ask('2', [host(2)])).toBe(false);
  });

  test('forgets a holder that leaves the queue', () => {
    const { slots, granted, ask } = table();
    ask('1', [host(4)]);
    ask('2', [host(4)]);
    ask('3', [host(4)]);
    slots.freeAll('2');
    slots.freeAll('1');
    expect(granted).toEqual(['3']);
    expect(slots.view('2')).toEqual({ held: new Set() });
  });

  test('holds 500 imports of three disks in the queue of a few hosts without delay', () => {
    const { slots, granted, ask } = table();
    const all = Array.from({ length: 500 }, (_, index) => String(index));
    const started = all.filter((vm) => {
      const resource = `host/${Number(vm) % 5}`;
      return ask(vm, [lock(vm), { resource, cost: 3, capacity: 20 }]);
    });
    expect(started).toHaveLength(30);
    for (const vm of started) slots.freeAll(vm);
    while (granted.length < 470) for (const vm of [...granted]) slots.freeAll(vm);
    expect(new Set([...started, ...granted]).size).toBe(500);
  });
});
