import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SystemClock } from '../../src/runtime/clock.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

const realTime = new SystemClock();
const start = Date.UTC(2026, 0, 1);

describe('stepped by hand', () => {
  test('time stands still until it is advanced', async () => {
    const clock = new SimulatedClock({ start });
    const fired: number[] = [];
    clock.setTimeout(() => fired.push(clock.now() - start), 10);
    await clock.advance(9);
    expect(fired).toEqual([]);
    expect(clock.monotonicMs()).toBe(9);
    await clock.advance(1);
    expect(fired).toEqual([10]);
  });

  test('what a timer sets off runs to its end before the next timer fires', async () => {
    const clock = new SimulatedClock({ start });
    const seen: string[] = [];
    clock.setTimeout(() => {
      void (async () => {
        for (let i = 0; i < 20; i += 1) await Promise.resolve();
        seen.push('chain of the first');
      })();
    }, 5);
    clock.setTimeout(() => seen.push('second'), 5);
    await clock.advance(5);
    expect(seen).toEqual(['chain of the first', 'second']);
  });

  test('timers fire in order of time, then of arming, and see the time they were armed for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 }), async (delays) => {
        const clock = new SimulatedClock({ start });
        const fired: { ms: number; i: number }[] = [];
        delays.forEach((ms, i) => {
          clock.setTimeout(() => {
            expect(clock.monotonicMs()).toBe(ms);
            fired.push({ ms, i });
          }, ms);
        });
        await clock.advance(20);
        const wanted = delays.map((ms, i) => ({ ms, i })).sort((a, b) => a.ms - b.ms || a.i - b.i);
        expect(fired).toEqual(wanted);
      }),
      { numRuns: 50 },
    );
  });

  test('a cancelled timer does not fire', async () => {
    const clock = new SimulatedClock({ start });
    let fired = false;
    const timer = clock.setTimeout(() => (fired = true), 5);
    timer[Symbol.dispose]();
    await clock.advance(10);
    expect(fired).toBe(false);
  });

  test('it refuses to be advanced while it runs by itself', async () => {
    const clock = new SimulatedClock({ start });
    using _running = clock.run();
    await expect(clock.advance(1)).rejects.toThrow('runs by itself');
  });
});

describe('running by itself', () => {
  test('a month of sleeping takes no time', async () => {
    const clock = new SimulatedClock({ start });
    using _running = clock.run();
    await clock.sleep(30 * 24 * 3_600_000);
    expect(clock.now() - start).toBe(30 * 24 * 3_600_000);
  });

  test('no timer fires while something real is held', async () => {
    const clock = new SimulatedClock({ start });
    using _running = clock.run();
    let fired = false;
    const hold = clock.hold();
    clock.setTimeout(() => (fired = true), 1);
    for (let i = 0; i < 10; i += 1) await turn();
    expect(fired).toBe(false);
    hold[Symbol.dispose]();
    await clock.sleep(2);
    expect(fired).toBe(true);
  });

  test('it stops when the runner is disposed of, and goes on with the next', async () => {
    const clock = new SimulatedClock({ start });
    let fired = 0;
    const again = (): void => {
      fired += 1;
      clock.setTimeout(again, 1000);
    };
    clock.setTimeout(again, 1000);
    {
      using _running = clock.run();
      while (fired < 3) await turn();
    }
    const stoppedAt = fired;
    for (let i = 0; i < 10; i += 1) await turn();
    expect(fired).toBe(stoppedAt);
    using _running = clock.run();
    while (fired === stoppedAt) await turn();
  });

  test('an aborted sleep rejects at once with the reason', async () => {
    const clock = new SimulatedClock({ start });
    const abort = new AbortController();
    const sleeping = clock.sleep(1000, abort.signal);
    abort.abort(new Error('stop'));
    await expect(sleeping).rejects.toThrow('stop');
  });

  test('jumps are cheap', async () => {
    const clock = new SimulatedClock({ start });
    using _running = clock.run();
    const before = realTime.monotonicMs();
    for (let i = 0; i < 20_000; i += 1) await clock.sleep(1);
    expect(clock.monotonicMs()).toBe(20_000);
    // 20,000 jumps take 0.1 s on an idle machine; the bound only catches a clock that really waits.
    expect(realTime.monotonicMs() - before).toBeLessThan(10_000);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
