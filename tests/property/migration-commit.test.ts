import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LedgerEntry } from '../../src/api/virtual-machine-import.ts';
import { phaseByName } from '../../src/migration/itineraries.ts';
import { applyLedger } from '../../src/migration/ledger.ts';
import type { FactTable } from '../../src/migration/facts.ts';
import type { Action, LedgerChange } from '../../src/migration/phase.ts';
import { unwindSteps } from '../../src/migration/unwind.ts';
import { importSpec, vmModel } from '../migration/import-spec.ts';
import { later, phaseContext } from '../migration/phase-context.ts';

const name = fc.constantFrom('web-01', 'web-01-disk-0', 'other');
const uid = fc.constantFrom('u1', 'u2', 'v');
const owned = fc.record({ name, uid, deleting: fc.boolean() });
const owner = fc.constantFrom(
  'DataVolume' as const,
  'VirtualMachine' as const,
  'none' as const,
  'other' as const,
);
const list = <T>(items: fc.Arbitrary<T>) => fc.array(items, { maxLength: 3 });

const targetObjects: fc.Arbitrary<FactTable['targetObjects']> = fc.record({
  virtualMachines: list(owned),
  dataVolumes: list(owned),
  claims: list(fc.tuple(owned, owner).map(([object, kind]) => ({ ...object, owner: kind }))),
  pods: list(owned),
  secrets: list(owned),
  configMaps: list(owned),
});
const volume: fc.Arbitrary<FactTable['liveVolumes'][number]> = fc
  .record({
    phase: fc.constantFrom('Succeeded', 'ImportInProgress'),
    kind: owner,
    uid,
    hasDataVolume: fc.boolean(),
  })
  .map(({ phase, kind, uid: ownerUid, hasDataVolume }) => ({
    diskKey: '2000',
    claimName: 'web-01-disk-0',
    claim: {
      uid: 'u1',
      ours: true,
      deleting: false,
      phase: 'Bound',
      owner: { kind, uid: ownerUid },
      describedAs: 'claim',
    },
    ...(hasDataVolume && {
      dataVolume: { uid: 'u2', ours: true, deleting: false, phase, restartCount: 0, conditions: [] },
    }),
  }));
const power = fc.constantFrom('On' as const, 'Off' as const, 'Suspended' as const, 'Unknown' as const);

const facts: fc.Arbitrary<FactTable> = fc.record({
  sourceVm: fc.oneof(
    fc.constant({ state: 'gone' as const }),
    power.map((state) => ({ state: 'present' as const, model: vmModel({ power: state }) })),
  ),
  sourcePower: power.map((state) => ({ state })),
  sourceAccess: fc.oneof(
    fc.record({ state: fc.constant('open' as const), credentials: name, isVerified: fc.boolean() }),
    fc.record({ state: fc.constant('shut' as const), code: name, message: name, isRejected: fc.boolean() }),
  ),
  priorImports: fc.constant([]),
  slots: fc.constant({ held: new Set<string>() }),
  preflight: fc.constant({ state: 'accepted' as const }),
  volumes: list(volume),
  liveVolumes: list(volume),
  targetVm: fc.oneof(
    fc.constant({ state: 'absent' as const }),
    fc.record({ state: fc.constant('foreign' as const), uid, by: name }),
    fc.record({
      state: fc.constant('ours' as const),
      uid,
      deleting: fc.boolean(),
      runStrategy: fc.constantFrom('Halted', 'Always'),
    }),
  ),
  instancePhase: fc.constantFrom('', 'Pending', 'Running', 'Failed'),
  targetObjects,
  conversionPod: fc.constant(undefined),
  conversionResult: fc.constant(undefined),
  snapshot: fc.constantFrom({ state: 'absent' as const }, { state: 'ready' as const, id: 'snapshot-1' }),
  audit: fc.constant({
    foreign: [],
    missing: [],
    diskSet: 'same' as const,
    grown: [],
    trackingLost: [],
    datastores: [],
  }),
  checkpoints: fc.constant(new Map()),
  snapshotLost: fc.boolean(),
  owedSnapshots: fc.constantFrom(
    [],
    [
      {
        key: 'Snapshot/m',
        marker: 'm',
        attempts: 0,
        state: { state: 'ready' as const, id: 's' },
        removal: { id: 's', reading: { state: 'present' as const } },
      },
    ],
  ),
});

