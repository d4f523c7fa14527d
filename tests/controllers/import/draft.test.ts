import { describe, expect, test } from '@jest/globals';
import * as draft from '../../../src/controllers/import/draft.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number): number => start + seconds * 1000;

describe('the status of an import', () => {
  test('opens a step with its first phase and closes it when the next step begins', () => {
    let status = draft.entered({}, 'Started', 'Initialize', at(0));
    status = draft.entered(status, 'CreateDataVolumes', 'Initialize', at(5));
    status = draft.entered(status, 'CopyDisks', 'DiskTransfer', at(9));
    expect(status.steps).toEqual([
      { name: 'Initialize', startedAt: '2026-01-01T00:00:00Z', completedAt: '2026-01-01T00:00:09Z' },
      { name: 'DiskTransfer', startedAt: '2026-01-01T00:00:09Z' },
    ]);
    expect(status.phaseSince).toBe('2026-01-01T00:00:09Z');
  });

  test('forgets what it waited for when it goes on', () => {
    const waiting = draft.reported({}, { message: 'Waiting', waitingFor: 'Queued', conditions: [] }, at(0));
    const { message, waitingFor } = draft.entered(waiting, 'CopyDisks', 'DiskTransfer', at(1));
    expect([message, waitingFor]).toEqual([undefined, undefined]);
  });

  test('keeps a condition as old as it is while nothing about it changes', () => {
    const stalled = { type: 'Stalled', category: 'Warn', message: 'no bytes' } as const;
    const first = draft.reported({}, { conditions: [stalled] }, at(0));
    const second = draft.reported(first, { conditions: [stalled] }, at(60));
    expect(second.conditions?.[0]?.lastTransitionTime).toBe('2026-01-01T00:00:00Z');
    expect(draft.reported(second, { conditions: [] }, at(61)).conditions).toEqual([]);
  });

  test('never says more than its schema allows', () => {
    const long = draft.reported({}, { message: 'x'.repeat(999), conditions: [] }, at(0));
    expect(long.message).toHaveLength(256);
  });

  test('holds each slot once, however often it is granted', () => {
    const slot = { resource: 'host/a', cost: 2 };
    const once = draft.withSlots({}, [slot], at(0));
    const twice = draft.withSlots(once, [slot, { resource: 'name/b', cost: 1 }], at(9));
    expect(twice.slots?.map(({ resource, grantedAt }) => [resource, grantedAt])).toEqual([
      ['host/a', '2026-01-01T00:00:00Z'],
      ['name/b', '2026-01-01T00:00:09Z'],
    ]);
  });

  test('gives all slots back at its end, but for the lock on a source whose power is owed', () => {
    const slots = [
      { resource: 'identity/vc/vm', cost: 1, grantedAt: '2026-01-01T00:00:00Z' },
      { resource: 'host/a', cost: 1, grantedAt: '2026-01-01T00:00:00Z' },
    ];
    const entry = {
      key: 'SourcePower',
      kind: 'SourcePower',
      marker: 'power',
      disposition: 'remove',
    } as const;
    const owing = draft.changed({ slots }, { ledger: [{ op: 'add', entry }] }, at(0));
    expect(draft.completed(owing, 'Failed', at(1)).slots?.map(({ resource }) => resource)).toEqual([
      'identity/vc/vm',
    ]);
    expect(draft.completed({ slots }, 'Failed', at(1)).slots).toEqual([]);
  });

  test('adds up how long the clock of a phase stood still, and keeps it when the tries begin anew', () => {
    let status = draft.attempted({}, 'CopyDisks', 'no route', at(2), at(0));
    status = draft.recovered(status, 'CopyDisks', 5000);
    status = draft.attempted(status, 'CopyDisks', 'no route', at(30), at(20));
    status = draft.recovered(status, 'CopyDisks', 7000);
    expect(status.attempts?.['CopyDisks']).toMatchObject({ count: 0, stoppedMs: 12_000 });
  });

  test('shows the error on the step in which it came', () => {
    const copying = draft.entered({}, 'CopyDisks', 'DiskTransfer', at(0));
    const error = { code: 'ImporterFailed', phase: 'CopyDisks', class: 'terminal', message: 'no' } as const;
    const ended = draft.ending(copying, 'Failed', undefined, error, at(3));
    expect(ended.steps?.[0]?.error).toBe('no');
    expect(ended.records?.ending).toEqual({
      outcome: 'Failed',
      at: '2026-01-01T00:00:03Z',
      phase: 'CopyDisks',
    });
  });

  test('counts percent over the bytes of all disks', () => {
    const disk = { claim: 'c', round: 1, state: 'copying', totalBytes: 100 } as const;
    const status = draft.summarised({
      disks: [
        { ...disk, key: 'a', doneBytes: 100, state: 'done' },
        { ...disk, key: 'b', doneBytes: 25, totalBytes: 300, rateBytesPerSecond: 12.4 },
      ],
    });
    expect([status.percent, status.forecast?.rateBytesPerSecond]).toEqual([31, 12]);
    expect(draft.summarised({ percent: 5 }).percent).toBeUndefined();
  });
});
