import { describe, expect, test } from '@jest/globals';
import type { DiskStatus, Round } from '../../../src/api/virtual-machine-import.ts';
import type { VolumeFact } from '../../../src/migration/facts.ts';
import { phaseByName } from '../../../src/migration/itineraries.ts';
import type { Context, Decision } from '../../../src/migration/phase.ts';
import { openRound, round, snapshotOwed, t0, warmContext, warmSpec } from './warm-context.ts';

const [disk, other] = warmSpec().disks;
const small =
  'virtual image size 9 is larger than the reported available storage 5. A larger PVC is required';
const killed = 'The importer was killed (signal 9).';

type Pod = NonNullable<VolumeFact['pod']>;

function volume(uid: string, percent: number, pod: Partial<Pod> = {}): VolumeFact {
  const { key, claimName } = disk!;
  return {
    diskKey: key,
    claimName,
    dataVolume: {
      uid,
      ours: true,
      deleting: false,
      phase: 'ImportInProgress',
      percent,
      restartCount: 0,
      conditions: [],
    },
    claim: {
      uid: `claim of ${uid}`,
      ours: true,
      deleting: false,
      phase: 'Bound',
      owner: { kind: 'DataVolume', uid },
      describedAs: claimName,
    },
    pod: { name: 'importer', uid: `pod of ${uid}`, phase: 'Running', restarts: 0, createdMs: 0, ...pod },
  };
}

/** The other disk, in the middle of its copy. */
const second: VolumeFact = { ...volume('dv-other', 10), diskKey: other!.key, claimName: other!.claimName };

function copying(last: Round, disks: readonly DiskStatus[] = []): Context {
  const rounds = last.n === 1 ? [last] : [round(last.n - 1), last];
  return warmContext({
    ledger: [snapshotOwed(last.n)],
    disks,
    records: { rounds, roundsTotal: last.n, access: { version: '1', since: t0 } },
  });
}

/** Follows one disk through what its cluster shows; what was decided last. */
function follow(last: Round, facts: readonly VolumeFact[]): Decision {
  const phase = phaseByName(last.kind === 'final' ? 'Finalize' : 'CopyDisks')!;
  const sourceAccess = { state: 'open', credentials: '1', isVerified: false };
  let context = copying(last);
  let decision: Decision | undefined;
  for (const fact of facts) {
    decision = phase.decide({ volumes: [fact, second], sourceAccess } as never, context);
    context = copying(last, decision.disks);
  }
  return decision!;
}

const whole = {
  current: 'snapshot-2',
  nextPrevious: '52 bb/2',
  sizeBytes: 1024,
  epoch: '52 bb',
  recopy: true,
};
const { disks: delta } = round(2);
const full = { ...delta, [disk!.key]: whole };
const spoilt = [
  volume('dv-1', 40, { restarts: 1, terminationMessage: killed }),
  volume('dv-1', 40, { restarts: 2, terminationMessage: small }),
];
const { dataVolume: _gone, claim: _claimGone, pod: _podGone, ...none } = volume('dv-1', 0);

describe('a disk of a warm migration whose importer has left too much behind for the next one', () => {
  const ways: readonly (readonly [string, string, Round])[] = [
    [
      'in the first round',
      'CreateDataVolumes',
      openRound(1, { snapshotId: 'snapshot-1', disks: round(1).disks }),
    ],
    [
      'when it is copied whole once more',
      'AddCheckpoint',
      openRound(2, { snapshotId: 'snapshot-2', disks: full }),
    ],
    [
      'when it is copied whole in a cutover',
      'AddFinalCheckpoint',
      openRound(2, { kind: 'final', snapshotId: 'snapshot-2', disks: full }),
    ],
  ];

  test.each(ways)('is given up for a new volume %s', (_when, _next, last) => {
    const decision = follow(last, spoilt);
    expect(decision).toMatchObject({
      kind: 'act',
      actions: [{ do: 'deleteDataVolume', name: disk!.claimName, uid: 'dv-1', orphanClaim: false }],
      events: [{ reason: 'DiskRecopied' }],
    });
    expect(decision.disks?.[0]).toMatchObject({ state: 'recopy', round: last.n, doneBytes: 0, recopies: 1 });
  });

  test.each(ways)('gets the new one where its stage is given to it, %s', (_when, next, last) => {
    expect(follow(last, [...spoilt, none])).toMatchObject({ kind: 'advance', to: next });
    const renewed = follow(last, [...spoilt, none, volume('dv-2', 5)]);
    expect(renewed.kind).toBe('wait');
    expect(renewed.disks?.[0]).toMatchObject({ state: 'copying', dataVolumeUID: 'dv-2', percent: 5 });
  });

  test('is given the stage of the round under way, and the other disk is left at its own', () => {
    const last = openRound(2, { snapshotId: 'snapshot-2', disks: full });
    const checkpoints = [
      { previous: '', current: 'snapshot-1' },
      { previous: '52 aa/1', current: 'snapshot-2' },
    ];
    const given = { ...second, dataVolume: { ...second.dataVolume!, checkpoints } };
    const sourceAccess = { state: 'open', credentials: '1', isVerified: false };
    const facts = { liveVolumes: [none, given], sourceAccess };
    expect(phaseByName('AddCheckpoint')!.decide(facts as never, copying(last))).toEqual({
      kind: 'act',
      actions: [
        {
          do: 'createDataVolume',
          diskKey: disk!.key,
          stage: { current: 'snapshot-2', isFinal: false, sizeBytes: 1024 },
        },
      ],
    });
  });

  test('is not given up while only what has changed is copied: no such importer looks at a size', () => {
    const last = openRound(2, { snapshotId: 'snapshot-2', disks: delta });
    const decision = follow(last, spoilt);
    expect(decision.events).toBeUndefined();
    expect(decision.disks?.[0]).toMatchObject({ state: 'copying', doneBytes: expect.any(Number) });
    expect(decision.disks?.[0]).not.toHaveProperty('recopies');
  });
});
