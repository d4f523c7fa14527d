import { describe, expect, test } from '@jest/globals';
import type { DiskStatus } from '../../src/api/virtual-machine-import.ts';
import { readDisk, type DiskReading } from '../../src/migration/disks.ts';
import type { VolumeFact } from '../../src/migration/facts.ts';
import type { Context } from '../../src/migration/phase.ts';
import { growthOf } from '../../src/migration/recopy.ts';
import { copyDisks } from '../../src/migration/phases/copy-disks.ts';
import { phaseContext } from './phase-context.ts';
import { frozenDisk, importSpec } from './import-spec.ts';

const disk = frozenDisk(0);
const gib = 2 ** 30;
const minute = 60_000;

type DataVolume = NonNullable<VolumeFact['dataVolume']>;
type Pod = NonNullable<VolumeFact['pod']>;

function volume(dataVolume: Partial<DataVolume>, pod?: Partial<Pod>): VolumeFact {
  return {
    diskKey: disk.key,
    claimName: disk.claimName,
    dataVolume: {
      uid: 'dv-1',
      ours: true,
      deleting: false,
      phase: 'ImportInProgress',
      restartCount: 0,
      conditions: [],
      ...dataVolume,
    },
    claim: {
      uid: 'claim-1',
      ours: true,
      deleting: false,
      phase: 'Bound',
      owner: { kind: 'DataVolume', uid: 'dv-1' },
      describedAs: 'target/web-01-disk-0, owned by DataVolume web-01-disk-0',
    },
    ...(pod !== undefined && {
      pod: { name: 'importer-1', uid: 'pod-1', phase: 'Running', restarts: 0, createdMs: 0, ...pod },
    }),
  };
}

function unbound(): VolumeFact {
  const { claim: _claim, ...fact } = volume({ phase: 'Pending' });
  return fact;
}

function condition(reason: string, sinceMs: number, message = ''): DataVolume['conditions'][number] {
  return { type: 'Running', status: 'False', reason, message, sinceMs };
}

/** Reads a disk again and again, each time from what was reported before. */
function follow(
  readings: readonly (readonly [atMs: number, fact: VolumeFact])[],
  context: Context = phaseContext({ phase: 'CopyDisks' }),
): DiskReading {
  let previous: DiskStatus | undefined;
  let reading: DiskReading | undefined;
  for (const [atMs, fact] of readings) {
    reading = readDisk(fact, disk, previous, { ...context, now: context.phaseSince + atMs });
    previous = reading.status;
  }
  return reading!;
}

