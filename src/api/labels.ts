/** Every label, annotation, finalizer and well-known name that Gantry writes or reads, in one place. */

/** Forklift's labels, which its clients select by. Values are UIDs (vmID: the id in the inventory). */
export const planLabel = 'plan';
export const migrationLabel = 'migration';
export const vmIdLabel = 'vmID';
export const planNameLabel = 'plan-name';
export const planNamespaceLabel = 'plan-namespace';
export const resourceLabel = 'resource';

/** On everything an import makes in a cluster; the value is its UID. All caches outside our own kinds select by its presence. */
export const importLabel = 'gantry.dev/import';
/** Which disk of the import a claim, DataVolume or pod serves: the disk's key, hashed where it is no label value. */
export const diskLabel = 'gantry.dev/disk';
/** Forklift's label of what a pod is for; its conversion pods keep away from each other by it. */
export const appLabel = 'forklift.app';
export const conversionApp = 'virt-v2v';
export const identityLabel = 'gantry.dev/identity';

export const importFinalizer = 'gantry.dev/import';
/**
 * On a conversion pod: it stays, whoever evicts or deletes it, until we have seen how it ended. A pod that is not there has never run.
 */
export const conversionFinalizer = 'gantry.dev/conversion';
/** Belongs to the run reconciler: the import stays until its end is in Plan.status. */
export const projectedFinalizer = 'gantry.dev/projected';
/** On Providers and their Secrets while an import owes something at the source. */
export const sourceInUseFinalizer = 'gantry.dev/source-in-use';

/** On a Plan or a Provider: nothing new starts, no cutover begins, running copies end. */
export const pausedAnnotation = 'gantry.dev/paused';
export const cutoverUntilAnnotation = 'gantry.dev/cutover-until';
export const precopyScheduleAnnotation = 'gantry.dev/precopy-schedule';
/** "fail" or "force": what to do with a guest that does not shut down. */
export const powerOffPolicyAnnotation = 'gantry.dev/power-off-policy';
/** On an import whose source is gone for good: give up what it owes there, in an event. */
export const abandonLeftoversAnnotation = 'gantry.dev/abandon-leftovers';

export const diskSourceAnnotation = 'forklift.konveyor.io/disk-source';
export const originalNameAnnotation = 'original-name';
export const originalIdAnnotation = 'original-id';
export const displayNameAnnotation = 'openshift.io/display-name';

export const cdiBindImmediateAnnotation = 'cdi.kubevirt.io/storage.bind.immediate.requested';
/** On the claim, followed by the `current` of a stage that is copied. */
export const cdiCopiedAnnotationPrefix = 'cdi.kubevirt.io/storage.checkpoint.copied.';
export const cdiUsePopulatorAnnotation = 'cdi.kubevirt.io/storage.usePopulator';
export const cdiDeleteAfterCompletionAnnotation = 'cdi.kubevirt.io/storage.deleteAfterCompletion';
export const cdiRetainPodAnnotation = 'cdi.kubevirt.io/storage.pod.retainAfterCompletion';
export const cdiAllowClaimAdoptionAnnotation = 'cdi.kubevirt.io/allowClaimAdoption';
export const cdiImportPodAnnotation = 'cdi.kubevirt.io/storage.import.importPodName';
export const cdiCreatedForDataVolumeAnnotation = 'cdi.kubevirt.io/createdForDataVolume';

/** All marker names of things that an import makes at a source begin with this. */
export const markerPrefix = 'gantry-';
export const controllerName = 'gantry';
