import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ImportTimes, partyOf, type DowntimeSplit } from '../../../src/sandbox/demo/downtime.ts';

const key = 'ns/a';

/** Times, and a clock that a test moves. */
function setUp() {
  const clock = { ms: 0, now: () => clock.ms };
  const times = new ImportTimes(clock);
  const instance = times.instance();
  const queue = instance.queue('import');
  const endpoint = instance.endpoint({
    call: async () => {
      await Promise.resolve();
      clock.ms += 40;
      return { status: 200, headers: {}, body: noBody() };
    },
    peerThumbprint: () => Promise.resolve(''),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  const call = () => endpoint.call({ method: 'POST', path: '/', headers: {} }, new AbortController().signal);
  return { clock, times, instance, queue, call };
}

async function* noBody(): AsyncIterable<Uint8Array> {
  await Promise.resolve();
  yield* [];
}

function sumOf({ sourceMs, copyMs, conversionMs, controllerMs }: DowntimeSplit): number {
  return sourceMs + copyMs + conversionMs + controllerMs;
}

describe('whose time a downtime is', () => {
  test('the controller has it from the wake-up to the next wait, whoever it waits for has it then', async () => {
    const { clock, times, instance, queue } = setUp();
    await instance.around(key, () => {
      instance.rests(key, { phase: 'Finalize', reason: 'DiskTransfer' });
      return Promise.resolve();
    });
    clock.ms = 100;
    queue.added(key);
    clock.ms = 107;
    await instance.around(key, () => {
      clock.ms += 5;
      instance.rests(key, { phase: 'WaitForTargetRunning', reason: 'TargetRunning' });
      return Promise.resolve();
    });
    expect(times.split(key, 0, 200)).toEqual({
      sourceMs: 0,
      copyMs: 100 + 88,
      startMs: 88,
      conversionMs: 0,
      controllerMs: 12,
    });
    expect(times.split(key, 50, 110)).toMatchObject({ copyMs: 50, controllerMs: 10 });
  });

  test("calls to the source that a reconcile makes are the source's; those of others are nobody's", async () => {
    const { clock, times, instance, call } = setUp();
    await instance.around(key, async () => {
      clock.ms += 3;
      await Promise.all([call(), call()]);
      clock.ms += 2;
      instance.rests(key, { phase: 'ConvertGuest', reason: 'Conversion' });
    });
    expect(times.split(key, 0, 85)).toMatchObject({ sourceMs: 80, controllerMs: 5 });
    await call();
    expect(times.split(key, 85, 125)).toMatchObject({ conversionMs: 40 });
  });

  test('a wait for the echo of its own act, a reconcile that failed, and a death are the controller’s time', async () => {
    const { clock, times, instance } = setUp();
    await instance.around(key, () => {
      instance.echoes(key);
      instance.rests(key, { phase: 'ReleaseVolumes', reason: 'VolumeRelease' });
      return Promise.resolve();
    });
    clock.ms = 10;
    await instance.around(key, () => Promise.reject(new Error('conflict'))).catch(() => undefined);
    clock.ms = 20;
    await instance.around(key, () => {
      instance.rests(key, { phase: 'Finalize', reason: 'DiskTransfer' });
      return Promise.resolve();
    });
    clock.ms = 30;
    instance.end();
    times.noController();
    instance.rests(key, { phase: 'Finalize', reason: 'DiskTransfer' });
    clock.ms = 50;
    const next = times.instance();
    await next.around(key, () => {
      next.rests(key, { phase: 'Finalize', reason: 'DiskTransfer' });
      return Promise.resolve();
    });
    expect(times.split(key, 0, 60)).toMatchObject({ controllerMs: 10 + 10 + 20, copyMs: 10 + 10 });
  });

  test('the parts add up to the whole, whatever happened', async () => {
    const happening = fc.constantFrom('woken', 'source', 'waits', 'echo', 'fails', 'killed');
    const steps = fc.array(fc.tuple(fc.nat(50), happening), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(300), fc.nat(900), async (events, from, length) => {
        const { clock, times, instance, queue, call } = setUp();
        for (const [ms, what] of events) {
          clock.ms += ms;
          if (what === 'woken') queue.added(key);
          else if (what === 'killed') times.noController();
          else {
            const work = async (): Promise<void> => {
              if (what === 'source') await call();
              if (what === 'echo') instance.echoes(key);
              if (what === 'fails') throw new Error('it failed');
              instance.rests(key, { phase: 'Finalize', reason: 'DiskTransfer' });
            };
            await instance.around(key, work).catch(() => undefined);
          }
        }
        const split = times.split(key, from, from + length);
        expect(sumOf(split)).toBe(length);
        expect(split.startMs).toBeLessThanOrEqual(split.copyMs);
      }),
    );
  });

  test.each([
    ['WaitForFinalSnapshot', 'Snapshot', 'source'],
    ['Finalize', 'SourceUnavailable', 'source'],
    ['Finalize', 'DiskTransfer', 'copy'],
    ['ConvertGuest', 'Conversion', 'conversion'],
    ['ReleaseVolumes', 'VolumeRelease', 'start'],
    ['CreateDataVolumes', 'Queued', 'copy'],
    ['Finalize', undefined, 'controller'],
    ['PhaseOfAnotherVersion', 'Something', 'controller'],
  ])('a wait in %s for %s is the time of %s', (phase, reason, party) => {
    expect(partyOf({ phase, reason })).toBe(party);
  });
});