describe('a disk on its way', () => {
  test('is done when its DataVolume has succeeded, whatever else is said of it', () => {
    const reading = follow([[0, volume({ phase: 'Succeeded', conditions: [condition('Completed', 0)] })]]);
    expect(reading.status).toMatchObject({ state: 'done', percent: 100, doneBytes: disk.sizeBytes });
    expect(reading.failure).toBeUndefined();
  });

  test('is not done while it is paused', () => {
    expect(follow([[0, volume({ phase: 'Paused', percent: 100 })]]).status.state).toBe('copying');
  });

  test('has failed when its DataVolume has, with the words of its condition', () => {
    const checksum = condition('ChecksumError', 0, 'checksum mismatch');
    const { failure, status } = follow([[0, volume({ phase: 'Failed', conditions: [checksum] })]]);
    expect(failure).toMatchObject({ class: 'terminal', code: 'DiskFailed' });
    expect(failure?.message).toContain('checksum mismatch');
    expect(status.state).toBe('failed');
  });

  test('counts bytes by percent, never back, and gives a rate in bytes a second', () => {
    const { status } = follow([
      [0, volume({ percent: 0 })],
      [4_000, volume({ percent: 25 })],
      [8_000, volume({ percent: 10 })],
    ]);
    expect(status).toMatchObject({ percent: 25, doneBytes: gib, rateBytesPerSecond: gib / 4 });
  });

  test('whose importer pod failed as a whole gets it deleted, and that counts as one restart', () => {
    const lost = volume({ phase: 'ImportScheduled' }, { phase: 'Failed' });
    const { action, status } = follow([[0, lost]]);
    expect(action).toEqual({ do: 'deletePod', name: 'importer-1', uid: 'pod-1' });
    expect(status.restarts).toEqual({ 'pod-1': 1 });
    expect(
      follow([
        [0, lost],
        [1_000, lost],
      ]).status.restarts,
    ).toEqual({ 'pod-1': 1 });
  });

  test('may fail three times and fails the fourth, with the first and the last words', () => {
    const failing = (uid: string, restarts: number, text: string) =>
      volume({}, { uid, restarts, terminationMessage: text });
    const three = follow([
      [0, failing('pod-1', 1, 'no route to host')],
      [1_000, failing('pod-2', 2, 'timed out')],
    ]);
    expect(three.failure).toBeUndefined();
    const four = follow([
      [0, failing('pod-1', 1, 'no route to host')],
      [1_000, failing('pod-2', 2, 'timed out')],
      [2_000, failing('pod-2', 3, 'certificate expired')],
    ]);
    expect(four.failure).toMatchObject({ class: 'terminal', code: 'ImporterFailed' });
    expect(four.failure?.message).toMatch(/failed 4 times.*no route to host.*certificate expired/);
  });

  test('keeps the sum of all restarts though it keeps three pods only', () => {
    const context = phaseContext({ phase: 'CopyDisks' }, { importerRestarts: 100 });
    const facts = Array.from(
      { length: 9 },
      (_, index) => [index, volume({}, { uid: `pod-${index}`, restarts: 2 })] as const,
    );
    const { status } = follow(facts, context);
    expect(Object.keys(status.restarts ?? {})).toHaveLength(3);
    expect(status.restartsBefore).toBe(12);
  });

  test('whose DataVolume somebody deleted or made anew has failed', () => {
    const gone: VolumeFact = { diskKey: disk.key, claimName: disk.claimName };
    for (const after of [gone, volume({ uid: 'dv-2' }), volume({ deleting: true })]) {
      const { failure } = follow([
        [0, volume({})],
        [1_000, after],
      ]);
      expect(failure?.code).toBe('DataVolumeDeleted');
    }
    expect(follow([[0, gone]]).failure).toBeUndefined();
  });

  test('does not show a complaint that flickers, nor fails for one', () => {
    const young = follow([[20_000, volume({ conditions: [flicker(20_000)] })]]);
    expect(young.status.message).toBeUndefined();
    const old = follow([[40_000, volume({ conditions: [flicker(0)] })]]);
    expect(old.status.message).toBe('pod already exists');
    expect(old.failure).toBeUndefined();

    function flicker(agoMs: number): DataVolume['conditions'][number] {
      const since = phaseContext({}).phaseSince + (agoMs === 0 ? 0 : agoMs - 1_000);
      return condition('ErrStartingPod', since, 'pod already exists');
    }
  });

  test.each([
    ['ErrClaimNotValid', 'ClaimNotValid', 2 * minute],
    ['AwaitingVDDK', 'VddkImageMissing', 2 * minute],
    ['ErrExceededQuota', 'QuotaExceeded', 10 * minute],
  ])('that CDI cannot fill for %s has its time, then fails', (reason, code, deadline) => {
    const since = phaseContext({}).phaseSince;
    const fact = volume({ phase: 'Pending', conditions: [condition(reason, since, 'says CDI')] });
    const waiting = follow([[deadline - 1, fact]]);
    expect(waiting.failure).toBeUndefined();
    expect(waiting.deadline).toBe(since + deadline);
    const late = follow([[deadline, fact]]);
    expect(late.failure).toMatchObject({ code, class: 'terminal' });
    expect(late.failure?.message).toContain('says CDI');
  });

  test('fails when its claim is not bound, or its importer does not run, in time', () => {
    expect(follow([[10 * minute, unbound()]]).failure?.code).toBe('VolumeNotBound');
    const pending = volume(
      { phase: 'ImportScheduled' },
      { phase: 'Pending', waitingReason: 'ImagePullBackOff' },
    );
    expect(follow([[10 * minute - 1, pending]]).failure).toBeUndefined();
    expect(follow([[10 * minute, pending]]).failure).toMatchObject({ code: 'ImporterNotStarted' });
    expect(follow([[10 * minute, pending]]).failure?.message).toContain('ImagePullBackOff');
  });

  test.each([
    ['a claim that is not bound', 'VolumeNotBound', () => unbound()],
    [
      'an importer that does not run',
      'ImporterNotStarted',
      () => volume({ phase: 'ImportScheduled' }, { phase: 'Pending' }),
    ],
    [
      'a quota',
      'QuotaExceeded',
      (since: number) => volume({ phase: 'Pending', conditions: [condition('ErrExceededQuota', since)] }),
    ],
  ])('that waits for %s is late only after so long a time in which it was watched', (_what, code, factOf) => {
    const context = phaseContext({ phase: 'CopyDisks' });
    const fact = factOf(context.phaseSince);
    const seenAgain = { ...context, watchingSince: context.phaseSince + 20 * minute };
    expect(follow([[30 * minute - 1, fact]], seenAgain).failure).toBeUndefined();
    expect(follow([[30 * minute, fact]], seenAgain).failure).toMatchObject({ code });
  });

  test('that does not move is stalled, not failed; each movement starts the time anew', () => {
    const at = (percent: number) => volume({ percent });
    const still = follow([
      [0, at(5)],
      [30 * minute, at(5)],
    ]);
    expect(still).toMatchObject({ isStalled: true });
    expect(still.failure).toBeUndefined();
    const moved = follow([
      [0, at(5)],
      [29 * minute, at(6)],
      [30 * minute, at(6)],
    ]);
    expect(moved.isStalled).toBe(false);
    expect(moved.deadline).toBe(phaseContext({}).phaseSince + 59 * minute);
  });
});

