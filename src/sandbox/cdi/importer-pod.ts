import { createHash } from 'node:crypto';
import type { EnvVar, PersistentVolumeClaim, Pod, PodVolume } from '../../api/external/core.ts';
import type { Stored } from '../../api/meta.ts';
import { cdiImportPodAnnotation } from '../../api/labels.ts';
import { filesystemOverhead, modeOf } from '../storage/volume-size.ts';
import {
  annotationsForPods,
  appLabel,
  appValue,
  backingFileAnnotation,
  certConfigMapAnnotation,
  contentTypeAnnotation,
  createdByAnnotation,
  currentCheckpointAnnotation,
  endpointAnnotation,
  finalCheckpointAnnotation,
  importerLabel,
  importerValue,
  preallocationRequestedAnnotation,
  previousCheckpointAnnotation,
  priorityClassAnnotation,
  secretNameAnnotation,
  serviceAccountAnnotation,
  sourceAnnotation,
  thumbprintAnnotation,
  uuidAnnotation,
  vddkExtraArgsAnnotation,
  vddkImageAnnotation,
} from './annotations.ts';

export const importerImage = 'sandbox.gantry.dev/cdi-importer:latest';
export const importerContainer = 'importer';
export const dataVolumeName = 'cdi-data-vol';
export const certVolumeName = 'cdi-cert-vol';
const longestName = 253;

