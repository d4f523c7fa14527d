import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SlotRequest } from '../../src/migration/phase.ts';
import { SlotTable } from '../../src/migration/slots.ts';
import { runs } from '../support/runs.ts';

const capacities: Readonly<Record<string, number>> = { host1: 4, host2: 2, lockA: 1, lockB: 1 };
const resources = Object.keys(capacities);

const wanted = fc
  .uniqueArray(fc.constantFrom(...resources), { minLength: 1, maxLength: 3 })
  .chain((names) =>
    fc.tuple(
      ...names.map((resource) =>
        fc
          .integer({ min: 1, max: capacities[resource] === 1 ? 1 : 6 })
          .map((cost): SlotRequest => ({ resource, cost, capacity: capacities[resource]! })),
      ),
    ),
  );
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      slots: wanted,
      run: fc.nat(2),
      priority: fc.nat(2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(20) }) },
);

/** Everybody who was ever granted, in order, checked against the table at each step. */
class Trace {
  readonly requests = new Map<string, readonly SlotRequest[]>();
  readonly holding = new Set<string>();
  readonly woken: string[] = [];
  readonly slots = new SlotTable((holder) => {
    this.woken.push(holder);
    this.holding.add(holder);
  });

  play(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): void {
    for (const [index, event] of steps.entries()) {
      if (event.do === 'ask') {
        const holder = `vm-${index}`;
        this.requests.set(holder, event.slots);
        const order = { run: `run-${event.run}`, order: index };
        if (this.slots.request(holder, event.slots, event.priority, order).granted) this.holding.add(holder);
      } else {
        this.end([...this.holding][event.which % Math.max(1, this.holding.size)]);
      }
      this.check();
    }
  }

  end(holder: string | undefined): void {
    if (holder === undefined) return;
    this.holding.delete(holder);
    this.requests.delete(holder);
    this.slots.freeAll(holder);
  }

  check(): void {
    for (const resource of resources) {
      const users = [...this.holding].flatMap((holder) =>
        this.requests.get(holder)!.filter((slot) => slot.resource === resource),
      );
      const used = users.reduce((sum, { cost }) => sum + cost, 0);
      expect(this.slots.usedOf(resource)).toBe(used);
      if (users.length > 1) expect(used).toBeLessThanOrEqual(capacities[resource]!);
    }
    for (const [holder, slots] of this.requests) {
      const { held, queue } = this.slots.view(holder);
      const isHolding = this.holding.has(holder);
      expect([...held].sort()).toEqual(isHolding ? slots.map(({ resource }) => resource).sort() : []);
      expect(queue === undefined).toBe(isHolding);
    }
  }
}

describe('any sequence of requests and ends', () => {
  test('never grants more than there is, nor a part of a request', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        new Trace().play(steps);
      }),
      runs(300),
    );
  });

  test('serves everybody in the end, and wakes each waiter once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const trace = new Trace();
        trace.play(steps);
        while (trace.holding.size > 0) {
          trace.end([...trace.holding][0]);
          trace.check();
        }
        expect(trace.requests.size).toBe(0);
        expect(new Set(trace.woken).size).toBe(trace.woken.length);
      }),
      runs(300),
    );
  });

  test('a large request is not starved by small ones that come later', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 30 }), (costs) => {
        const slots = new SlotTable(() => undefined);
        const ask = (holder: string, cost: number, order: number): boolean =>
          slots.request(holder, [{ resource: 'host1', cost, capacity: 4 }], 0, { run: 'r', order }).granted;
        ask('first', 1, 0);
        expect(ask('large', 4, 1)).toBe(false);
        for (const [index, cost] of costs.entries())
          expect(ask(`late-${index}`, cost, index + 2)).toBe(false);
        slots.freeAll('first');
        expect(slots.view('large').held.size).toBe(1);
      }),
    );
  });
});