describe('a disk whose earlier importer left too much behind', () => {
  const small =
    'Unable to process data: virtual image size 9 is larger than the reported available storage 5. A larger PVC is required';
  const killed = volume({}, { restarts: 1, terminationMessage: 'The importer was killed (signal 9).' });
  const spoilt = volume({}, { restarts: 2, terminationMessage: small });
  const begun = [
    [0, killed],
    [1_000, spoilt],
  ] as const;
  const none: VolumeFact = { diskKey: disk.key, claimName: disk.claimName };

  test('is given up for a new volume, and what failed for that does not count', () => {
    const { status, action, renewal, failure } = follow(begun);
    expect({ action, renewal, failure }).toEqual({
      action: { do: 'deleteDataVolume', name: disk.claimName, uid: 'dv-1', orphanClaim: false },
      renewal: 'begun',
      failure: undefined,
    });
    expect(status).toMatchObject({ state: 'recopy', recopies: 1, excused: 1, doneBytes: 0 });
  });

  test('is due anew as soon as its DataVolume is on its way out', () => {
    const { dataVolume: _gone, ...claimOnly } = spoilt;
    const seen = [spoilt, volume({ deleting: true }), claimOnly, none].map((fact) => {
      const { action, renewal, failure } = follow([...begun, [2_000, fact]]);
      return [action?.do, renewal, failure?.code];
    });
    expect(seen).toEqual([
      ['deleteDataVolume', undefined, undefined],
      [undefined, 'due', undefined],
      [undefined, 'due', undefined],
      [undefined, 'due', undefined],
    ]);
  });

  test('is read as any other once the new volume is there, whose first importer is not the old one', () => {
    const fresh = { ...volume({ uid: 'dv-2', percent: 10 }), pod: spoilt.pod! };
    const { status, action, failure } = follow([...begun, [2_000, none], [3_000, fresh]]);
    expect([action, failure]).toEqual([undefined, undefined]);
    expect(status).toMatchObject({ state: 'copying', dataVolumeUID: 'dv-2', recopies: 1, percent: 10 });
  });

  test('is given up only so often', () => {
    const context = phaseContext({ phase: 'CopyDisks' }, { diskRecopies: 0 });
    expect(follow(begun, context).renewal).toBeUndefined();
  });

  test('is made larger once where it was too small from the start, and then fails with the sizes', () => {
    const first = volume({}, { restarts: 1, terminationMessage: small });
    const given = follow([[0, first]]);
    expect(given).toMatchObject({ renewal: 'begun', status: { isLarger: true } });
    expect(given.status.recopies).toBeUndefined();
    expect(growthOf({ status: { disks: [given.status] } }, disk.key)).toEqual({ growPercent: 5 });
    const again = { uid: 'pod-2', restarts: 1, terminationMessage: small };
    const late = follow([
      [0, first],
      [1_000, none],
      [2_000, volume({ uid: 'dv-2' }, again)],
    ]);
    expect(late.failure).toMatchObject({ code: 'VolumeTooSmall', class: 'terminal' });
    expect(late.failure?.message).toContain('size 9 is larger than the reported available storage 5');
  });

  test('that is larger already is given up as any other when a crash has left too much', () => {
    const then = follow([
      [0, volume({}, { restarts: 1, terminationMessage: small })],
      [1_000, none],
      [2_000, volume({ uid: 'dv-2' }, { uid: 'pod-2', restarts: 1, terminationMessage: 'killed' })],
      [3_000, volume({ uid: 'dv-2' }, { uid: 'pod-2', restarts: 2, terminationMessage: small })],
    ]);
    expect(then).toMatchObject({ renewal: 'begun', status: { isLarger: true, recopies: 1 } });
  });
});

