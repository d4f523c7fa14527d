import { describe, expect, test } from '@jest/globals';
import type { OwedSnapshot } from '../../../src/migration/facts.ts';
import { readOwedSnapshots } from '../../../src/migration/owed-snapshots.ts';
import { pauseAfter } from '../../../src/migration/tries.ts';
import { begun } from './warm-context.ts';

const key = 'Snapshot/m';
const there = { state: 'ready', id: 'snapshot-1' } as const;
const error = { code: 'FileLocked', kind: 'busy', message: 'a disk is locked' } as const;

function owed(changes: Partial<OwedSnapshot>): OwedSnapshot {
  return { key, marker: 'm', attempts: 0, state: there, ...changes };
}
function standing(changes: Partial<OwedSnapshot> = {}): OwedSnapshot {
  return owed({ removal: { id: 'snapshot-1', reading: { state: 'present' } }, ...changes });
}
const read = (...snapshots: readonly OwedSnapshot[]) => readOwedSnapshots(snapshots, begun);
const struck = { ledger: [{ op: 'strike', key }], actions: [], left: [] };

describe('an owed snapshot', () => {
  test('that stands is asked away, and that is counted', () => {
    expect(read(standing())).toEqual({
      ledger: [
        { op: 'identify', key, id: 'snapshot-1' },
        { op: 'ask', key },
      ],
      actions: [{ do: 'removeSnapshot', id: 'snapshot-1' }],
      left: ['m'],
    });
  });

  test.each(['absent', 'failed'] as const)('that is %s is struck', (state) => {
    const reading = state === 'failed' ? { state, error, quiesceFault: false } : { state };
    expect(read(owed({ state: reading }))).toEqual(struck);
  });

  test('that is proven gone is struck', () => {
    expect(read(standing({ removal: { id: 'snapshot-1', reading: { state: 'gone' } } }))).toEqual(struck);
  });

  test.each([{ state: 'creating' } as const, { state: 'busy', by: 'Backup' } as const])(
    'of which nobody knows the id yet (%p) is waited for',
    (state) => {
      expect(read(owed({ state }))).toEqual({ ledger: [], actions: [], left: ['m'] });
    },
  );

  test.each([{ state: 'removing' } as const, { state: 'busy', by: 'Backup' } as const])(
    'that is on its way (%p) is not asked for again',
    (reading) => {
      const { actions, left } = read(standing({ removal: { id: 'snapshot-1', reading } }));
      expect({ actions, left }).toEqual({ actions: [], left: ['m'] });
    },
  );

  test('whose removal came to nothing is asked for again after a while that grows', () => {
    const asked = { attempts: 3, askedMs: begun - pauseAfter(3) };
    expect(read(standing(asked)).actions).toHaveLength(1);
    expect(read(standing({ ...asked, askedMs: asked.askedMs + 1 }))).toMatchObject({
      actions: [],
      left: ['m'],
    });
  });

  test('whose removal failed says why', () => {
    const failed = { id: 'snapshot-1', reading: { state: 'failed', error } } as const;
    expect(read(standing({ removal: failed })).left).toEqual(['m (a disk is locked)']);
  });
});

test('pauses between tries double, up to five minutes', () => {
  expect([1, 2, 3, 6, 7, 100].map((tries) => pauseAfter(tries) / 1000)).toEqual([5, 10, 20, 160, 300, 300]);
});
