import type { DataServiceOptions } from '../../hack/testbed/vddk/data-service.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { CopyPace } from './world.ts';

/** Long enough to meet a copy in its middle, also when the machine is busy. */
const longestSeconds = 5;

/** Reads at the pace of `copy`, for real importers on a real clock; when `end` aborts nothing waits any more. */
export function slowReads(
  copy: CopyPace | undefined,
  clock: Clock,
  end: AbortSignal,
): DataServiceOptions['beforeRead'] {
  if (copy === undefined) return undefined;
  if ('bytesPerSecond' in copy)
    return ({ length }) => clock.sleep((length / copy.bytesPerSecond) * 1000, end);
  const seconds = Math.min(copy.secondsPerDisk, longestSeconds);
  return ({ isFirst }) => (isFirst ? clock.sleep(seconds * 1000, end) : Promise.resolve());
}
