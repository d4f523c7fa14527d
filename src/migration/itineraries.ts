import type { PhaseName, StepName } from '../api/phases.ts';
import type { VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';
import type { Phase } from './phase.ts';
import { completed } from './phases/completed.ts';
import { copyDisks, finalize } from './phases/copy-disks.ts';
import { convertGuest } from './phases/conversion/convert-guest.ts';
import { createGuestConversionPod } from './phases/conversion/create-guest-conversion-pod.ts';
import { createDataVolumes } from './phases/create-data-volumes.ts';
import { createVm } from './phases/create-vm.ts';
import { powerOffSource } from './phases/power-off-source.ts';
import { preflight } from './phases/preflight.ts';
import { releaseVolumes } from './phases/release-volumes.ts';
import { addCheckpoint } from './phases/rounds/add-checkpoint.ts';
import { copyingPaused } from './phases/rounds/copying-paused.ts';
import { preflightCutover } from './phases/rounds/preflight-cutover.ts';
import {
  removeFinalSnapshot,
  removeSnapshot,
  roundIsOver,
  waitForRemoval,
} from './phases/rounds/remove-snapshot.ts';
import { createSnapshot } from './phases/rounds/create-snapshot.ts';
import { inCutover } from './phases/rounds/source-is-on.ts';
import { storeDeltas } from './phases/rounds/store-deltas.ts';
import { waitForSnapshot } from './phases/rounds/wait-for-snapshot.ts';
import { startVm } from './phases/start-vm.ts';
import { started } from './phases/started.ts';
import { storePowerState } from './phases/store-power-state.ts';
import { waitForPowerOff } from './phases/wait-for-power-off.ts';
import { isWarm } from './rounds.ts';
import { waitForTargetRunning } from './phases/wait-for-target-running.ts';

/**
 * The way of one import, phase by phase. It is frozen into the import's records at the start, so that a newer version that orders phases
 * otherwise still finishes what an older one began (review.md F63). `version` grows with every change of `phases`.
 */
export interface Itinerary {
  readonly id: string;
  readonly version: number;
  readonly phases: readonly PhaseName[];
  /** Where a phase belongs to another step of the pipeline than elsewhere. */
  readonly steps?: Readonly<Partial<Record<PhaseName, StepName>>>;
}

/** Power off, copy, hand over (design: import.md 2.4 V-COLD). */
export const cold: Itinerary = {
  id: 'cold',
  version: 1,
  phases: [
    'Started',
    'Preflight',
    'StorePowerState',
    'PowerOffSource',
    'WaitForPowerOff',
    'CreateDataVolumes',
    'CopyDisks',
    'CreateVM',
    'ReleaseVolumes',
    'StartVM',
    'WaitForTargetRunning',
    'Completed',
  ],
};

/**
 * Copy while the source runs, round by round, then power off and copy the rest (design: import.md 2.4 V-WARM). AddCheckpoint leads back to
 * CopyDisks, CopyingPaused on to a cutover or to one more round.
 */
export const warm: Itinerary = {
  id: 'warm',
  version: 1,
  phases: [
    'Started',
    'Preflight',
    'CreateInitialSnapshot',
    'WaitForInitialSnapshot',
    'StoreInitialSnapshotDeltas',
    'CreateDataVolumes',
    'CopyDisks',
    'RemovePreviousSnapshot',
    'WaitForPreviousSnapshotRemoval',
    'CopyingPaused',
    'CreateSnapshot',
    'WaitForSnapshot',
    'StoreSnapshotDeltas',
    'AddCheckpoint',
    'PreflightCutover',
    'StorePowerState',
    'PowerOffSource',
    'WaitForPowerOff',
    'RemovePenultimateSnapshot',
    'WaitForPenultimateSnapshotRemoval',
    'CreateFinalSnapshot',
    'WaitForFinalSnapshot',
    'StoreFinalSnapshotDeltas',
    'AddFinalCheckpoint',
    'Finalize',
    'RemoveFinalSnapshot',
    'CreateVM',
    'ReleaseVolumes',
    'StartVM',
    'WaitForTargetRunning',
    'Completed',
  ],
  steps: { StorePowerState: 'Cutover', PowerOffSource: 'Cutover', WaitForPowerOff: 'Cutover' },
};

/** A retry of a VM whose earlier run committed: what stands is not touched (design: import.md 2.4 R-POST). */
export const postHook: Itinerary = { id: 'postHook', version: 1, phases: ['Started', 'Completed'] };

/** The same, with the guest made fit for KubeVirt on the copied disks (design: import.md 2.3, in place). */
export const coldConverted: Itinerary = converted(cold, 'coldConverted');
export const warmConverted: Itinerary = converted(warm, 'warmConverted');

export const itineraries: readonly Itinerary[] = [cold, coldConverted, warm, warmConverted, postHook];

function converted(plain: Itinerary, id: string): Itinerary {
  const at = plain.phases.indexOf('CreateVM');
  const phases = plain.phases.toSpliced(at, 0, 'CreateGuestConversionPod', 'ConvertGuest');
  return { ...plain, id, version: 1, phases };
}

/** By what is known before there is an import. */
export function usualItinerary(way: { readonly isWarm: boolean; readonly converts: boolean }): Itinerary {
  if (way.isWarm) return way.converts ? warmConverted : warm;
  return way.converts ? coldConverted : cold;
}

/**
 * The itinerary of an import that begins.
 *
 * @param priorCommitted an earlier run of this VM has committed and its target stands; as the import's strategy says, unless known better.
 */
export function itineraryFor(
  spec: VirtualMachineImportSpec,
  priorCommitted = spec.strategy.type === 'postHook',
): Itinerary {
  if (priorCommitted) return postHook;
  return usualItinerary({ isWarm: isWarm(spec), converts: spec.strategy.conversion === 'inPlace' });
}

const phases: ReadonlyMap<string, Phase> = new Map(
  [
    started,
    preflight,
    storePowerState,
    powerOffSource,
    waitForPowerOff,
    createDataVolumes,
    copyDisks,
    createSnapshot('initial', 'CreateInitialSnapshot'),
    waitForSnapshot('initial', 'WaitForInitialSnapshot', 'CreateInitialSnapshot'),
    storeDeltas('StoreInitialSnapshotDeltas', 'Initialize'),
    removeSnapshot('RemovePreviousSnapshot'),
    waitForRemoval('WaitForPreviousSnapshotRemoval', roundIsOver),
    copyingPaused,
    createSnapshot('next', 'CreateSnapshot'),
    waitForSnapshot('next', 'WaitForSnapshot', 'CreateSnapshot'),
    storeDeltas('StoreSnapshotDeltas', 'DiskTransfer'),
    addCheckpoint('AddCheckpoint', 'DiskTransfer', { isFinal: false, next: 'CopyDisks' }),
    preflightCutover,
    inCutover(removeSnapshot('RemovePenultimateSnapshot')),
    inCutover(waitForRemoval('WaitForPenultimateSnapshotRemoval', () => ({}))),
    createSnapshot('final', 'CreateFinalSnapshot'),
    waitForSnapshot('final', 'WaitForFinalSnapshot', 'CreateFinalSnapshot'),
    storeDeltas('StoreFinalSnapshotDeltas', 'Cutover'),
    addCheckpoint('AddFinalCheckpoint', 'Cutover', { isFinal: true, next: 'Finalize' }),
    finalize,
    removeFinalSnapshot,
    createGuestConversionPod,
    convertGuest,
    createVm,
    releaseVolumes,
    startVm,
    waitForTargetRunning,
    completed,
  ].map((phase) => [phase.name, phase]),
);

/** Undefined: this version does not know the phase, a newer one wrote it; the import is left untouched (NewerVersionNeeded). */
export function phaseByName(name: string): Phase | undefined {
  return phases.get(name);
}

/** The step of the pipeline that a phase belongs to on this way; undefined: this version does not know the phase. */
export function stepOf(itinerary: { readonly id: string }, name: string): StepName | undefined {
  const here = itineraries.find(({ id }) => id === itinerary.id);
  return here?.steps?.[name as PhaseName] ?? phases.get(name)?.step;
}

/** Steps of the pipeline that clients see: those of the phases, in order of first appearance. Unknown phases have none. */
export function stepsOf(itinerary: {
  readonly id: string;
  readonly phases: readonly string[];
}): readonly StepName[] {
  const steps = itinerary.phases.flatMap((name) => stepOf(itinerary, name) ?? []);
  return [...new Set(steps)];
}
