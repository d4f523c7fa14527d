import { expect, test } from '@jest/globals';
import { copyAreas } from '../../../src/sandbox/cdi/copy.ts';
import type { ProgramExit } from '../../../src/sandbox/cdi/pod-runner.ts';
import { defaultCdiSettings } from '../../../src/sandbox/cdi/settings.ts';
import { createMemoryDiskStore } from '../../../src/sandbox/disk-memory.ts';
import { SwitchedFaults } from '../../../src/sandbox/faults.ts';
import { SimulatedClock } from '../../../src/sandbox/simulated-clock.ts';
import { RecordedTrace } from '../../../src/sandbox/trace.ts';

const length = 64 * 1024;

/** Two areas are copied from a source whose every read fails until `downMs` have passed. */
async function copyThrough(
  downMs: number,
): Promise<{ readonly ended: ProgramExit | undefined; readonly tookMs: number; readonly copied: number }> {
  const clock = new SimulatedClock({ start: 0 });
  using disks = createMemoryDiskStore();
  const target = disks.create('target', 2 * length);
  const reads: number[] = [];
  const source = {
    sizeBytes: 2 * length,
    host: 'esx1.example',
    read(offset: number): Uint8Array {
      if (clock.now() < downMs) throw new Error('Unable to copy block');
      reads.push(offset);
      return new Uint8Array(length).fill(1);
    },
    extents: () => [],
    changedAreas: () => [],
    [Symbol.dispose]: () => undefined,
  };
  using _running = clock.run();
  const ended = await copyAreas(
    {
      clock,
      disks,
      faults: new SwitchedFaults(new RecordedTrace(clock)),
      settings: { ...defaultCdiSettings, speed: 1 },
    },
    {
      source,
      target,
      capacityBytes: Infinity,
      areas: [0, length].map((offset) => ({ offset, length })),
      seconds: 0,
      claimName: 'disk-0',
      share: () => 0,
      done: () => undefined,
    },
    AbortSignal.timeout(10_000),
  );
  return { ended, tookMs: clock.now(), copied: reads.length };
}

test('a source that is gone for less than a minute costs the importer that time', async () => {
  expect(await copyThrough(31_000)).toEqual({ ended: undefined, tookMs: 62_000, copied: 2 });
  expect(await copyThrough(3_000)).toEqual({ ended: undefined, tookMs: 6_000, copied: 2 });
});

test('one that is gone for longer fails it', async () => {
  const { ended, tookMs, copied } = await copyThrough(62_001);
  expect({ tookMs, copied }).toEqual({ tookMs: 62_000, copied: 0 });
  expect(JSON.stringify(ended)).toContain('Unable to copy block');
});
