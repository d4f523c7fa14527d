import type { ClaimPropertySet, DataVolume, VddkSource } from '../../api/external/cdi.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../api/external/core.ts';
import { cdiCreatedForDataVolumeAnnotation } from '../../api/labels.ts';
import type { Stored } from '../../api/meta.ts';
import { findClass } from '../storage/binding.ts';
import { quantityValue } from '../storage/quantity.ts';
import { requiredBytes } from '../storage/volume-size.ts';
import type { Annotations } from './annotations.ts';
import {
  appLabel,
  appValue,
  backingFileAnnotation,
  certConfigMapAnnotation,
  contentTypeAnnotation,
  endpointAnnotation,
  podRestartsAnnotation,
  preallocationRequestedAnnotation,
  priorityClassAnnotation,
  secretNameAnnotation,
  serviceAccountAnnotation,
  sourceAnnotation,
  thumbprintAnnotation,
  uuidAnnotation,
  vddkExtraArgsAnnotation,
  vddkImageAnnotation,
} from './annotations.ts';
import { firstStage } from './checkpoints.ts';

type ClaimSpec = PersistentVolumeClaim['spec'];

/** `isFinal`: no repeat helps until a storage class appears. */
export type RenderedClaim =
  { readonly spec: ClaimSpec } | { readonly error: string; readonly isFinal: boolean };

/**
 * The claim's spec for a DataVolume. Fact: cdi 1.2 (`pvc` taken as it is; `storage` completed from the class's profile and, on a file
 * system, inflated), cdi 0.7.
 */
export function renderClaim(
  dataVolume: DataVolume,
  classes: readonly StorageClass[],
  propertySetsOf: (className: string) => readonly ClaimPropertySet[],
): RenderedClaim {
  const { storage } = dataVolume.spec;
  // Not in our own type: Gantry never writes it, others may.
  const asIs = (dataVolume.spec as { readonly pvc?: ClaimSpec }).pvc;
  if (asIs !== undefined) return { spec: asIs };
  if (storage === undefined) {
    return { error: 'datavolume one of {pvc, storage} field is required', isFinal: false };
  }
  const storageClass = findClass(storage.storageClassName, classes);
  let { accessModes = [], volumeMode } = storage;
  if (storageClass === undefined) {
    if (accessModes.length === 0) {
      return { error: 'PVC spec is missing accessMode and no storageClass to choose profile', isFinal: true };
    }
  } else {
    const { name } = storageClass.metadata;
    const sets = propertySetsOf(name);
    if (accessModes.length === 0) {
      const set =
        volumeMode === undefined
          ? sets[0]
          : sets.find((candidate) => (candidate.volumeMode ?? 'Filesystem') === volumeMode);
      if (set?.accessModes === undefined || set.accessModes.length === 0) {
        const wanted = volumeMode === undefined ? 'no accessMode' : 'no matching accessMode';
        return { error: `${wanted} specified in StorageProfile ${name}`, isFinal: false };
      }
      accessModes = set.accessModes;
      volumeMode ??= set.volumeMode;
    } else {
      const wanted = accessModes;
      volumeMode ??= sets.find((set) => set.accessModes?.some((mode) => wanted.includes(mode)))?.volumeMode;
    }
  }
  const imageBytes = quantityValue(storage.resources?.requests?.['storage'] ?? '');
  if (imageBytes === undefined) {
    return { error: 'PVC Spec is not valid - missing storage size', isFinal: false };
  }
  const bytes = requiredBytes(Math.ceil(imageBytes), volumeMode ?? 'Filesystem');
  const className = storageClass?.metadata.name ?? storage.storageClassName;
  return {
    spec: {
      accessModes,
      ...(volumeMode !== undefined && { volumeMode }),
      ...(className !== undefined && { storageClassName: className }),
      ...(storage.volumeName !== undefined && { volumeName: storage.volumeName }),
      resources: { requests: { storage: String(bytes) } },
    },
  };
}

/** The claim itself: same name, owned by the DataVolume, with all its labels and annotations (fact: cdi 1.4). */
export function buildClaim(dataVolume: Stored<DataVolume>, spec: ClaimSpec): PersistentVolumeClaim {
  const { namespace = '', name, uid, labels, annotations } = dataVolume.metadata;
  const { priorityClassName, serviceAccountName, contentType, preallocation } = dataVolume.spec;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace,
      labels: {
        [appLabel]: appValue,
        ...((spec.volumeMode ?? 'Filesystem') === 'Filesystem' && {
          'alerts.k8s.io/KubePersistentVolumeFillingUp': 'disabled',
        }),
        ...labels,
        // CDI's own win over what the DataVolume says.
        'app.kubernetes.io/managed-by': 'cdi-controller',
        'app.kubernetes.io/component': 'storage',
      },
      annotations: {
        ...annotations,
        [podRestartsAnnotation]: '0',
        [contentTypeAnnotation]: contentType ?? 'kubevirt',
        ...(priorityClassName !== undefined && { [priorityClassAnnotation]: priorityClassName }),
        ...(serviceAccountName !== undefined && { [serviceAccountAnnotation]: serviceAccountName }),
        [preallocationRequestedAnnotation]: String(preallocation ?? false),
        [cdiCreatedForDataVolumeAnnotation]: uid,
        ...firstStage(dataVolume),
        ...sourceAnnotations(dataVolume),
      },
      ownerReferences: [
        {
          apiVersion: dataVolume.apiVersion,
          kind: 'DataVolume',
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec,
  };
}

/** Sources that are simulated; the others come with their platforms (design: sandbox.md "Stand-ins"). */
export function isSimulatedSource(dataVolume: DataVolume): boolean {
  return dataVolume.spec.source?.vddk !== undefined || dataVolume.spec.source?.blank !== undefined;
}

/** Fact: cdi 1.4 (what CDI writes on the claim for the importer). */
function sourceAnnotations(dataVolume: DataVolume): Annotations {
  const { vddk } = dataVolume.spec.source ?? {};
  return vddk === undefined ? { [sourceAnnotation]: 'none' } : vddkAnnotations(vddk);
}

function vddkAnnotations(vddk: VddkSource): Annotations {
  const { url = '', secretRef = '', uuid = '', backingFile = '', thumbprint = '' } = vddk;
  return {
    [sourceAnnotation]: 'vddk',
    [endpointAnnotation]: url,
    [secretNameAnnotation]: secretRef,
    [uuidAnnotation]: uuid,
    [backingFileAnnotation]: backingFile,
    [thumbprintAnnotation]: thumbprint,
    ...(vddk.certConfigMap !== undefined && { [certConfigMapAnnotation]: vddk.certConfigMap }),
    ...(vddk.initImageURL !== undefined && { [vddkImageAnnotation]: vddk.initImageURL }),
    ...(vddk.extraArgs !== undefined && { [vddkExtraArgsAnnotation]: vddk.extraArgs }),
  };
}
