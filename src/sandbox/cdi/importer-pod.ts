import type {
  Container,
  EnvVar,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  PodVolume,
} from '../../api/external/core.ts';
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
const vddkVolumeName = 'vddk-vol-mount';
export const certVolumeName = 'cdi-cert-vol';
const longestName = 253;

/** importer-<claim>, or importer-<claim>-checkpoint-<current> in a stage; past 253 characters only a hash of it stays (fact: cdi 2.1). */
export function importerPodName(claim: PersistentVolumeClaim): string {
  const stage = claim.metadata.annotations?.[currentCheckpointAnnotation] ?? '';
  const name = `importer-${claim.metadata.name}${stage === '' ? '' : `-checkpoint-${stage}`}`;
  return name.length <= longestName ? name : `importer-${fnv1a(name)}`;
}

/** FNV-1a in 32 bits, eight hex digits: the hash in shortened names (seen in CDI 1.65). */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
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
  const priorityClassName = annotations[priorityClassAnnotation];
  const serviceAccountName = annotations[serviceAccountAnnotation];
  const spec: ImporterPodSpec = {
    restartPolicy: 'OnFailure',
    enableServiceLinks: false,
    // Stands for the scheduler: a pod without a node is deleted at once by an API server, without any grace.
    nodeName: options.nodeName,
    ...(priorityClassName !== undefined && { priorityClassName }),
    ...(serviceAccountName !== undefined && { serviceAccountName }),
    ...(vddkImage !== undefined && isVddk && { initContainers: [vddkContainer(vddkImage)] }),
    containers: [importerContainerOf(claim)],
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

const resources = { requests: { cpu: '100m', memory: '60M' }, limits: { cpu: '750m', memory: '600M' } };
const terminationMessagePolicy = 'FallbackToLogsOnError';

/** What the importer's pod says beyond what Gantry's own types name. */
interface ImporterContainer extends Container {
  readonly ports?: readonly {
    readonly name: string;
    readonly containerPort: number;
    readonly protocol: string;
  }[];
  readonly terminationMessagePolicy: 'FallbackToLogsOnError';
}
interface ImporterPodSpec extends PodSpec {
  readonly containers: readonly ImporterContainer[];
  readonly enableServiceLinks: boolean;
  readonly priorityClassName?: string;
}

/** Fact: cdi 3.1 (Volumes, VDDK image). */
function vddkContainer(image: string): ImporterContainer {
  const volumeMounts = [{ name: vddkVolumeName, mountPath: '/opt' }];
  return { name: 'vddk-side-car', image, volumeMounts, terminationMessagePolicy, resources };
}

/** Fact: cdi 3.1. */
function importerContainerOf(claim: Stored<PersistentVolumeClaim>): ImporterContainer {
  const { annotations = {} } = claim.metadata;
  const isBlock = modeOf(claim) === 'Block';
  const volumeMounts = [
    ...(isBlock ? [] : [{ name: dataVolumeName, mountPath: '/data' }]),
    ...(annotations[sourceAnnotation] === 'vddk' ? [{ name: vddkVolumeName, mountPath: '/opt' }] : []),
    ...((annotations[vddkExtraArgsAnnotation] ?? '') === ''
      ? []
      : [{ name: 'vddk-extra-args', mountPath: '/vddk-args' }]),
    ...((annotations[certConfigMapAnnotation] ?? '') === ''
      ? []
      : [{ name: certVolumeName, mountPath: '/certs' }]),
  ];
  return {
    name: importerContainer,
    image: importerImage,
    args: ['-v=1'],
    ports: [{ name: 'metrics', containerPort: 8443, protocol: 'TCP' }],
    terminationMessagePolicy,
    env: importerEnv(claim),
    resources,
    ...(isBlock && { volumeDevices: [{ name: dataVolumeName, devicePath: '/dev/cdi-block-volume' }] }),
    ...(volumeMounts.length > 0 && { volumeMounts }),
  };
}

/** Fact: cdi 3.1 (Env). What is meant for sources that are not simulated is there, and empty. */
function importerEnv(claim: Stored<PersistentVolumeClaim>): readonly EnvVar[] {
  const { annotations = {}, ownerReferences = [], uid } = claim.metadata;
  const value = (annotation: string): string => annotations[annotation] ?? '';
  const stage = (annotation: string): string =>
    annotations[sourceAnnotation] === 'none' ? '' : value(annotation);
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
    IMPORTER_DISK_ID: '',
    IMPORTER_UUID: value(uuidAnnotation),
    IMPORTER_PULL_METHOD: '',
    IMPORTER_READY_FILE: '',
    IMPORTER_DONE_FILE: '',
    IMPORTER_BACKING_FILE: value(backingFileAnnotation),
    IMPORTER_THUMBPRINT: value(thumbprintAnnotation),
    http_proxy: '',
    https_proxy: '',
    no_proxy: '',
    IMPORTER_CURRENT_CHECKPOINT: stage(currentCheckpointAnnotation),
    IMPORTER_PREVIOUS_CHECKPOINT: stage(previousCheckpointAnnotation),
    IMPORTER_FINAL_CHECKPOINT: stage(finalCheckpointAnnotation),
    PREALLOCATION: value(preallocationRequestedAnnotation) === 'true' ? 'true' : 'false',
    CACHE_MODE: '',
    IMPORTER_REGISTRY_IMAGE_ARCHITECTURE: '',
    IMPORTER_CHECKSUM: '',
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
    ...(isVddk ? [{ name: vddkVolumeName, emptyDir: {} }] : []),
    ...(extraArgs === '' ? [] : [{ name: 'vddk-extra-args', configMap: { name: extraArgs } }]),
    ...(certs === '' ? [] : [{ name: certVolumeName, configMap: { name: certs } }]),
  ];
}
