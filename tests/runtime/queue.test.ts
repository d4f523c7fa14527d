import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { QueueObserver } from '../../src/runtime/queue.ts';
import { WorkQueue } from '../../src/runtime/queue.ts';
import { RateLimiter } from '../../src/runtime/rate-limiter.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

function setUp(observer?: QueueObserver): { clock: SimulatedClock; queue: WorkQueue } {
  const clock = new SimulatedClock({ start: 0 });
  return { clock, queue: new WorkQueue({ clock, ...(observer && { observer }) }) };
}

describe('adding', () => {
  test('any number of adds before a key is handed out are one', async () => {
    const { queue } = setUp();
    queue.add('a');
    queue.add('b');
    queue.add('a');
    expect([await queue.take(), await queue.take()]).toEqual(['a', 'b']);
    expect(queue.depth).toBe(0);
  });

  test('a key added while it is worked on comes again, once, when it is done', async () => {
    const { queue } = setUp();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(await queue.take()).toBe('a');
    queue.done('a');
    expect(queue.isIdle).toBe(true);
  });

  test('a low key waits for the normal ones, and rises when it is added as one of them', async () => {
    const { queue } = setUp();
    queue.add('low 1', 'low');
    queue.add('low 2', 'low');
    queue.add('normal');
    queue.add('low 2');
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual([
      'normal',
      'low 2',
      'low 1',
    ]);
    expect(queue.depth).toBe(0);
  });

  test('giving back a key that was not handed out is refused', () => {
    const { queue } = setUp();
    expect(() => queue.done('a')).toThrow('was not handed out');
  });
});

describe('delays', () => {
  test('of several delays the earliest counts', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 200);
    await clock.advance(49);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await queue.take()).toBe('a');
    queue.done('a');
    await clock.advance(1000);
    expect(queue.isIdle).toBe(true);
  });

  test('an add makes a delayed key ready, and its delay is void', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 100);
    queue.add('a');
    expect(await queue.take()).toBe('a');
    queue.done('a');
    await clock.advance(1000);
    expect(queue.isIdle).toBe(true);
  });

  test('a delay of years is kept', async () => {
    const { clock, queue } = setUp();
    const years = 3 * 365 * 86_400_000;
    queue.addAfter('a', years);
    await clock.advance(years - 1);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  test('the wait after failures doubles from 5 ms to 1000 s, for each key apart, until it is forgotten', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2000 }), (failures) => {
        const limiter = new RateLimiter<string>();
        let before = 0;
        for (let i = 0; i < failures; i += 1) {
          const wait = limiter.next('a');
          expect(wait).toBeGreaterThanOrEqual(5);
          expect(wait).toBeLessThanOrEqual(1_000_000);
          expect(wait).toBe(before === 0 ? 5 : Math.min(1_000_000, before * 2));
          before = wait;
        }
        expect(limiter.next('b')).toBe(5);
        limiter.forget('a');
        expect(limiter.next('a')).toBe(5);
      }),
      { numRuns: 20 },
    );
  });
});

describe('shutdown', () => {
  test('it ends waiting workers, hands out nothing more, and waits for those at work', async () => {
    const { queue } = setUp();
    queue.add('a');
    queue.add('b');
    await queue.take();
    let isOver = false;
    const over = queue.shutdown().then(() => (isOver = true));
    expect(await queue.take()).toBeUndefined();
    queue.add('c');
    expect(isOver).toBe(false);
    queue.done('a');
    await over;
    expect(queue.isIdle).toBe(true);
  });

  test('a worker that waits is told at once', async () => {
    const { queue } = setUp();
    const waiting = queue.take();
    await queue.shutdown();
    expect(await waiting).toBeUndefined();
  });
});

test('the observer sees depth, waiting and working times', async () => {
  const seen: string[] = [];
  const { clock, queue } = setUp({
    added: () => seen.push('added'),
    retried: () => seen.push('retried'),
    depth: (depth) => seen.push(`depth ${depth}`),
    waited: (seconds) => seen.push(`waited ${seconds}`),
    worked: (seconds) => seen.push(`worked ${seconds}`),
  });
  queue.add('a');
  await clock.advance(2000);
  await queue.take();
  await clock.advance(3000);
  queue.addRateLimited('a');
  queue.done('a');
  expect(seen).toEqual(['added', 'depth 1', 'depth 0', 'waited 2', 'retried', 'worked 3']);
});

test('no wake-up is lost and no key is worked on twice at once, whatever comes in whatever order', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), key: key(), low: fc.boolean() }),
    fc.record({ do: fc.constant('addAfter' as const), key: key(), ms: fc.integer({ min: -1, max: 30 }) }),
    fc.record({ do: fc.constant('retry' as const), key: key() }),
    fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 20 }) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 10 }),
      async (steps, workers, workMs) => {
        const { clock, queue } = setUp();
        const pending = new Set<string>();
        const atWork = new Set<string>();
        const work = async (): Promise<void> => {
          for (let taken = await queue.take(); taken !== undefined; taken = await queue.take()) {
            expect(atWork.has(taken)).toBe(false);
            atWork.add(taken);
            pending.delete(taken);
            if (workMs > 0) await clock.sleep(workMs);
            atWork.delete(taken);
            queue.done(taken);
          }
        };
        const all = Array.from({ length: workers }, work);
        for (const one of steps) {
          if (one.do !== 'advance') pending.add(one.key);
          if (one.do === 'add') queue.add(one.key, one.low ? 'low' : 'normal');
          else if (one.do === 'addAfter') queue.addAfter(one.key, one.ms);
          else if (one.do === 'retry') queue.addRateLimited(one.key);
          else await clock.advance(one.ms);
        }
        // Longer than every delay, and than all the work that can be left.
        await clock.advance(1_000_000 + steps.length * 11);
        expect([...pending]).toEqual([]);
        expect(queue.isIdle).toBe(true);
        await queue.shutdown();
        await Promise.all(all);
      },
    ),
    { numRuns: 200 },
  );
});

function key(): fc.Arbitrary<string> {
  return fc.constantFrom('a', 'b', 'c');
}
