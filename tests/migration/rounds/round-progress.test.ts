import { describe, expect, test } from '@jest/globals';
import type { DiskStatus } from '../../../src/api/virtual-machine-import.ts';
import { diskStatus } from '../../../src/migration/disk-status.ts';
import type { VolumeFact } from '../../../src/migration/facts.ts';
import { begun, round, warmSpec } from './warm-context.ts';

const [disk] = warmSpec().disks;
const { key: diskKey, claimName, sizeBytes } = disk!;

/** What CDI shows: a phase, a figure, and the rounds that it has marked as copied. */
type Shown = readonly [phase: string, percent: number | undefined, copied: readonly number[]];

function volume([phase, percent, copied]: Shown, uid: string): VolumeFact {
  return {
    diskKey,
    claimName,
    dataVolume: {
      uid,
      ours: true,
      deleting: false,
      phase,
      ...(percent !== undefined && { percent }),
      restartCount: 0,
      conditions: [],
    },
    claim: {
      uid: 'claim',
      ours: true,
      deleting: false,
      phase: 'Bound',
      owner: { kind: 'DataVolume', uid },
      copied: copied.map((n) => `snapshot-${n}`),
      describedAs: claimName,
    },
  };
}

/** What is told of the disk in each look, of the rounds in turn. */
function told(
  looks: readonly (readonly [n: number, shown: Shown, uid?: string])[],
): readonly (number | undefined)[] {
  let status: DiskStatus | undefined;
  return looks.map(([n, shown, uid = 'dv-1']) => {
    const stage = { round: round(n), diskKey };
    status = diskStatus(volume(shown, uid), disk!, status, { now: begun, stage });
    const { percent, doneBytes } = status;
    expect(doneBytes).toBe(Math.floor((sizeBytes * (percent ?? 0)) / 100));
    return percent;
  });
}

const first: Parameters<typeof told>[0] = [
  [1, ['Pending', undefined, []]],
  [1, ['ImportInProgress', 20, []]],
  [1, ['ImportInProgress', 58, []]],
  [1, ['Paused', 58, [1]]],
];

describe('the progress of a round', () => {
  test('is none as long as CDI shows that of the round before, whatever it does meanwhile', () => {
    const looks = told([
      ...first,
      [2, ['Paused', 58, [1]]],
      [2, ['ImportScheduled', 58, [1]]],
      [2, ['ImportInProgress', 58, [1]]],
      [2, ['ImportInProgress', 58, [1]]],
      [2, ['ImportInProgress', 1, [1]]],
      [2, ['ImportInProgress', 2, [1]]],
      [2, ['Paused', 2, [1, 2]]],
    ]);
    expect(looks).toEqual([undefined, 20, 58, 100, ...Array<undefined>(4).fill(undefined), 1, 2, 100]);
  });

  test('is not what CDI shows late of the round before, while no importer of this one is at work', () => {
    const looks = told([
      ...first,
      [2, ['Paused', 58, [1]]],
      [2, ['Paused', 97, [1]]],
      [2, ['ImportScheduled', 97, [1]]],
      [2, ['ImportInProgress', 97, [1]]],
      [2, ['ImportInProgress', 3, [1]]],
    ]);
    expect(looks.slice(first.length)).toEqual([undefined, undefined, undefined, undefined, 3]);
  });

  test('is none in a round whose importer never tells any, though CDI showed one long ago', () => {
    const looks = told([
      ...first,
      [2, ['ImportInProgress', 58, [1]]],
      [2, ['Paused', 58, [1, 2]]],
      [3, ['Paused', 58, [1, 2]]],
      [3, ['ImportInProgress', 58, [1, 2]]],
    ]);
    expect(looks.slice(first.length)).toEqual([undefined, 100, undefined, undefined]);
  });

  test('is believed at once of a volume that is new, and does not go back when its importer starts again', () => {
    const looks = told([
      ...first,
      [1, ['ImportInProgress', 58, []], 'dv-2'],
      [1, ['ImportScheduled', 58, []], 'dv-2'],
      [1, ['ImportInProgress', 4, []], 'dv-2'],
      [1, ['ImportInProgress', 60, []], 'dv-2'],
    ]);
    expect(looks.slice(first.length)).toEqual([58, 58, 58, 60]);
  });
});