/** importer-<claim>, or importer-<claim>-checkpoint-<current> in a stage; shortened with a hash past 253 characters (fact: cdi 2.1). */
export function importerPodName(claim: PersistentVolumeClaim): string {
  const stage = claim.metadata.annotations?.[currentCheckpointAnnotation] ?? '';
  const name = `importer-${claim.metadata.name}${stage === '' ? '' : `-checkpoint-${stage}`}`;
  if (name.length <= longestName) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, longestName - 9)}-${digest}`;
}

/** `undefined` while it cannot be made: no VDDK image is known (fact: cdi 3.1). */
export function buildImporterPod(
  claim: Stored<PersistentVolumeClaim>,
  options: { readonly nodeName: string; readonly vddkImage?: string },
): Pod | undefined {
  const { annotations = {}, labels, namespace = '', name, uid } = claim.metadata;
  const isVddk = annotations[sourceAnnotation] === 'vddk';
  const vddkImage = annotations[vddkImageAnnotation] ?? options.vddkImage;
  if (isVddk && vddkImage === undefined) return undefined;
  const isBlock = modeOf(claim) === 'Block';
  const priorityClassName = annotations[priorityClassAnnotation];
  const serviceAccountName = annotations[serviceAccountAnnotation];
  const resources = {
    requests: { cpu: '100m', memory: '60M' },
    limits: { cpu: '750m', memory: '600M' },
  };
  const spec: Pod['spec'] & { readonly priorityClassName?: string } = {
    restartPolicy: 'OnFailure',
    // Stands for the scheduler: a pod without a node is deleted at once by an API server, without any grace.
    nodeName: options.nodeName,
    ...(priorityClassName !== undefined && { priorityClassName }),
    ...(serviceAccountName !== undefined && { serviceAccountName }),
    ...(isVddk && {
      initContainers: [
        {
          name: 'vddk-side-car',
          ...(vddkImage !== undefined && { image: vddkImage }),
          volumeMounts: [{ name: 'vddk-vol-mount', mountPath: '/opt' }],
        },
      ],
    }),
    containers: [
      {
        name: importerContainer,
        image: importerImage,
        args: ['-v=1'],
        env: importerEnv(claim),
        resources,
        ...(isBlock
          ? { volumeDevices: [{ name: dataVolumeName, devicePath: '/dev/cdi-block-volume' }] }
          : { volumeMounts: [{ name: dataVolumeName, mountPath: '/data' }] }),
      },
    ],
    volumes: importerVolumes(claim, isVddk),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: annotations[cdiImportPodAnnotation] ?? importerPodName(claim),
      namespace,
      // The claim's labels come last and win (fact: cdi 1.4, 3.1).
      labels: {
        [appLabel]: appValue,
        [importerLabel]: importerValue,
        'prometheus.cdi.kubevirt.io': 'true',
        'app.kubernetes.io/managed-by': 'cdi-controller',
        'app.kubernetes.io/component': 'storage',
        ...labels,
      },
      annotations: {
        [createdByAnnotation]: 'yes',
        'sidecar.istio.io/inject': 'false',
        'linkerd.io/inject': 'disabled',
        ...Object.fromEntries(
          Object.entries(annotations).filter(([key]) => annotationsForPods.includes(key)),
        ),
      },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
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

/** Fact: cdi 3.1 (Env), as far as the simulated sources read it. */
function importerEnv(claim: Stored<PersistentVolumeClaim>): readonly EnvVar[] {
  const { annotations = {}, ownerReferences = [], uid } = claim.metadata;
  const value = (annotation: string): string => annotations[annotation] ?? '';
  const [owner] = ownerReferences;
  const plain: Readonly<Record<string, string>> = {
    IMPORTER_SOURCE: value(sourceAnnotation),
    IMPORTER_ENDPOINT: value(endpointAnnotation),
    IMPORTER_CONTENTTYPE: value(contentTypeAnnotation),
    IMPORTER_IMAGE_SIZE: claim.spec.resources?.requests?.['storage'] ?? '',
    // With more than one owner the importer reports under the claim's own uid (fact: cdi 3.2).
    OWNER_UID: ownerReferences.length === 1 && owner !== undefined ? owner.uid : uid,
    FILESYSTEM_OVERHEAD: modeOf(claim) === 'Block' ? '0' : String(filesystemOverhead),
    INSECURE_TLS: 'false',
    IMPORTER_UUID: value(uuidAnnotation),
    IMPORTER_BACKING_FILE: value(backingFileAnnotation),
    IMPORTER_THUMBPRINT: value(thumbprintAnnotation),
    IMPORTER_CURRENT_CHECKPOINT: value(currentCheckpointAnnotation),
    IMPORTER_PREVIOUS_CHECKPOINT: value(previousCheckpointAnnotation),
    IMPORTER_FINAL_CHECKPOINT: value(finalCheckpointAnnotation),
    PREALLOCATION: value(preallocationRequestedAnnotation) === 'true' ? 'true' : 'false',
    CACHE_MODE: '',
  };
  const env: EnvVar[] = Object.entries(plain).map(([name, text]) => ({ name, value: text }));
  const secret = value(secretNameAnnotation);
  if (secret !== '') {
    env.push(
      {
        name: 'IMPORTER_ACCESS_KEY_ID',
        valueFrom: { secretKeyRef: { name: secret, key: 'accessKeyId' } },
      },
      { name: 'IMPORTER_SECRET_KEY', valueFrom: { secretKeyRef: { name: secret, key: 'secretKey' } } },
    );
  }
  if (value(certConfigMapAnnotation) !== '') env.push({ name: 'IMPORTER_CERT_DIR', value: '/certs' });
  return env;
}

function importerVolumes(claim: PersistentVolumeClaim, isVddk: boolean): readonly PodVolume[] {
  const { annotations = {}, name } = claim.metadata;
  const certs = annotations[certConfigMapAnnotation] ?? '';
  const extraArgs = annotations[vddkExtraArgsAnnotation] ?? '';
  return [
    { name: dataVolumeName, persistentVolumeClaim: { claimName: name } },
    ...(isVddk ? [{ name: 'vddk-vol-mount', emptyDir: {} }] : []),
    ...(extraArgs === '' ? [] : [{ name: 'vddk-extra-args', configMap: { name: extraArgs } }]),
    ...(certs === '' ? [] : [{ name: certVolumeName, configMap: { name: certs } }]),
  ];
}
