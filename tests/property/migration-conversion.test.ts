import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { VirtualMachineImportSpec } from '../../src/api/virtual-machine-import.ts';
import { importSpec } from '../migration/import-spec.ts';
import { ModelRunner } from '../migration/model-runner.ts';
import type { ToyFate } from '../migration/model-converters.ts';
import { ModelWorld } from '../migration/model-world.ts';
import { runs } from '../support/runs.ts';
import { accidents } from './accidents.ts';

const conversion = fc.record({
  disks: fc.integer({ min: 1, max: 3 }),
  power: fc.constantFrom('On', 'Off'),
  type: fc.constantFrom('cold' as const, 'warm' as const),
  deleteOnFail: fc.boolean(),
  keepConversionPod: fc.boolean(),
  startSeconds: fc.constantFrom<number | 'never'>(0, 5, 290, 400, 'never'),
  convertSeconds: fc.constantFrom(0, 5, 60, 3_000),
  fates: fc.array(fc.constantFrom<ToyFate>('evicted', 'untouched', 'half'), { maxLength: 4 }),
  strayClaims: fc.nat({ max: 3 }),
  accidents: accidents(4, 90),
});
type Input = ReturnType<typeof conversion.generate>['value'];

function run(input: Input): ModelRunner {
  const base = importSpec();
  const control = input.type === 'warm' ? { control: { cutoverAt: '2026-01-01T00:00:00Z' } } : {};
  const spec: VirtualMachineImportSpec = importSpec(
    {
      strategy: { type: input.type, path: 'vddk', conversion: 'inPlace' },
      conversion: { image: 'v2v', requestsKvm: true, clevis: false, labels: {}, nodeSelector: {} },
      options: {
        ...base.options,
        skipConversion: false,
        deleteOnFail: input.deleteOnFail,
        keepConversionPod: input.keepConversionPod,
      },
      ...control,
    },
    input.disks,
  );
  const world = new ModelWorld(spec, {
    power: input.power,
    percentPerSecond: 50,
    convertStartSeconds: input.startSeconds,
    convertSeconds: input.convertSeconds,
    fates: input.fates,
    strayClaims: input.strayClaims,
  });
  const runner = new ModelRunner(world, input.accidents);
  // A cutover that was given up is not tried again by itself: its user has enough.
  runner.onTick = ({ status }) => {
    if (status.records?.cutover?.blocked !== undefined) runner.cancel();
  };
  runner.run();
  return runner;
}

describe('whatever happens to a conversion', () => {
  // The world throws where a VM is made of half-converted disks, such disks are converted again, or a claim goes under its converter.
  test('it ends clean, with either the source as it was or a target whose disks were converted just once', () => {
    fc.assert(
      fc.property(conversion, (input) => {
        const { world, status } = run(input);
        expect(status.ledger).toEqual([]);
        expect(Object.values(world.labelled()).flat()).toEqual([]);
        const isCommitted = status.records?.committedAt !== undefined;
        if (isCommitted) {
          for (const claim of world.claims.values()) {
            expect(claim).toMatchObject({ whole: true, half: false, conversions: 1 });
          }
          expect(status.records.conversion?.osId).toBe('rhel9.4');
        } else {
          const wasPoweredOn = input.accidents.some(({ what }) => what === 'powerOn');
          if (!wasPoweredOn || input.power === 'On') expect(world.power).toBe(input.power);
          expect([...world.claims.values()].filter(({ half }) => half === true)).toEqual([]);
        }
        const left = [...world.converters.pods.values()].map(({ ours, isHeld }) => [ours, isHeld]);
        expect(left).toEqual(left.length === 0 ? [] : [[false, false]]);
        if (!input.keepConversionPod) expect(left).toEqual([]);
      }),
      runs(250),
    );
  });

  test('a guest that can be converted is, after a pod or two that came to nothing', () => {
    const fates = fc.array(fc.constantFrom<ToyFate>('evicted'), { maxLength: 2 });
    fc.assert(
      fc.property(fates, fc.constantFrom('cold' as const, 'warm' as const), (found, type) => {
        const { status, world } = run({
          disks: 2,
          power: 'On',
          type,
          deleteOnFail: true,
          keepConversionPod: false,
          startSeconds: 5,
          convertSeconds: 60,
          fates: found,
          strayClaims: 0,
          accidents: [],
        });
        expect(status.outcome).toBe('Succeeded');
        expect(world.converters.made).toBe(found.length + 1);
      }),
      runs(12),
    );
  });
});
