import { describe, expect, test } from '@jest/globals';
import { KubeError } from '../../src/kube/errors.ts';
import type { ControllerOptions, Reconcile, ReconcileOutcome } from '../../src/runtime/controller.ts';
import { Controller, TerminalError } from '../../src/runtime/controller.ts';
import { RecordingLogger } from '../../src/runtime/recording-logger.ts';
import { SimulatedClock } from '../../src/sandbox/simulated-clock.ts';

function setUp(reconcile: Reconcile, options: Partial<ControllerOptions> = {}) {
  const clock = new SimulatedClock({ start: 0 });
  const logger = new RecordingLogger();
  const outcomes: ReconcileOutcome[] = [];
  const observer = {
    active: () => undefined,
    reconciled: (outcome: ReconcileOutcome) => outcomes.push(outcome),
  };
  const controller = new Controller({ name: 'test', reconcile, clock, logger, observer, ...options });
  const abort = new AbortController();
  const over = controller.run(abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort(new Error('stop'));
    await over;
  };
  return { clock, logger, outcomes, controller, stop };
}

test('a key is reconciled, and the outcome is counted', async () => {
  const seen: string[] = [];
  const { controller, outcomes, stop } = setUp((key) => {
    seen.push(key);
    return Promise.resolve({});
  });
  controller.enqueue('ns/a');
  await controller.idle();
  expect(seen).toEqual(['ns/a']);
  expect(outcomes).toEqual(['success']);
  await stop();
});

test('a failure is tried again with growing waits, and success resets them', async () => {
  const at: number[] = [];
  const { clock, controller, outcomes, stop } = setUp(() => {
    at.push(clock.monotonicMs());
    return at.length === 4 || at.length === 6 ? Promise.resolve({}) : Promise.reject(new Error('not yet'));
  });
  controller.enqueue('a');
  await clock.advance(1000);
  expect(at).toEqual([0, 5, 15, 35]);
  expect(outcomes).toEqual(['error', 'error', 'error', 'success']);
  controller.enqueue('a');
  await clock.advance(1000);
  expect(at.slice(4)).toEqual([1000, 1005]);
  await stop();
});

test('a conflict is tried again and bothers no operator', async () => {
  let tries = 0;
  const { clock, controller, logger, stop } = setUp(() => {
    tries += 1;
    const fields = {
      code: 'Conflict',
      status: 409,
      detail: 'modified',
      attempted: 'patch plans ns/a',
    } as const;
    return tries === 1 ? Promise.reject(new KubeError(fields)) : Promise.resolve({});
  });
  controller.enqueue('a');
  await clock.advance(1000);
  expect(tries).toBe(2);
  expect(logger.lines.map((line) => line.level)).toEqual(['debug']);
  await stop();
});

test('a terminal error is logged and not tried again', async () => {
  const { clock, controller, outcomes, logger, stop } = setUp(() =>
    Promise.reject(new TerminalError('spec makes no sense')),
  );
  controller.enqueue('a');
  await clock.advance(10_000_000);
  expect(outcomes).toEqual(['terminal_error']);
  expect(logger.lines.map((line) => [line.level, line.message, line.fields['key']])).toEqual([
    ['error', 'reconcile failed for good', 'a'],
  ]);
  await stop();
});

test('a key asks to be called again after a time, once', async () => {
  const at: number[] = [];
  const { clock, controller, stop } = setUp(() => {
    at.push(clock.monotonicMs());
    return Promise.resolve(at.length === 1 ? { requeueAfterMs: 60_000 } : {});
  });
  controller.enqueue('a');
  await clock.advance(600_000);
  expect(at).toEqual([0, 60_000]);
  await stop();
});

test('as many keys are under way at once as there are workers, and one key never twice', async () => {
  let most = 0;
  const atWork = new Set<string>();
  const { clock, controller, stop } = setUp(
    async (key, signal) => {
      expect(atWork.has(key)).toBe(false);
      atWork.add(key);
      most = Math.max(most, atWork.size);
      await clock.sleep(100, signal);
      atWork.delete(key);
      return {};
    },
    { workers: 3 },
  );
  for (const key of ['a', 'b', 'c', 'd', 'e']) controller.enqueue(key);
  await clock.advance(50);
  for (const key of ['a', 'b', 'c', 'd', 'e']) controller.enqueue(key);
  await clock.advance(10_000);
  expect(most).toBe(3);
  await stop();
});

describe('limits', () => {
  test('a reconcile over its time is aborted, and its key is not worked on again before it ended', async () => {
    const log: string[] = [];
    let reason: unknown;
    const { clock, controller, stop } = setUp(
      async (_key, signal) => {
        log.push('begin');
        if (log.length > 1) return {};
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        await clock.sleep(5000);
        log.push('end');
        return {};
      },
      { timeoutMs: 1000, workers: 2 },
    );
    controller.enqueue('a');
    await clock.advance(2000);
    controller.enqueue('a');
    await clock.advance(2000);
    expect(reason).toMatchObject({ name: 'ReconcileTimeout', code: 'ReconcileTimeout' });
    expect(log).toEqual(['begin']);
    await clock.advance(2000);
    expect(log).toEqual(['begin', 'end', 'begin']);
    await stop();
  });

  test('stopping aborts what is under way, waits for it, and starts nothing more', async () => {
    const ended: string[] = [];
    const { clock, controller, stop, logger } = setUp(async (key, signal) => {
      try {
        await clock.sleep(60_000, signal);
      } finally {
        ended.push(key);
      }
      return {};
    });
    controller.enqueue('a');
    controller.enqueue('b');
    await clock.advance(10);
    await stop();
    expect(ended).toEqual(['a']);
    expect(logger.lines.filter((line) => line.level === 'error')).toEqual([]);
  });

  test('keys added before the start are not lost', async () => {
    const clock = new SimulatedClock({ start: 0 });
    const seen: string[] = [];
    const controller = new Controller({
      name: 'early',
      clock,
      logger: new RecordingLogger(),
      reconcile: (key) => Promise.resolve({}).finally(() => seen.push(key)),
    });
    controller.enqueue('a');
    const abort = new AbortController();
    const over = controller.run(abort.signal);
    await controller.idle();
    abort.abort();
    await over;
    expect(seen).toEqual(['a']);
  });
});
