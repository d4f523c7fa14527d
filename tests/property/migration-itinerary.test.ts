import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { importSpec } from '../migration/import-spec.ts';
import { ModelRunner } from '../migration/model-runner.ts';
import { ModelWorld } from '../migration/model-world.ts';
import { runs } from '../support/runs.ts';
import { accident, accidents } from './accidents.ts';

const migration = fc.record({
  disks: fc.integer({ min: 0, max: 3 }),
  power: fc.constantFrom('On', 'Off'),
  shutdownSeconds: fc.constantFrom<number | 'never'>(0, 5, 600, 1000, 3000, 'never'),
  powerAfter: fc.constantFrom('on', 'off', 'auto'),
  policy: fc.constantFrom('fail', 'force'),
  deleteOnFail: fc.boolean(),
  strayClaims: fc.nat({ max: 3 }),
  accidents: accidents(5, 70),
});

function run(input: ReturnType<typeof migration.generate>['value']): ModelRunner {
  const base = importSpec();
  const spec = importSpec(
    {
      options: { ...base.options, powerAfter: input.powerAfter, deleteOnFail: input.deleteOnFail },
      policies: { ...base.policies, powerOff: input.policy },
    },
    input.disks,
  );
  const { power, shutdownSeconds, strayClaims } = input;
  const world = new ModelWorld(spec, { power, shutdownSeconds, strayClaims });
  const runner = new ModelRunner(world, input.accidents);
  runner.run();
  return runner;
}

describe('whatever happens to a migration', () => {
  test('it ends with an empty ledger, no debris, and either the source or the target to run', () => {
    fc.assert(
      fc.property(migration, (input) => {
        const { world, status, deeds } = run(input);
        const labelled = Object.values(world.labelled()).flat();
        expect(status.ledger).toEqual([]);
        expect(labelled).toEqual([]);
        expect([world.dataVolumes.size, world.importers.size, world.secrets.size]).toEqual([0, 0, 0]);
        const committed = status.records?.committedAt !== undefined;
        // A guest that goes down later than an hour after the request was not sent by us any more.
        const wasPoweredOn = input.accidents.some(({ what }) => what === 'powerOn');
        if (!committed && (!wasPoweredOn || input.power === 'On')) expect(world.power).toBe(input.power);
        const isTargetOn = [...world.vms.values()].some(({ runStrategy }) => runStrategy === 'Always');
        expect(isTargetOn && world.power === 'On').toBe(false);
        // One that somebody deletes before it was seen is made again.
        const vmsLost = input.accidents.filter(({ what }) => what === 'vmGone').length;
        expect(world.vmsMade).toBeLessThanOrEqual(1 + vmsLost);
        for (const deed of deeds) {
          if (deed.action.do === 'powerOff') expect(deed.powerOwed).toBe(true);
          if (deed.committed)
            expect(['powerOn', 'deleteVm', 'deleteClaim', 'takeClaimFromVm']).not.toContain(deed.action.do);
          else expect(deed.action.do).not.toBe('setRunStrategy');
        }
      }),
      runs(250),
    );
  });

  test('a committed migration has whole disks that only the target owns', () => {
    fc.assert(
      fc.property(migration, (input) => {
        const { world, status } = run(input);
        fc.pre(status.records?.committedAt !== undefined);
        const [vm] = world.vms.values();
        expect(world.claims.size).toBe(input.disks);
        for (const claim of world.claims.values()) {
          expect(claim).toMatchObject({ whole: true, owner: { kind: 'VirtualMachine', uid: vm?.uid } });
        }
      }),
      runs(120),
    );
  });

  test('nobody is said to have deleted what CDI and the garbage collector have cleared away', () => {
    const again = accident(70, ['againBadly', 'againWell', 'crash']);
    fc.assert(
      fc.property(migration, fc.array(again, { minLength: 1, maxLength: 3 }), (input, accidents) => {
        const codes = run({ ...input, accidents }).failures.map(({ code }) => code);
        for (const code of ['DataVolumeDeleted', 'VolumeNotGone', 'ClaimLost'])
          expect(codes).not.toContain(code);
      }),
      runs(250),
    );
  });
});
