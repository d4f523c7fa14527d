import type { PhaseName, StepName } from '../api/phases.ts';
import type { VirtualMachineImportSpec } from '../api/virtual-machine-import.ts';
import type { Phase } from './phase.ts';
import { completed } from './phases/completed.ts';
import { copyDisks } from './phases/copy-disks.ts';
import { createDataVolumes } from './phases/create-data-volumes.ts';
import { createVm } from './phases/create-vm.ts';
import { powerOffSource } from './phases/power-off-source.ts';
import { preflight } from './phases/preflight.ts';
import { releaseVolumes } from './phases/release-volumes.ts';
import { startVm } from './phases/start-vm.ts';
import { started } from './phases/started.ts';
import { storePowerState } from './phases/store-power-state.ts';
import { waitForPowerOff } from './phases/wait-for-power-off.ts';
import { waitForTargetRunning } from './phases/wait-for-target-running.ts';

/**
 * The way of one import, phase by phase. It is frozen into the import's records at the start, so that a newer version that orders phases
 * otherwise still finishes what an older one began (review.md F63). `version` grows with every change of `phases`.
 */
export interface Itinerary {
  readonly id: string;
  readonly version: number;
  readonly phases: readonly PhaseName[];
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

/** A retry of a VM whose earlier run committed: what stands is not touched (design: import.md 2.4 R-POST). */
export const postHook: Itinerary = { id: 'postHook', version: 1, phases: ['Started', 'Completed'] };

export const itineraries: readonly Itinerary[] = [cold, postHook];

/**
 * The itinerary of an import that begins.
 *
 * @param priorCommitted an earlier run of this VM has committed and its target stands; as the import's strategy says, unless known better.
 */
export function itineraryFor(
  spec: VirtualMachineImportSpec,
  priorCommitted = spec.strategy.type === 'postHook',
): Itinerary {
  return priorCommitted ? postHook : cold;
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

/** Steps of the pipeline that clients see: those of the phases, in order of first appearance. Unknown phases have none. */
export function stepsOf(itinerary: { readonly phases: readonly string[] }): readonly StepName[] {
  const steps = itinerary.phases.flatMap((name) => phases.get(name)?.step ?? []);
  return [...new Set(steps)];
}
