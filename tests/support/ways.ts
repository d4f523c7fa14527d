import type { Migration } from '../../src/api/migration.ts';
import type { PlanSpec } from '../../src/api/plan.ts';
import { cold, warm, warmConverted, type Itinerary } from '../../src/migration/itineraries.ts';
import type { ConversionWrite } from '../../src/sandbox/conversion/converter.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import type { VmInput } from '../../src/sandbox/vcenter/vm-spec.ts';
import { converting } from './conversion.ts';
import { sandboxOnly } from './needs.ts';
import { writingGuest } from './writing-guest.ts';
import type { TestWorld, WorldOptions } from './world.ts';

/** One way to move a VM, for tests that are made from its itinerary. */
export interface Way {
  readonly itinerary: Itinerary;
  readonly vm: VmInput;
  readonly options: WorldOptions & { readonly plan?: Partial<PlanSpec> };
  /** These have no line of their own: what they find out is saved with what the next phase does. */
  readonly silent: readonly string[];
  /** What is done at the source and in the target, by the names of the actions, in the order of their first times. */
  readonly effects: readonly string[];
  migration(world: TestWorld): Partial<Migration['spec']>;
  /** What goes on at the source all the while. */
  life(world: TestWorld, source: VmHandle): Disposable;
  /** Where a guest is converted: what its converters have written. */
  readonly written?: (world: TestWorld) => readonly ConversionWrite[];
}

const handOver = [
  'deleteAccess',
  'createVm',
  'giveClaimToVm',
  'deleteDataVolume',
  'setRunStrategy',
  'stripLabel',
];

export const coldWay: Way = {
  itinerary: cold,
  vm: { name: 'web-01', power: 'on' },
  options: {},
  silent: ['Started', 'StorePowerState'],
  effects: ['powerOff', 'createAccess', 'createDataVolume', ...handOver],
  migration: () => ({}),
  life: () => ({ [Symbol.dispose]: () => undefined }),
};

const copied = [
  'createSnapshot',
  'createAccess',
  'createDataVolume',
  'removeSnapshot',
  'appendCheckpoint',
  'powerOff',
];

/** One round while the guest runs and writes, one more, and the final one. */
export const warmWay: Way = {
  itinerary: warm,
  vm: { name: 'web-01', power: 'on', changeTracking: true },
  options: {
    plan: { type: 'warm', warm: true },
    settings: { precopySeconds: 2, precopyFloorSeconds: 1, precopyJitterPercent: 0, mostRounds: 2 },
  },
  silent: [
    'Started',
    'StoreInitialSnapshotDeltas',
    'StoreSnapshotDeltas',
    'PreflightCutover',
    'StorePowerState',
    'RemovePenultimateSnapshot',
    'WaitForPenultimateSnapshotRemoval',
    'StoreFinalSnapshotDeltas',
  ],
  effects: [...copied, ...handOver],
  migration: ({ clock }) => ({ cutover: new Date(clock.now() + 40_000).toISOString() }),
  life: ({ clock }, source) => writingGuest(clock, source, 3),
};

const simulated = sandboxOnly({ simulated: 'the converter, which writes where it says' });

/** The same, and the guest is converted on the copied disk when all of it is there. */
export const convertedWarmWay: Way = {
  ...warmWay,
  itinerary: warmConverted,
  options: { ...warmWay.options, plan: { ...warmWay.options.plan, ...converting } },
  effects: [...copied, 'createConversionPod', 'finishConversion', 'releasePod', ...handOver],
  written: (world) => simulated.world(world).sandbox.conversions,
};
