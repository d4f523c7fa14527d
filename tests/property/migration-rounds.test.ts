import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { importSpec } from '../migration/import-spec.ts';
import { ModelRunner } from '../migration/model-runner.ts';
import { ModelWorld } from '../migration/model-world.ts';

const accident = fc.record({
  at: fc.nat({ max: 160 }),
  what: fc.constantFrom('crash', 'crash', 'crash', 'cancel', 'refuse'),
});

const migration = fc.record({
  disks: fc.integer({ min: 1, max: 3 }),
  power: fc.constantFrom('On', 'Off'),
  shutdownSeconds: fc.constantFrom<number | 'never'>(0, 5, 600, 1000, 3000),
  cutoverSeconds: fc.integer({ min: 0, max: 3000 }),
  intervalSeconds: fc.integer({ min: 5, max: 600 }),
  snapshotSeconds: fc.integer({ min: 0, max: 30 }),
  mergeSeconds: fc.integer({ min: 0, max: 120 }),
  policy: fc.constantFrom('abortCutover', 'force'),
  unquiet: fc.boolean(),
  accidents: fc.array(accident, { maxLength: 5 }),
});
type Input = ReturnType<typeof migration.generate>['value'];

function runnerOf(input: Input): ModelRunner {
  const base = importSpec();
  const begun = Date.UTC(2026, 0, 1);
  const spec = importSpec(
    {
      strategy: { ...base.strategy, type: 'warm' },
      policies: { ...base.policies, powerOff: input.policy, precopySeconds: input.intervalSeconds },
      control: { cutoverAt: new Date(begun + input.cutoverSeconds * 1000).toISOString() },
    },
    input.disks,
  );
  const { power, shutdownSeconds, snapshotSeconds, mergeSeconds, unquiet } = input;
  const world = new ModelWorld(spec, {
    power,
    shutdownSeconds,
    snapshotSeconds,
    mergeSeconds,
    unquiet,
    percentPerSecond: 20,
  });
  return new ModelRunner(world, input.accidents, { precopyFloorSeconds: 5, mostRounds: 30 });
}

/** A cutover that was given up is not asked for again: after a while the user has enough. */
function run(input: Input): ModelRunner {
  const runner = runnerOf(input);
  runner.onTick = ({ world, status }) => {
    const blockedAt = Date.parse(status.records?.cutover?.blocked?.at ?? '');
    if (world.now > blockedAt + 4_000_000) runner.cancel();
  };
  runner.run();
  return runner;
}

describe('whatever happens to a warm migration', () => {
  test('the target holds what the source held when it went off, and no snapshot is left', () => {
    fc.assert(
      fc.property(migration, (input) => {
        const { world, status, deeds } = run(input);
        expect(status.ledger).toEqual([]);
        expect(Object.values(world.labelled()).flat()).toEqual([]);
        expect(world.snapshots).toEqual([]);
        expect(world.mostSnapshots).toBeLessThanOrEqual(1);
        const committed = status.records?.committedAt !== undefined;
        if (!committed) expect(world.power).toBe(input.power);
        if (committed) {
          expect(world.power).toBe('Off');
          for (const claim of world.claims.values()) expect(claim.content).toBe(world.writes);
        }
        for (const { action, powerOwed, snapshotsOwed } of deeds) {
          if (action.do === 'powerOff') expect(powerOwed).toBe(true);
          if (action.do === 'createSnapshot') expect(snapshotsOwed).toContain(action.marker);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('without accidents it succeeds, and every round but the first copies only what has changed', () => {
    fc.assert(
      fc.property(migration, (input) => {
        const { world, status } = run({ ...input, shutdownSeconds: 5, accidents: [] });
        expect(status.outcome).toBe('Succeeded');
        const appended = world.performed.filter((action) => action.do === 'appendCheckpoint');
        for (const action of appended) expect(action.previous).toMatch(/^change\//);
        expect(world.performed.filter((action) => action.do === 'createDataVolume')).toHaveLength(
          input.disks,
        );
      }),
      { numRuns: 50 },
    );
  });
});