const ledger: readonly LedgerEntry[] = ['SourcePower', 'TargetObjects/target'].map((key) => ({
  key,
  kind: key === 'SourcePower' ? 'SourcePower' : 'TargetObjects',
  marker: 'target',
  intentAt: '2026-01-01T00:00:00Z',
  attempts: 0,
  disposition: 'handOver',
}));

function takesBack(action: Action): boolean {
  if (action.do === 'deleteDataVolume') return !action.orphanClaim;
  return ['powerOn', 'powerOff', 'deleteVm', 'deleteClaim', 'takeClaimFromVm'].includes(action.do);
}

describe('past the commit point', () => {
  const committed = (seconds: number, deleteOnFail: boolean) =>
    later(
      phaseContext(
        { ledger, records: { committedAt: '2026-01-01T00:00:00Z', power: { before: 'On' }, targetUid: 'v' } },
        {},
        importSpec({ options: { ...importSpec().options, deleteOnFail } }),
      ),
      seconds,
    );

  test('no phase fails, whatever it finds', () => {
    fc.assert(
      fc.property(facts, fc.nat(100_000), (found, seconds) => {
        for (const phase of ['StartVM', 'WaitForTargetRunning', 'Completed']) {
          const decision = phaseByName(phase)!.decide(found, committed(seconds, true));
          expect(decision.kind).not.toBe('fail');
          expect((decision.kind === 'act' ? decision.actions : []).filter(takesBack)).toEqual([]);
        }
      }),
    );
  });

  test('an unwind powers nothing on and deletes neither VM nor claim, whatever it finds', () => {
    fc.assert(
      fc.property(facts, fc.nat(100_000), fc.boolean(), (found, seconds, deleteOnFail) => {
        const context = committed(seconds, deleteOnFail);
        for (const step of unwindSteps.filter((candidate) => candidate.applies(context))) {
          const decision = step.decide(found, context);
          expect((decision.kind === 'act' ? decision.actions : []).filter(takesBack)).toEqual([]);
        }
      }),
    );
  });
});

describe('the ledger', () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const change: fc.Arbitrary<LedgerChange> = fc.oneof(
    key.map((entryKey): LedgerChange => ({
      op: 'add',
      entry: { key: entryKey, kind: 'Image', marker: entryKey, disposition: 'remove' },
    })),
    key.map((entryKey): LedgerChange => ({ op: 'strike', key: entryKey })),
    fc
      .tuple(key, fc.string())
      .map(([entryKey, lastError]): LedgerChange => ({ op: 'note', key: entryKey, lastError })),
    key.map((entryKey): LedgerChange => ({ op: 'dispose', key: entryKey, disposition: 'handOver' })),
  );
  const now = '2026-01-01T00:00:00Z';

  test('holds each key once', () => {
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const keys = applyLedger([], changes, now).map((entry) => entry.key);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  test('does not change when an intent is written again, and keeps the first time', () => {
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const before = applyLedger([], changes, now);
        const adds = before.map(({ key: entryKey, kind, marker, disposition }): LedgerChange => ({
          op: 'add',
          entry: { key: entryKey, kind, marker, disposition },
        }));
        expect(applyLedger(before, adds, '2027-01-01T00:00:00Z')).toEqual(before);
      }),
    );
  });

  test('is touched by a change at that key alone', () => {
    fc.assert(
      fc.property(fc.array(change), change, (changes, last) => {
        const before = applyLedger([], changes, now);
        const after = applyLedger(before, [last], now);
        const touched = last.op === 'add' ? last.entry.key : last.key;
        const others = (entries: readonly LedgerEntry[]) => entries.filter((entry) => entry.key !== touched);
        expect(others(after)).toEqual(others(before));
        if (last.op === 'strike') expect(after.some((entry) => entry.key === touched)).toBe(false);
      }),
    );
  });
});
