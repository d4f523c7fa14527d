/**
 * Names of phases and steps. A phase keeps Forklift's name wherever one exists; names are append-only, because imports of the version
 * before carry them in their frozen itinerary (review.md F63).
 */

/** Steps of the pipeline that clients show (forklift-api.md 1.8). */
export const stepNames = [
  'Initialize',
  'PreHook',
  'PreflightInspection',
  'DiskAllocation',
  'DiskTransfer',
  'DiskTransferV2v',
  'Cutover',
  'ImageConversion',
  'VirtualMachineCreation',
  'WaitForGuestReboots',
  'PostHook',
  'WaitForFinalSnapshotConsolidation',
] as const;
export type StepName = (typeof stepNames)[number];

/** One sentence a step, shown by clients beside its name. */
export const stepDescriptions: Readonly<Record<StepName, string>> = {
  Initialize: 'Initialize migration.',
  PreHook: 'Run the hook before the migration.',
  PreflightInspection: 'Inspect the guest before it is copied.',
  DiskAllocation: 'Allocate disks.',
  DiskTransfer: 'Transfer disks.',
  DiskTransferV2v: 'Copy disks.',
  Cutover: 'Power off the source and copy what is left.',
  ImageConversion: 'Convert image to kubevirt.',
  VirtualMachineCreation: 'Create VM.',
  WaitForGuestReboots: 'Wait until the guest has rebooted.',
  PostHook: 'Run the hook after the migration.',
  WaitForFinalSnapshotConsolidation: 'Wait until the last snapshot is consolidated.',
};

/** Phases of an import so far. `Unwinding` is no phase of an itinerary: it is shown while what was made is taken back. */
export const phaseNames = [
  'Started',
  'Preflight',
  'StorePowerState',
  'PowerOffSource',
  'WaitForPowerOff',
  'CreateInitialSnapshot',
  'WaitForInitialSnapshot',
  'StoreInitialSnapshotDeltas',
  'CreateDataVolumes',
  'CopyDisks',
  'RemovePreviousSnapshot',
  'WaitForPreviousSnapshotRemoval',
  'CopyingPaused',
  'PreflightCutover',
  'CreateSnapshot',
  'WaitForSnapshot',
  'StoreSnapshotDeltas',
  'AddCheckpoint',
  'RemovePenultimateSnapshot',
  'WaitForPenultimateSnapshotRemoval',
  'CreateFinalSnapshot',
  'WaitForFinalSnapshot',
  'StoreFinalSnapshotDeltas',
  'AddFinalCheckpoint',
  'Finalize',
  'RemoveFinalSnapshot',
  'CreateGuestConversionPod',
  'ConvertGuest',
  'CreateVM',
  'ReleaseVolumes',
  'StartVM',
  'WaitForTargetRunning',
  'Completed',
] as const;
export type PhaseName = (typeof phaseNames)[number];

/** Phases that are ours alone are shown to Forklift's clients under a name they know. */
export const shownAs: Readonly<Partial<Record<PhaseName, string>>> = {
  Preflight: 'Started',
  PreflightCutover: 'CopyingPaused',
  StoreFinalSnapshotDeltas: 'AddFinalCheckpoint',
  ReleaseVolumes: 'CreateVM',
  StartVM: 'CreateVM',
  WaitForTargetRunning: 'CreateVM',
};

export const outcomes = ['Succeeded', 'Failed', 'Canceled'] as const;
export type Outcome = (typeof outcomes)[number];
