/** CDI's own annotations and labels (fact: cdi 1.4). Those that Gantry reads or sets, too, are in api/labels.ts. */

const prefix = 'cdi.kubevirt.io/';

export const contentTypeAnnotation = `${prefix}storage.contentType`;
export const preallocationRequestedAnnotation = `${prefix}storage.preallocation.requested`;
export const preallocationAnnotation = `${prefix}storage.preallocation`;
export const sourceAnnotation = `${prefix}storage.import.source`;
export const endpointAnnotation = `${prefix}storage.import.endpoint`;
export const secretNameAnnotation = `${prefix}storage.import.secretName`;
export const certConfigMapAnnotation = `${prefix}storage.import.certConfigMap`;
export const uuidAnnotation = `${prefix}storage.import.uuid`;
export const backingFileAnnotation = `${prefix}storage.import.backingFile`;
export const thumbprintAnnotation = `${prefix}storage.import.vddk.thumbprint`;
export const vddkImageAnnotation = `${prefix}storage.pod.vddk.initimageurl`;
export const vddkExtraArgsAnnotation = `${prefix}storage.pod.vddk.extraargs`;
export const vddkVersionAnnotation = `${prefix}storage.pod.vddk.version`;
export const vddkHostAnnotation = `${prefix}storage.pod.vddk.host`;
export const podPhaseAnnotation = `${prefix}storage.pod.phase`;
export const podRestartsAnnotation = `${prefix}storage.pod.restarts`;
export const podSchedulableAnnotation = `${prefix}storage.pod.schedulable`;
export const priorityClassAnnotation = `${prefix}storage.pod.priorityclassname`;
export const serviceAccountAnnotation = `${prefix}storage.pod.serviceAccountName`;
export const runningAnnotation = `${prefix}storage.condition.running`;
export const boundAnnotation = `${prefix}storage.condition.bound`;
export const prePopulatedAnnotation = `${prefix}storage.prePopulated`;
export const populatedForAnnotation = `${prefix}storage.populatedFor`;
export const currentCheckpointAnnotation = `${prefix}storage.checkpoint.current`;
export const previousCheckpointAnnotation = `${prefix}storage.checkpoint.previous`;
export const finalCheckpointAnnotation = `${prefix}storage.checkpoint.final`;
/** UID of the pod that serves the stage now. */
export const checkpointPodAnnotation = `${prefix}storage.checkpoint.pod.id`;
export const checkpointDoneAnnotation = `${prefix}storage.checkpoint.done`;
export const copiedPrefix = `${prefix}storage.checkpoint.copied.`;
export const createdByAnnotation = `${prefix}storage.createdByController`;

export const appLabel = 'app';
export const appValue = 'containerized-data-importer';
export const importerLabel = 'cdi.kubevirt.io';
export const importerValue = 'importer';

/** Annotations of a DataVolume that its worker pods get as well, and nothing else (fact: cdi 1.4). */
export const annotationsForPods: readonly string[] = [
  'k8s.v1.cni.cncf.io/networks',
  'v1.multus-cni.io/default-network',
  'sidecar.istio.io/inject',
  'linkerd.io/inject',
  priorityClassAnnotation,
  serviceAccountAnnotation,
];

/** Its value is the UID of the pod that copied this checkpoint. */
export function copiedAnnotation(current: string): string {
  return `${copiedPrefix}${current}`;
}

export type Annotations = Readonly<Record<string, string>>;

/** What a merge patch must say to turn `before` into `after`; undefined when they are the same. */
export function annotationChanges(
  before: Annotations,
  after: Annotations,
): Readonly<Record<string, string | null>> | undefined {
  const changes: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(after)) if (before[key] !== value) changes[key] = value;
  for (const key of Object.keys(before)) if (!(key in after)) changes[key] = null;
  return Object.keys(changes).length === 0 ? undefined : changes;
}
