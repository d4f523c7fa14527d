import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Limiter } from '../../src/runtime/limiter.ts';

describe('a limiter', () => {
  test('never runs more than its limit at once, and runs everything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.record({ turns: fc.nat({ max: 4 }), fails: fc.boolean() }), { maxLength: 30 }),
        async (limit, tasks) => {
          const limiter = new Limiter(limit);
          let running = 0;
          let most = 0;
          const results = await Promise.allSettled(
            tasks.map(({ turns, fails }, index) =>
              limiter.run(async () => {
                running += 1;
                most = Math.max(most, running);
                for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
                running -= 1;
                if (fails) throw new Error('as told');
                return index;
              }),
            ),
          );
          expect(most).toBeLessThanOrEqual(limit);
          expect(results.map(({ status }) => status)).toEqual(
            tasks.map(({ fails }) => (fails ? 'rejected' : 'fulfilled')),
          );
        },
      ),
    );
  });

  test('lets tasks begin in the order in which they came', async () => {
    const limiter = new Limiter(1);
    const begun: number[] = [];
    await Promise.all(
      [1, 2, 3].map((name) =>
        limiter.run(async () => {
          begun.push(name);
          await Promise.resolve();
        }),
      ),
    );
    expect(begun).toEqual([1, 2, 3]);
  });

  test('refuses a limit that lets nothing run', () => {
    expect(() => new Limiter(0)).toThrow(RangeError);
  });
});
