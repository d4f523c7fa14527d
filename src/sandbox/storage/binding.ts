import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/external/core.ts';

export const waitingText = 'waiting for first consumer to be created before binding';
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
export const defaultClassAnnotation = 'storageclass.kubernetes.io/is-default-class';
const defaultVirtClassAnnotation = 'storageclass.kubevirt.io/is-default-virt-class';

/** `bind`: a volume is to be made. `adopt`: the volume that the claim names is taken. `wait`: with the words of the claim's event. */
export type BindingDecision =
  | { readonly act: 'none' }
  | { readonly act: 'bind' }
  | { readonly act: 'adopt'; readonly volumeName: string }
  | { readonly act: 'wait'; readonly reason: string; readonly message: string };

/**
 * What is to be done for a claim. Fact: cdi 5.3 (which claims a provisioner serves). Inferred: the words are those of Kubernetes' own
 * volume controller.
 */
export function decideBinding(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  provisioner: string,
): BindingDecision {
  if (isBound(claim) || claim.status?.phase === 'Lost' || claim.metadata.deletionTimestamp !== undefined) {
    return { act: 'none' };
  }
  const { volumeName, storageClassName } = claim.spec;
  if (volumeName !== undefined && volumeName !== '') return { act: 'adopt', volumeName };
  const pending = pendingReason(claim, storageClass);
  if (pending !== undefined) return { act: 'wait', ...pending };
  const isOurs = storageClass?.provisioner === provisioner && storageClassName !== '';
  const isPopulated = claim.spec.dataSource !== undefined || claim.spec.dataSourceRef !== undefined;
  return isOurs && !isPopulated ? { act: 'bind' } : { act: 'none' };
}

/** Why a claim cannot be bound yet, as its latest event says; undefined when nothing stands in the way. */
function pendingReason(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
): { readonly reason: string; readonly message: string } | undefined {
  if (isBound(claim)) return undefined;
  if (storageClass === undefined) {
    const { storageClassName } = claim.spec;
    if (storageClassName === undefined || storageClassName === '') {
      return {
        reason: 'FailedBinding',
        message: 'no persistent volumes available for this claim and no storage class is set',
      };
    }
    return {
      reason: 'ProvisioningFailed',
      message: `storageclass.storage.k8s.io "${storageClassName}" not found`,
    };
  }
  const waits =
    waitsForConsumer(storageClass) && claim.metadata.annotations?.[selectedNodeAnnotation] === undefined;
  return waits
    ? {
        reason: 'WaitForFirstConsumer',
        message: waitingText,
      }
    : undefined;
}

export function isBound(claim: PersistentVolumeClaim): boolean {
  return claim.status?.phase === 'Bound';
}

export function waitsForConsumer(storageClass: StorageClass | undefined): boolean {
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
}

/** A volume may be taken by a claim that it names, or, naming nobody, by the claim that names it. */
export function mayAdopt(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  const ref = volume.spec.claimRef;
  if (ref === undefined) return true;
  const isSame = ref.namespace === claim.metadata.namespace && ref.name === claim.metadata.name;
  return isSame && (ref.uid === undefined || ref.uid === claim.metadata.uid);
}

/** The named class, or, where none is named, the default: KubeVirt's before Kubernetes' (fact: cdi 1.2). */
export function findClass(
  name: string | undefined,
  classes: readonly StorageClass[],
): StorageClass | undefined {
  if (name !== undefined && name !== '') return classes.find((candidate) => candidate.metadata.name === name);
  const marked = (annotation: string) => (candidate: StorageClass) =>
    candidate.metadata.annotations?.[annotation] === 'true';
  return classes.find(marked(defaultVirtClassAnnotation)) ?? classes.find(marked(defaultClassAnnotation));
}
