import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LruMap } from '../../src/kube/lru-map.ts';
import { backoffMs } from '../../src/runtime/backoff.ts';
import { Fifo } from '../../src/runtime/fifo.ts';
import { MinHeap } from '../../src/runtime/min-heap.ts';

/** A push, or (undefined) a take. */
const operations = fc.array(fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }), {
  maxLength: 200,
});

test('a heap gives the least of what it holds, whatever came when', () => {
  fc.assert(
    fc.property(operations, (list) => {
      const heap = new MinHeap<number>((a, b) => a < b);
      const model: number[] = [];
      for (const value of list) {
        if (value === undefined) expect(heap.pop()).toBe(model.shift());
        else {
          heap.push(value);
          model.push(value);
          model.sort((a, b) => a - b);
        }
        expect([heap.peek(), heap.size]).toEqual([model[0], model.length]);
      }
    }),
  );
});

test('a queue gives back in the order in which it was given', () => {
  fc.assert(
    fc.property(operations, (list) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      for (const value of list) {
        if (value === undefined) expect(fifo.shift()).toBe(model.shift());
        else {
          fifo.push(value);
          model.push(value);
        }
        expect(fifo.size).toBe(model.length);
      }
    }),
  );
});

test('a map of limited size forgets what was used longest ago', () => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  expect(map.get('a')).toBe(1);
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
});

describe('back-off', () => {
  const range = { firstMs: 100, maxMs: 30_000 };

  test('stays between nothing and a ceiling that doubles up to its limit', () => {
    const spread = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), spread, (attempt, drawn) => {
        const ms = backoffMs(attempt, range, () => drawn);
        expect(ms).toBeGreaterThanOrEqual(1);
        expect(ms).toBeLessThanOrEqual(Math.min(range.maxMs, 100 * 2 ** Math.min(attempt - 1, 20)));
      }),
    );
  });

  test('is spread over the whole of it', () => {
    expect([0, 0.25, 0.75].map((drawn) => backoffMs(3, range, () => drawn))).toEqual([400, 300, 100]);
  });
});
