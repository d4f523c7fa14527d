import { describe, expect, test } from '@jest/globals';
import type { DataVolume } from '../../../src/api/external/cdi.ts';
import type { Stored } from '../../../src/api/meta.ts';
import { ProgressSink } from '../../../src/controllers/import/progress-sink.ts';
import { SimulatedClock } from '../../../src/sandbox/simulated-clock.ts';

let version = 0;
function volume(progress: string, phase = 'ImportInProgress'): Stored<DataVolume> {
  version += 1;
  const metadata = {
    name: 'dv',
    uid: 'uid',
    resourceVersion: String(version),
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  const status = {
    phase,
    progress,
    conditions: [{ type: 'Running', status: 'True', lastHeartbeatTime: String(version) }],
  };
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata,
    spec: {},
    status,
  } as unknown as Stored<DataVolume>;
}

describe('progress of a disk', () => {
  const sinkAt = () => {
    const clock = new SimulatedClock({ start: 0 });
    return { clock, sink: new ProgressSink({ progressPercent: 1, progressSeconds: 15 }, clock) };
  };

  test('wakes the import when it has moved by a percent, and not more often than every two seconds', async () => {
    const { clock, sink } = sinkAt();
    expect(sink.isWorthIt(volume('0.00%'), volume('1.00%'))).toBe(true);
    await clock.advance(1000);
    expect(sink.isWorthIt(volume('1.00%'), volume('9.00%'))).toBe(false);
    await clock.advance(1000);
    expect(sink.isWorthIt(volume('9.00%'), volume('9.50%'))).toBe(true);
    await clock.advance(5000);
    expect(sink.isWorthIt(volume('9.50%'), volume('9.60%'))).toBe(false);
    await clock.advance(10_000);
    expect(sink.isWorthIt(volume('9.60%'), volume('9.70%'))).toBe(true);
  });

  test('that is no figure wakes nobody', () => {
    expect(sinkAt().sink.isWorthIt(volume('N/A'), volume('N/A'))).toBe(false);
  });

  test('is not all that can change: a phase, a coming or a going wakes at once', () => {
    const { sink } = sinkAt();
    expect(sink.isWorthIt(undefined, volume('0.00%'))).toBe(true);
    expect(sink.isWorthIt(volume('99.00%'), volume('100.0%', 'Succeeded'))).toBe(true);
    expect(sink.isWorthIt(volume('99.00%'), undefined)).toBe(true);
  });
});