describe('CopyDisks', () => {
  const spec = importSpec({}, 2);
  const sourceAccess = { state: 'open', credentials: '7', isVerified: false };
  const given = { records: { access: { version: '7', since: '2026-01-01T00:00:00Z' } } };
  const second = (fact: VolumeFact): VolumeFact => ({
    ...fact,
    diskKey: spec.disks[1]!.key,
    claimName: spec.disks[1]!.claimName,
  });

  test('says how far it is and asks to be called at the first deadline', () => {
    const context = phaseContext({ phase: 'CopyDisks', ...given }, {}, spec);
    const volumes = [volume({ percent: 50 }), second(volume({ percent: 25 }))];
    expect(copyDisks.decide({ volumes, sourceAccess } as never, context)).toMatchObject({
      kind: 'wait',
      for: 'the disks to be copied: 3 of 8 GiB copied',
      until: context.now + 30 * minute,
    });
  });

  test('gives its place on the host back when all disks are done, not before', () => {
    const context = phaseContext({ phase: 'CopyDisks', ...given }, {}, spec);
    const done = volume({ phase: 'Succeeded' });
    const half = copyDisks.decide({ volumes: [done, second(volume({}))], sourceAccess } as never, context);
    expect(half).toMatchObject({ kind: 'wait' });
    expect(half.free).toBeUndefined();
    expect(copyDisks.decide({ volumes: [done, second(done)], sourceAccess } as never, context)).toMatchObject(
      {
        kind: 'advance',
        free: ['host/provider-uid/host-1'],
        records: { copyCompleteAt: '2026-01-01T00:00:00Z' },
      },
    );
  });

  test('tells of disks that stand still', () => {
    const context = phaseContext({ phase: 'CopyDisks', ...given }, {}, spec);
    const volumes = [volume({ percent: 50 }), second(volume({ phase: 'Succeeded' }))];
    const first = copyDisks.decide({ volumes, sourceAccess } as never, context);
    const later = { ...context, now: context.now + 31 * minute, status: { disks: first.disks! } };
    expect(copyDisks.decide({ volumes, sourceAccess } as never, later)).toMatchObject({
      kind: 'wait',
      conditions: [{ type: 'Stalled', items: ['web-01-disk-0'] }],
    });
  });
});

describe('while the source is away', () => {
  const context = phaseContext({ phase: 'CopyDisks' });
  const read = (fact: VolumeFact, previous: DiskStatus | undefined, isAway: boolean) =>
    readDisk(fact, disk, previous, context, isAway);

  test('failures of importers do not count, and whoever failed then is replaced when it is back', () => {
    const crashed = {
      restarts: 9,
      waitingReason: 'CrashLoopBackOff',
      terminationMessage: 'Input/output error',
    };
    const first = read(volume({}, { restarts: 1 }), undefined, false);
    const then = read(volume({}, crashed), first.status, true);
    expect(then.failure).toBeUndefined();
    expect(then.action).toBeUndefined();
    expect(then.status).toMatchObject({ excused: 8, excusedPod: 'pod-1' });
    const back = read(volume({}, crashed), then.status, false);
    expect(back).toMatchObject({ action: { do: 'deletePod', name: 'importer-1', uid: 'pod-1' } });
    const next = read(volume({}, { uid: 'pod-2', restarts: 2 }), back.status, false);
    expect(next.failure).toBeUndefined();
    expect(read(volume({}, { uid: 'pod-2', restarts: 3 }), next.status, false).failure?.code).toBe(
      'ImporterFailed',
    );
  });

  test('an importer that does not start is not late', () => {
    const fact = volume(
      { phase: 'ImportScheduled' },
      { phase: 'Pending', waitingReason: 'CreateContainerConfigError' },
    );
    const late = { ...context, now: context.now + 60 * minute };
    expect(readDisk(fact, disk, undefined, late, true).failure).toBeUndefined();
    expect(readDisk(fact, disk, undefined, late, false).failure?.code).toBe('ImporterNotStarted');
    const access = { version: '8', since: new Date(late.now - minute).toISOString() };
    const records = { ...late, records: { access } };
    expect(readDisk(fact, disk, undefined, records, false).failure).toBeUndefined();
  });
});
