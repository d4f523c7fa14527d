import type { Migration } from '../../src/api/migration.ts';
import type { PlanSpec } from '../../src/api/plan.ts';
import { cold, warm, type Itinerary } from '../../src/migration/itineraries.ts';
import type { VmHandle } from '../../src/sandbox/vcenter/vm-handle.ts';
import type { VmInput } from '../../src/sandbox/vcenter/vm-spec.ts';
import { writingGuest } from './writing-guest.ts';
import type { TestWorld, WorldOptions } from './world.ts';

/** One way to move a VM, for tests that are made from its itinerary. */
export interface Way {
  readonly itinerary: Itinerary;
  readonly vm: VmInput;
  readonly options: WorldOptions & { readonly plan?: Partial<PlanSpec> };
  /** These have no line of their own: what they find out is saved with what the next phase does. */
  readonly silent: readonly string[];
  /** What is done at the source and in the target, by the names of the actions. */
  readonly effects: readonly string[];
  migration(world: TestWorld): Partial<Migration['spec']>;
  /** What goes on at the source all the while. */
  life(world: TestWorld, source: VmHandle): Disposable;
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
  effects: [
    'createSnapshot',
    'createAccess',
    'createDataVolume',
    'removeSnapshot',
    'appendCheckpoint',
    'powerOff',
    ...handOver,
  ],
  migration: ({ clock }) => ({ cutover: new Date(clock.now() + 40_000).toISOString() }),
  life: ({ clock }, source) => writingGuest(clock, source, 3),
};
