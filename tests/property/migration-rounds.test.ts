import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { importSpec } from '../migration/import-spec.ts';
import { ModelRunner } from '../migration/model-runner.ts';
import { ModelWorld } from '../migration/model-world.ts';
import { runs } from '../support/runs.ts';
import { accidents } from './accidents.ts';

/** What people do at the source, and to the wish for a cutover, so many seconds after the beginning. */
const happening = fc.record({
  seconds: fc.nat({ max: 4000 }),
  what: fc.constantFrom(
    'trackingLost',
    'snapshotGone',
    'foreign',
    'noForeign',
    'powerOn',
    'cutover',
    'noCutover',
    'pause',
    'goOn',
  ),
});
type Happening = ReturnType<typeof happening.generate>['value'];

const migration = fc.record({
  happenings: fc.array(happening, { maxLength: 6 }),
  disks: fc.integer({ min: 1, max: 3 }),
  power: fc.constantFrom('On', 'Off'),
  shutdownSeconds: fc.constantFrom<number | 'never'>(0, 5, 600, 1000, 3000),
  cutoverSeconds: fc.integer({ min: 0, max: 3000 }),
  intervalSeconds: fc.integer({ min: 5, max: 600 }),
  snapshotSeconds: fc.integer({ min: 0, max: 30 }),
  mergeSeconds: fc.integer({ min: 0, max: 120 }),
  policy: fc.constantFrom('abortCutover', 'force'),
  unquiet: fc.boolean(),
  strayClaims: fc.nat({ max: 3 }),
  accidents: accidents(5, 160),
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
  const { power, shutdownSeconds, snapshotSeconds, mergeSeconds, unquiet, strayClaims } = input;
  const world = new ModelWorld(spec, {
    power,
    shutdownSeconds,
    snapshotSeconds,
    mergeSeconds,
    unquiet,
    strayClaims,
    percentPerSecond: 20,
  });
  return new ModelRunner(world, input.accidents, { precopyFloorSeconds: 5, mostRounds: 30 });
}

/** When everything that people do has been done: nothing stands in the way then, and a cutover is wished for. */
const quietAfterMs = 4_100_000;
/** When the last user has had enough of a migration that does not end. */
const patienceMs = 9_000_000;

function run(input: Input): ModelRunner {
  const runner = runnerOf(input);
  const begun = runner.world.now;
  const due = [...input.happenings].sort((one, other) => one.seconds - other.seconds);
  let isQuiet = false;
  runner.onTick = ({ world }) => {
    for (; due[0] !== undefined && world.now >= begun + due[0].seconds * 1000; due.shift())
      happen(due[0].what, runner);
    if (!isQuiet && world.now > begun + quietAfterMs) {
      isQuiet = true;
      world.snapshots.foreign = [];
      world.change({ control: { cutoverAt: new Date(world.now).toISOString() } });
    }
    if (world.now > begun + patienceMs) runner.cancel();
  };
  runner.run();
  return runner;
}

function happen(what: Happening['what'], { world, status }: ModelRunner): void {
  const { control } = world.spec;
  const cutoverAt = new Date(world.now).toISOString();
  switch (what) {
    case 'trackingLost':
      world.epoch = `${world.epoch}+`;
      return;
    case 'snapshotGone':
      world.snapshots.expectThief();
      return;
    case 'foreign':
      world.snapshots.foreign = ['backup'];
      return;
    case 'noForeign':
      world.snapshots.foreign = [];
      return;
    case 'powerOn':
      // After the commit it is the user's own fault, and nobody's business here.
      if (status.records?.committedAt === undefined) world.powerOn();
      return;
    case 'cutover':
      world.change({ control: { ...control, cutoverAt } });
      return;
    case 'noCutover':
      world.change({ control: {} });
      return;
    case 'pause':
      world.change({ control: { ...control, paused: true } });
      return;
    case 'goOn':
      world.change({ control: { ...control, paused: false } });
  }
}

describe('whatever happens to a warm migration', () => {
  test('the target holds what the source held when it went off, and no snapshot is left', () => {
    fc.assert(
      fc.property(migration, (input) => {
        const { world, status, deeds } = run(input);
        expect(status.ledger).toEqual([]);
        expect(Object.values(world.labelled()).flat()).toEqual([]);
        expect(world.snapshots.present).toEqual([]);
        expect(world.snapshots.mostAtOnce).toBeLessThanOrEqual(1);
        expect(world.snapshots.besideForeign).toBe(0);
        const committed = status.records?.committedAt !== undefined;
        const wasPoweredOn = [...input.happenings, ...input.accidents].some(({ what }) => what === 'powerOn');
        if (!committed && !wasPoweredOn) expect(world.power).toBe(input.power);
        if (!committed && wasPoweredOn && input.power === 'On') expect(world.power).toBe('On');
        if (committed) {
          expect(world.power).toBe('Off');
          for (const claim of world.claims.values()) expect(claim.content).toBe(world.writes);
        }
        const wasLost = input.happenings.some(({ what }) => what === 'trackingLost');
        for (const { action, powerOwed, snapshotsOwed } of deeds) {
          // What is copied whole in the downtime nobody could know of before it.
          if (action.do === 'createDataVolume' && !wasLost) expect(action.stage?.isFinal).toBe(false);
          if (action.do === 'powerOff') expect(powerOwed).toBe(true);
          if (action.do === 'createSnapshot') expect(snapshotsOwed).toContain(action.marker);
        }
      }),
      runs(150),
    );
  });

  test('without accidents it succeeds, and every round but the first copies only what has changed', () => {
    fc.assert(
      fc.property(migration, (input) => {
        const { world, status } = run({ ...input, shutdownSeconds: 5, accidents: [], happenings: [] });
        expect(status.outcome).toBe('Succeeded');
        const appended = world.performed.filter((action) => action.do === 'appendCheckpoint');
        for (const action of appended) expect(action.previous).toMatch(/^change\//);
        expect(world.performed.filter((action) => action.do === 'createDataVolume')).toHaveLength(
          input.disks,
        );
      }),
      runs(50),
    );
  });
});
